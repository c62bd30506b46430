#pragma once

#include <vector>

#include "suffix_fold.hpp"

namespace assay::automata {

/// A state in which one head alone sees the unknown tokens (`--far-heads 1` trains such models).
///
///   VERTICES   by ATTN-MAX that head's output lies in the hull of near and of its outputs o_u with
///              one token u in every unknown position; so hook_resid_mid lies in the hull of m_u, and
///              l_t − <q,l> <= max_u [ l_t(u) − <q, l(u)> + Σ_j max(−κ_j, 0) (relu(z_j(u)) − a_j z_j(u)) ]
///              for any a_j in [0,1]: relu is convex, so Σ_u θ_u relu(z_j(u)) >= relu(z_j) where κ_j > 0,
///              and relu(z) >= a z where κ_j < 0; the sum runs over neurons that are not of one sign
class SuffixVertices {
 public:
  explicit SuffixVertices(const SuffixBounds::Tables& tables) : t_(tables) {}

  /// False when more heads than one move: nothing is made. @param far null: every older token.
  bool make(const SuffixHeads& heads, const SuffixRanges& ranges, const FarTokens* far);
  /// What below must be enlarged by to be a bound.
  [[nodiscard]] double radius() const { return radius_; }

  struct Bound {
    double hi = 0;
    std::uint32_t at = 0;  ///< the maximising vertex's token, SuffixHeads::kNobody for near
  };
  /// Slopes 1 or 0 for a neuron, whichever loses less over its range.
  [[nodiscard]] Bound bound(std::uint32_t token, const SuffixMixture& mixture);
  /// One step of slopes and mixture from the last bound of this token; `number` from 0.
  [[nodiscard]] Bound step(std::uint32_t token, SuffixMixture& mixture, std::size_t number);
  /// Where the token's logit comes nearest to the largest one, and by how much it misses.
  [[nodiscard]] Bound nearest(std::uint32_t token) const;

 private:
  void place(const SuffixHeads& heads, std::size_t head);
  void find_logits(const SuffixRanges& ranges);
  [[nodiscard]] Bound evaluate(std::uint32_t token, const SuffixMixture& mixture);

  const SuffixBounds::Tables& t_;
  std::vector<std::uint32_t> tokens_;  ///< of the vertices
  std::size_t count_ = 0, padded_ = 0;
  std::vector<double> at_;       ///< [vertices, blocks * kBlock]: the directions' values
  std::vector<double> logits_;   ///< [V, padded_]
  std::vector<double> largest_;  ///< [padded_]: max_y l_y
  std::vector<std::size_t> unstable_;
  std::vector<double> pre_, post_;  ///< [unstable, padded_]
  std::vector<double> width_;       ///< [unstable] of a neuron's range
  std::vector<double> slopes_, first_slopes_, kappa_, sum_;
  std::size_t last_ = 0;  ///< vertex of the last bound
  double radius_ = 0;
};

}  // namespace assay::automata
