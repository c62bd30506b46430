#pragma once

#include <utility>
#include <vector>

#include "branch.hpp"

namespace assay::bounds {

/// What each token of a slot adds near a reference context, to first order.
struct SlotGains {
  std::size_t slot = 0;
  Row along;                    ///< along the folded direction: [tokens]
  Rows neurons;                 ///< to the neurons at hand: [neurons, tokens]
  Eigen::VectorXd least, most;  ///< of each neuron's
};

/// A neuron that the case does not settle, its share in the target and its range.
struct UnstableNeuron {
  std::size_t neuron = 0;
  double kappa = 0, lo = 0, hi = 0;

  /// What its lines may add to the bound, good slopes assumed, were its range [lo, hi].
  [[nodiscard]] double gap(double to_lo, double to_hi) const;
  [[nodiscard]] double gap() const { return gap(lo, hi); }
};

/// The bounds that parts of a case would have, to first order: nothing here proves.
class SplitEstimate {
 public:
  /// @pre `slots` are positions that every context of the node's case has
  SplitEstimate(const BranchNode& node, const std::vector<SlotGains>& slots,
                const std::vector<UnstableNeuron>& neurons, double attained)
      : node_(node), slots_(slots), neurons_(neurons), attained_(attained) {}

  /// What is left to prove of the parts, added up. By token.
  [[nodiscard]] double work(const Split& split) const;
  /// e^-rate of the growth of a search that goes on dividing as well as this: the x with Σ x^{d_i} = 1, d_i the
  /// shares of what is to be proved that the parts are spared, times `favour`. The larger the better. By token or by position.
  [[nodiscard]] double ease(const Split& split, double favour) const;

 private:
  using Part = std::vector<std::pair<std::size_t, TokenSet>>;  ///< slots (by index) and their sets
  [[nodiscard]] std::vector<Part> parts(const Split& split) const;
  [[nodiscard]] std::size_t index_of(std::size_t slot) const;
  [[nodiscard]] double value(const Part& part) const;

  const BranchNode& node_;
  const std::vector<SlotGains>& slots_;
  const std::vector<UnstableNeuron>& neurons_;
  double attained_;
};

}  // namespace assay::bounds
