#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/model/transformer.hpp"
#include "assay/num/interval.hpp"

namespace assay::bounds {

/// A real direction g in the residual stream, known as mid ± radius, entry by entry: [d_model].
struct Direction {
  std::vector<double> mid;
  std::vector<double> radius;
};
/// The smallest direction of that form that contains the box.
[[nodiscard]] Direction to_direction(const std::vector<Interval>& box);

/// Why the small rules (SUFFIX … TOKEN-OUT) do not speak of this model; nullopt when they do:
/// one layer, relu MLP, no LayerNorm, attention window > 0, learned relative bias.
[[nodiscard]] std::optional<std::string> outside_family(const Transformer& model);

/// What every suffix of one model shares: the values that each token sends through each head,
/// enclosed. Built once per model; keeps a reference to it.
class OneLayer {
 public:
  /// Throws InputError outside the family, for a weight that is not finite, and for shapes
  /// that do not fit the config.
  explicit OneLayer(const Transformer& model);

  struct Tables;
  [[nodiscard]] const Tables& tables() const { return *tables_; }
  [[nodiscard]] const Transformer& model() const;

 private:
  std::shared_ptr<const Tables> tables_;
};

/// One head's extremal value along a direction.
struct HeadMaximum {
  double L = 0;  ///< upper bound over the domain; passes the outward-rounded check
  std::optional<TokenId> maximiser;  ///< the token that all free positions hold at the maximum;
                                     ///< nullopt: the suffix alone is the maximising context
};

/// The domain of a `suffix T1 … Tk` claim, T_k the current token: every context of any length
/// n >= k over the whole vocabulary that ends in these tokens. In the rules a_j = T_{k-j}.
///
///   SUFFIX   k <= w, every T_i in the vocabulary
class Suffix {
 public:
  /// Throws InputError when a token is out of range or the suffix empty or longer than w.
  Suffix(const OneLayer& layer, std::vector<TokenId> tokens);

  /// ATTN-MAX  (exact extremal attention, \cite docs/theorems.md)
  ///   w(j,u) = e^{s_h(j,u)},  nu(u) = <g, v_h(u) W_O[h]>,
  ///   F_N(L) = sum_{j<k} w(j,a_j)(nu(a_j) - L) + sum_{k<=j<N} max_u w(j,u)(nu(u) - L)
  ///   F_N(L) <= 0 for N = k … w   |-   <g, head h's output> <= L over the domain
  /// The relative bias e^{b_j} factors out of w(j,u), so F_N = A + B_N M with B_N rising in N,
  /// and N = k and N = w are enough here. L is found by Dinkelbach's iteration in double and then
  /// raised until the check holds with outward rounding and room to spare. [n_heads]
  [[nodiscard]] std::vector<HeadMaximum> attention_maximum(const Direction& g) const;

  /// The check alone, outward-rounded: true only when F_N(L) <= 0 surely, for N = k … w.
  [[nodiscard]] bool accepts(HeadId head, const Direction& g, double L) const;

  /// <g, x_c + b_O>, the part of <g, hook_resid_mid> that no head adds.
  [[nodiscard]] Interval base(const std::vector<Interval>& g) const;

  [[nodiscard]] const std::vector<TokenId>& tokens() const { return tokens_; }
  [[nodiscard]] const OneLayer& layer() const { return layer_; }

  struct Weights;
  [[nodiscard]] const Weights& weights() const { return *weights_; }

 private:
  OneLayer layer_;
  std::vector<TokenId> tokens_;
  std::shared_ptr<const Weights> weights_;
};

}  // namespace assay::bounds
