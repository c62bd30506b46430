#pragma once

#include "assay/num/linear_problem.hpp"
#include "slope_search.hpp"

namespace assay::bounds {

/// FOLD's bound on a small case as a linear problem in everything that it leaves free: slopes, multipliers and, unless the
/// contexts are few enough to list, the heads' L and theta. A solution is a hint like the descent's: only FOLD's own evaluation counts.
///
///   minimise  sum_j r_j + (max over the contexts of <g0, m> + sum_j c_j z_j, or the ATTN-JOINT bound of that direction)
///   r_j >= kappa_j (act(z) - a_j z) at the ends of z_j's range and at 0,   c_j = kappa_j a_j + mu_j s_j,   0 <= a_j <= 1,   mu_j >= 0
class LeafProgram {
 public:
  LeafProgram(CaseWork& work, const FoldTarget& target, const std::vector<NeuronPart>& parts,
              const std::vector<Interval>& ranges);

  /// relu without normalisation, one length; heads that are bounded jointly or contexts that are listed.
  [[nodiscard]] static bool applies(CaseWork& work);
  [[nodiscard]] const LinearProblem& problem() const { return problem_; }
  [[nodiscard]] SlopeSearch::Found read(const std::vector<double>& x) const;

 private:
  std::size_t variable(double cost);
  void at_least(std::vector<std::pair<std::size_t, double>> terms, double least);
  void add_neurons();
  void add_contexts();
  void add_heads();
  /// value(j) of every neuron, times its coefficient: the part that the slopes fix, and what is left free.
  template <class Value>
  double spread_over(const Value& value, double factor,
                     std::vector<std::pair<std::size_t, double>>& terms) const;

  CaseWork& work_;
  const Network& net_;
  const std::vector<NeuronPart>& parts_;
  const std::vector<Interval>& ranges_;
  Row kappa_, g0_;
  std::vector<double> slopes_;                              ///< of neurons that are not free
  std::vector<std::pair<std::size_t, std::size_t>> free_;   ///< (neuron, variable of its slope)
  std::vector<std::size_t> mu_, L_, theta_;                 ///< variables
  LinearProblem problem_;
};

}  // namespace assay::bounds
