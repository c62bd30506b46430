#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "assay/bounds/attention.hpp"
#include "assay/bounds/request.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/tokenizer.hpp"

namespace assay::bounds {

/// What an attack may start from. Without text only constant and random contexts are tried.
struct AttackText {
  std::vector<std::vector<TokenId>> documents;
  const Tokenizer* tokenizer = nullptr;  ///< for the words of a result; may be null
  std::uint64_t seed = 1;
};

/// A concrete context and its value there: the feature's pre-activation, or l_u - max_{y != u} l_y.
struct AttackPoint {
  std::vector<TokenId> context;  ///< oldest first, ends in the suffix
  double value = 0;
};

/// Contexts that end in one suffix: the suffix alone, constant tails (every per-head maximiser
/// of ATTN-MAX is one), windows of the text (those that end in the suffix, and others with the
/// suffix grafted), random two-token mixes. Values of all of them are kept, so that many claims
/// share one pool. A lower bound, never a proof.
class AttackPool {
 public:
  AttackPool(const Suffix& suffix, const AttackText& text);

  /// The strongest context found: the pool's best, then coordinate ascent over the free tokens.
  [[nodiscard]] AttackPoint strongest(const Claim& claim, const Sae* sae) const;
  /// Mean next-token probabilities over the pool's contexts that are hardest for the claim.
  [[nodiscard]] std::vector<double> hard_probabilities(const Claim& claim) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// Logits of a residual stream at hook_resid_mid, nearest: [d_vocab_out].
[[nodiscard]] std::vector<double> logits_of(const OneLayer& layer, const std::vector<double>& mid);

}  // namespace assay::bounds
