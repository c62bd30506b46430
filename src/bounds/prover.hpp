#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "assay/bounds/mlp_fold.hpp"
#include "assay/bounds/prove.hpp"

namespace assay::bounds {

/// What the claims on one suffix share; each part is made when first needed.
struct SuffixWork {
  Suffix suffix;
  std::optional<NeuronRanges> ranges;
  std::optional<AttackPool> pool;

  const NeuronRanges& neurons() {
    if (!ranges) {
      ranges = neuron_ranges(suffix);
    }
    return *ranges;
  }
};

/// The numbers after the colon of a concluding step.
struct Conclusion {
  std::string rule;            ///< FEATURE-OFF, FEATURE-OFF-MLP, TOKEN-OUT
  bool reads_neurons = false;  ///< premise is a NEURONS step, not a SUFFIX step
  std::string words;
  double hi = 0;  ///< the bound
};

/// "0x1.8p+1 …"
[[nodiscard]] std::string hex_words(const std::vector<double>& values);
[[nodiscard]] std::string fold_words(const FoldProof& proof);

/// beta_i = b_enc[i] - (apply_b_dec_to_input ? <b_dec, W_enc[:,i]> : 0)
[[nodiscard]] Interval feature_offset(const Sae& sae, std::size_t feature);
[[nodiscard]] double threshold_of(const Sae& sae, std::size_t feature);

[[nodiscard]] Conclusion feature_off(SuffixWork& work, const Sae& sae, std::size_t feature);
[[nodiscard]] Conclusion feature_off_mlp(SuffixWork& work, const Sae& sae, std::size_t feature);

/// Rivals y_i and weights omega_i = weight / 2^16 that sum to 2^16 exactly.
struct Mixture {
  std::vector<std::uint32_t> rivals;
  std::vector<std::uint32_t> weights;
};
/// Integer weights nearest to `shares` (largest remainder), zeros dropped; at most 8 rivals.
[[nodiscard]] Mixture make_mixture(const std::vector<std::pair<std::uint32_t, double>>& shares);
/// What hard contexts prefer instead of the token, given their mean probabilities: top one, top
/// two, half each, the mean itself.
[[nodiscard]] std::vector<Mixture> first_mixtures(const std::vector<double>& mean,
                                                  std::uint32_t token);
/// The mixture moved by `step` towards a rival.
[[nodiscard]] Mixture moved_towards(const Mixture& mixture, std::uint32_t winner, double step);
/// MLP-FOLD's target for l_u - sum_i omega_i l_{y_i}.
[[nodiscard]] FoldTarget token_target(const OneLayer& layer, std::uint32_t token,
                                      const Mixture& mixture);
[[nodiscard]] Conclusion token_out(SuffixWork& work, const AttackPool& pool, const Claim& claim);

/// One concluded claim, for the certificate.
struct Concluded {
  Claim claim;
  Conclusion conclusion;
};
[[nodiscard]] std::string write_certificate(const Transformer& model, const Sae* sae,
                                            const Request& statement,
                                            const std::vector<Concluded>& concluded,
                                            std::map<std::vector<TokenId>, SuffixWork>& works);

/// Proves claim by claim; suffix work is kept between claims.
class Prover {
 public:
  Prover(const Transformer& model, const Sae* sae, std::optional<Decoder> decoder,
         const AttackText& text);

  ClaimResult run(const Claim& claim);
  [[nodiscard]] const std::vector<Concluded>& concluded() const { return concluded_; }
  std::map<std::vector<TokenId>, SuffixWork>& works() { return works_; }

 private:
  void check(const Claim& claim) const;
  void conclude(const Claim& claim, ClaimResult& result);
  void attack(const Claim& claim, ClaimResult& result);
  [[nodiscard]] std::string words(const Claim& claim) const;
  [[nodiscard]] std::string tokens_text(const std::vector<TokenId>& tokens) const;
  SuffixWork& work(const Claim& claim);

  const Transformer& model_;
  const Sae* sae_;
  std::optional<Decoder> decoder_;
  const AttackText& text_;
  std::optional<std::string> outside_;
  std::optional<OneLayer> layer_;
  std::map<std::vector<TokenId>, SuffixWork> works_;
  std::vector<Concluded> concluded_;
};

}  // namespace assay::bounds
