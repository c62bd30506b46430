#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "assay/num/linear_problem.hpp"
#include "heads_bound.hpp"
#include "ready_case.hpp"
#include "target.hpp"
#include "vertices.hpp"

namespace assay::bounds {

/// Ranges of every neuron over a case.
///
/// CASE-RANGE   U HEADS for g_j, D for -g_j
///   |-   <g_j, m> in [base(g_j) - sum D, base(g_j) + sum U]; g_j = W_in[:,j], or h_j under LN2
struct CaseNeurons {
  std::vector<HeadNumbers> U, D;  ///< [f]
  std::vector<Interval> range;    ///< of z_j, [f]
};

/// SPREAD   (P m)_i in [lo_i, hi_i], <u, P m> >= l   |-   1/sqrt(|P m|^2/d + eps) in [lo, hi]
struct Spread {
  std::vector<HeadNumbers> U, D;  ///< of the coordinates of P m, [d]
  std::vector<Interval> box;
  std::vector<double> u;  ///< the direction
  HeadNumbers heads;      ///< for -P u
  double lo = 0, hi = 0;
};

/// FINAL-SPREAD: the same for r = m + mlp_out, from the box of P m and the neurons' ranges.
struct FinalSpread {
  double lo = 0, hi = 0;
};

/// The contexts of a case with z_neuron >= 0 (sign 1) or <= 0 (sign -1).
struct NeuronPart {
  std::size_t neuron = 0;
  int sign = 1;
};

/// A case whose contexts are few enough to list: one position free, one length. To the nearest, for the search alone.
struct ExactCase {
  Rows mids;     ///< hook_resid_mid, [contexts, d]
  Rows neurons;  ///< times neuron_directions, [contexts, f]
};

/// A ready case with what the bounds on it share, each part made when first needed.
class CaseWork {
 public:
  /// `parent`: a case that contains this one; its neurons that are stable there are not bounded again.
  CaseWork(ReadyCase ready, const std::shared_ptr<CaseWork>& parent)
      : ready_(std::move(ready)), parent_(parent) {}

  [[nodiscard]] const ReadyCase& ready() const { return ready_; }
  [[nodiscard]] const Network& net() const { return ready_.places().net(); }
  /// nullptr: the heads are bounded apart.
  [[nodiscard]] const JointAttention* joint();
  /// nullptr: more than one position is free.
  [[nodiscard]] const ExactCase* exact();
  [[nodiscard]] const CaseNeurons& neurons();
  /// Those of the z_j: at the vertices where there are any.
  [[nodiscard]] const std::vector<Interval>& ranges();
  /// nullptr: more heads than one move.
  [[nodiscard]] const CaseVertices* vertices();
  [[nodiscard]] const Spread& spread();
  [[nodiscard]] const FinalSpread& final_spread();

 private:
  void bound_neuron(std::size_t j, CaseNeurons& out);

  ReadyCase ready_;
  std::weak_ptr<CaseWork> parent_;
  bool is_joint_known_ = false, is_exact_known_ = false, are_vertices_known_ = false;
  std::optional<JointAttention> joint_;
  std::optional<ExactCase> exact_;
  std::optional<CaseNeurons> neurons_;
  std::optional<CaseVertices> vertices_;
  std::optional<Spread> spread_;
  std::optional<FinalSpread> final_;
};

enum class CaseRule {
  linear,
  fold,
  hull,
  each,
  norm_linear,
  norm_fold,
  sphere,
  final,
  enumeration
};

/// target <= hi on the case, with the numbers that prove it.
struct CaseBound {
  CaseRule rule = CaseRule::linear;
  double hi = 0;
  std::vector<double> slopes;             ///< fold, hull, norm_fold
  std::vector<double> mu;                 ///< of the neuron parts; empty: none
  HeadNumbers heads, heads_other;         ///< heads_other at s_hi
  CaseRule numerator = CaseRule::linear;  ///< of final: linear, fold or norm_fold
  std::size_t head = 0;                   ///< of hull and each: the one that moves
  std::size_t slot = 0;                   ///< of each: where tokens are taken one by one

  // For the search alone: the folded direction to the nearest, and each head's maximiser; then that of hull.
  Row direction;
  std::vector<CaseMaximum> maxima;
};

/// LINEAR, FOLD, NORM-FOLD, SPHERE, FINAL (docs/theorems.md): the best of those that apply.
/// How FOLD's numbers are looked for.
struct FoldEffort {
  std::size_t steps = 0;  ///< of the slopes' subgradient descent
  const LinearSolver* solver =
      nullptr;  ///< then the numbers are a linear problem's, where it applies
};

/// `parts` narrow the case.
[[nodiscard]] CaseBound bound_case(CaseWork& work, const Target& target,
                                   const std::vector<NeuronPart>& parts, FoldEffort effort);

/// Ranges narrowed by the signs of neurons.
[[nodiscard]] std::vector<Interval> clipped(const std::vector<Interval>& ranges,
                                            const std::vector<NeuronPart>& parts);

/// Head h's output before W_O when the keys are these tokens (query first), nearest: [d_head].
[[nodiscard]] Row head_mean(const ReadyCase& ready, std::size_t head,
                            const std::vector<TokenId>& back);
/// hook_resid_mid when head h sees the tokens back[h], nearest.
[[nodiscard]] Row nearest_mid(const ReadyCase& ready,
                              const std::vector<const std::vector<TokenId>*>& back);

/// FOLD and NORM-FOLD, shared with FINAL's numerator.
[[nodiscard]] CaseBound bound_fold(CaseWork& work, const FoldTarget& target,
                                   const std::vector<NeuronPart>& parts, FoldEffort effort);

}  // namespace assay::bounds
