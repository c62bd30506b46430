#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "case_bound.hpp"

namespace assay::bounds {

/// The unproved search for FOLD's numbers, on nearest values: slopes a_j, the multipliers mu of neuron parts and, where the
/// heads share a context, their L and theta.
class SlopeSearch {
 public:
  SlopeSearch(CaseWork& work, const FoldTarget& target, const std::vector<NeuronPart>& parts,
              const std::vector<Interval>& ranges);

  struct Found {
    std::vector<double> slopes, mu;
    std::optional<HeadNumbers> heads;  ///< at the end of the spread that decides; without LN2 alone
  };
  /// The best met in `steps` subgradient steps.
  [[nodiscard]] Found descend(std::size_t steps);

 private:
  void sample(std::size_t j, double kappa);
  [[nodiscard]] std::vector<double> start() const;
  /// Where kappa (act(z) - a z) is largest, and act(z) - a z there.
  [[nodiscard]] std::pair<double, double> extremal(std::size_t j, double a) const;
  /// The bound to the nearest (without const0) at x = open slopes, mu, L, theta; `gradient` by x.
  double evaluate(const std::vector<double>& x, std::vector<double>& gradient);
  void unpack(const std::vector<double>& x);
  [[nodiscard]] double residuals() const;
  void fill_gradient(const Row& z, std::vector<double>& gradient) const;
  void project(std::vector<double>& x) const;
  double over_contexts(std::vector<double>& gradient);
  double over_heads(const std::vector<double>& x, std::vector<double>& gradient);
  [[nodiscard]] double attained();
  std::vector<double> minimise(std::vector<double> x, std::size_t steps);

  CaseWork& work_;
  const Network& net_;
  const std::vector<NeuronPart>& parts_;
  const std::vector<Interval>& ranges_;
  Row kappa_, g0_, base_;
  Row coefficient_;  ///< of z_j in the folded direction
  std::vector<double> slopes_, mu_;
  std::vector<double> ends_;
  std::vector<std::vector<std::pair<double, double>>> samples_;
  std::vector<std::size_t> open_;
  Row along_g0_;  ///< <g0, m> of every context of an exact case
  double heads_gap_ =
      0;  ///< of the last evaluation: the heads' bound above their best common context
  bool is_joint_ = false;          ///< x holds L and theta
  double unit_ = 1, mu_unit_ = 1;  ///< of L and theta, and of mu, in x
};

}  // namespace assay::bounds
