#pragma once

#include <optional>
#include <vector>

#include "ready_case.hpp"
#include "target.hpp"

namespace assay::bounds {

/// Ranges of every neuron over a case.
///
/// CASE-RANGE   U_h ATTN-MAX for g_j, D_h for -g_j
///   |-   <g_j, m> in [base(g_j) - sum D, base(g_j) + sum U]; g_j = W_in[:,j], or h_j under LN2
struct CaseNeurons {
  std::vector<double> U, D;     ///< [f * heads]
  std::vector<Interval> range;  ///< of z_j, [f]
};

/// SPREAD   (P m)_i in [lo_i, hi_i], <u, P m> >= l   |-   1/sqrt(|P m|^2/d + eps) in [lo, hi]
struct Spread {
  std::vector<double> U, D;  ///< of the coordinates of P m, [d * heads]
  std::vector<Interval> box;
  std::vector<double> u, L;  ///< the direction, and ATTN-MAX for -P u
  double lo = 0, hi = 0;
};

/// FINAL-SPREAD: the same for r = m + mlp_out, from the box of P m and the neurons' ranges.
struct FinalSpread {
  double lo = 0, hi = 0;
};

/// A ready case with what the bounds on it share, each part made when first needed.
class CaseWork {
 public:
  explicit CaseWork(ReadyCase ready) : ready_(std::move(ready)) {}

  [[nodiscard]] const ReadyCase& ready() const { return ready_; }
  [[nodiscard]] const Network& net() const { return ready_.places().net(); }
  [[nodiscard]] const CaseNeurons& neurons();
  [[nodiscard]] const Spread& spread();
  [[nodiscard]] const FinalSpread& final_spread();

 private:
  ReadyCase ready_;
  std::optional<CaseNeurons> neurons_;
  std::optional<Spread> spread_;
  std::optional<FinalSpread> final_;
};

enum class CaseRule { linear, fold, norm_linear, norm_fold, sphere, final, enumeration };

/// target <= hi on the case, with the numbers that prove it.
struct CaseBound {
  CaseRule rule = CaseRule::linear;
  double hi = 0;
  std::vector<double> slopes;             ///< fold, norm_fold
  std::vector<double> L, L_other;         ///< per head; L_other at s_hi
  CaseRule numerator = CaseRule::linear;  ///< of final: linear, fold or norm_fold

  // For the search alone: the folded direction to the nearest, and each head's maximiser.
  Row direction;
  std::vector<CaseMaximum> maxima;
};

/// LINEAR, FOLD, NORM-FOLD, SPHERE, FINAL (docs/theorems.md): the best of those that apply.
/// `steps`: of the slopes' subgradient descent.
[[nodiscard]] CaseBound bound_case(CaseWork& work, const Target& target, std::size_t steps);

/// Head h's output before W_O when the keys are these tokens (query first), nearest: [d_head].
[[nodiscard]] Row head_mean(const ReadyCase& ready, std::size_t head,
                            const std::vector<TokenId>& back);
/// hook_resid_mid when head h sees the tokens back[h], nearest.
[[nodiscard]] Row nearest_mid(const ReadyCase& ready,
                              const std::vector<const std::vector<TokenId>*>& back);

/// FOLD and NORM-FOLD, shared with FINAL's numerator.
[[nodiscard]] CaseBound bound_fold(CaseWork& work, const FoldTarget& target, std::size_t steps);

}  // namespace assay::bounds
