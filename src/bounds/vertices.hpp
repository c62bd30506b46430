#pragma once

#include <optional>
#include <vector>

#include "assay/bounds/mlp_fold.hpp"
#include "ready_case.hpp"

namespace assay::bounds {

/// A case in which one head alone moves, or one position alone is free: hook_resid_mid lies in the hull of its values m_v, and
/// all else is an interval. Where one position is free all heads see the same vertex, which is a context, with any positions.
///
///   HULL   fixed: the positions of every context of the case with one token there; n, N(g): the sums of e^{b_j} w and of
///          e^{b_j} w <g, v W_O> over them; F: the sum of e^{b_j} over the other positions; v: none, or a token u of one of these
///          <g, o_v> = N/n for none, (N + F w(u) <g, v(u) W_O>) / (n + F w(u)) for u
///   |-   <g, head's output> is a mean of the <g, o_v>; so for a_j in [0,1]
///        const0 + <g0, m> + sum_j kappa_j relu(z_j)
///          <= max_v [ const0 + <g0, m_v> + sum_{kappa_j > 0} kappa_j relu(z_j(v)) + sum_{kappa_j <= 0} kappa_j a_j z_j(v) ]
class CaseVertices {
 public:
  /// nullopt: more heads than one move and more positions than one are free, or keys, scores or neurons are not of the
  /// rule's kind.
  [[nodiscard]] static std::optional<CaseVertices> make(const ReadyCase& ready);

  struct Bound {
    double hi = 0;
    std::vector<double> slopes;  ///< [f]
    CaseMaximum worst;           ///< a context at the vertex that decides
    Row direction;  ///< the target folded by the slopes, to the nearest: for the search alone
  };
  /// The one that moves; the number of heads: all are at the same vertex.
  [[nodiscard]] std::size_t head() const { return head_; }
  /// Every vertex is a context of the case: then FOLD with the same slopes is no better.
  [[nodiscard]] bool are_contexts() const { return are_contexts_; }
  /// z_j over the case: over the vertices.
  [[nodiscard]] const std::vector<Interval>& ranges() const { return ranges_; }
  /// The slopes are the best met in `steps` subgradient steps.
  [[nodiscard]] Bound bound(const FoldTarget& target, std::size_t steps) const;
  /// Slopes that can be said without numbers: 1 where z_j is more above 0 than below it, else 0; infinity when rounding
  /// may see it otherwise.
  [[nodiscard]] double proved_by_either(const FoldTarget& target) const;
  /// What slopes in [0, 1] prove.
  [[nodiscard]] double proved(const FoldTarget& target, const std::vector<double>& slopes) const;

 private:
  /// A head's shares: what the fixed positions and each vertex hold of its weight.
  struct Shares {
    std::vector<Interval> fixed;  ///< of `fixed_rows_`, with a sum of 1
    std::vector<Interval> free;   ///< F w / (n + F w) of each vertex, 0 for none
    double most = 0;
    bool is_known = true;  ///< well enough for the checker's coarser weights too
  };
  /// A token of a free position.
  struct Entry {
    std::size_t slot = 0, at = 0;
  };
  /// The target at each vertex so far, and the size of what it is made of.
  struct Sum {
    std::vector<Interval> at;
    double size = 0;
  };
  struct Top {
    double hi = 0;
    std::size_t vertex = 0;
  };
  explicit CaseVertices(const ReadyCase& ready) : ready_(&ready) {}
  void list_tokens();
  [[nodiscard]] bool place_heads();
  [[nodiscard]] Shares shares_of(std::size_t head) const;
  void place_neurons();
  [[nodiscard]] Row fold(const FoldTarget& target, const std::vector<double>& slopes) const;
  /// <g, m_v> of every vertex; `nu` of each head, `base` of the query.
  [[nodiscard]] std::vector<Interval> along(const std::vector<Ball>& nu, Interval base) const;
  [[nodiscard]] Sum start(const FoldTarget& target) const;
  [[nodiscard]] Top finish(const FoldTarget& target, const std::vector<double>& slopes,
                           Sum sum) const;
  [[nodiscard]] std::vector<double> find_slopes(const FoldTarget& target,
                                                const std::vector<Interval>& fixed_part,
                                                std::size_t steps) const;

  const ReadyCase* ready_;
  std::size_t head_ = 0, free_slots_ = 0;
  bool are_contexts_ = true;
  std::vector<std::uint32_t> fixed_rows_, rows_;  ///< rows_ of the vertices, Places::kNone: none
  std::vector<Entry> entries_;                    ///< of the vertices
  std::vector<Shares> shares_;                    ///< [heads]
  std::vector<std::vector<Interval>> neurons_;    ///< [f][vertices]: z_j(v)
  std::vector<double> sizes_;                     ///< [f]: of what z_j is made of
  std::vector<Interval> ranges_;                  ///< [f]: of z_j over the vertices
};

}  // namespace assay::bounds
