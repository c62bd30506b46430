#pragma once

#include <vector>

#include "branch.hpp"

namespace assay::bounds {

/// How a case is best divided, by estimates: a choice proves nothing, so nothing here is rounded outward.
///
/// Near a reference context the quantities are sums over the positions: what token u at slot j adds to <g, m> is
///   t_j(u) = sum_h w_h(j,u) (nu_h(j,u) - <g, out_h>) / D_h
/// A part of a token set narrows the neurons' ranges and the folded direction's maximum by what its t_j leave out.
class SplitChoice {
 public:
  SplitChoice(DomainWork& domain, const Target& target);

  /// A case that is not ready: by length, or by query token.
  [[nodiscard]] Split by_readiness(const Box& box) const;
  /// `attained`: values up to it need no proof. `left`: cases that may still be bounded. by = none: one context.
  [[nodiscard]] Split choose(const BranchNode& node, double attained, std::size_t left);

 private:
  /// What each token of a slot adds, to first order.
  struct SlotGains {
    std::size_t slot = 0;
    Row along;                    ///< along the folded direction: [tokens]
    Rows neurons;                 ///< to the neurons at hand: [neurons, tokens]
    Eigen::VectorXd least, most;  ///< of each neuron's
  };
  void prepare(const ReadyCase& ready, const CaseBound& bound);
  void take_neurons(const BranchNode& node, CaseWork& work);
  [[nodiscard]] double gap_of(std::size_t j, double lo, double hi) const;
  [[nodiscard]] Rows gains(const ReadyCase& ready, const CaseBound& bound, std::size_t slot) const;
  [[nodiscard]] SlotGains slot_gains(const BranchNode& node, std::size_t slot) const;
  [[nodiscard]] std::optional<std::size_t> busiest_slot(const BranchNode& node) const;
  [[nodiscard]] Split singles(const BranchNode& node, std::size_t slot) const;
  [[nodiscard]] Split by_heads(const BranchNode& node, std::size_t slot);
  void add_orders(const BranchNode& node, const SlotGains& gains, std::vector<Split>& all) const;
  [[nodiscard]] double part_value(const BranchNode& node, const SlotGains& gains,
                                  const TokenSet& part) const;
  [[nodiscard]] Split best_of(const BranchNode& node, const std::vector<SlotGains>& slots,
                              double attained) const;

  DomainWork& domain_;
  const Network& net_;
  const Target& target_;
  // Of the node at hand.
  const ReadyCase* ready_ = nullptr;
  std::vector<Row> nu_;
  std::vector<double> mass_;
  bool is_hull_ = false;
  std::vector<std::size_t> neurons_;  ///< unstable, the widest gaps first
  std::vector<double> kappa_, lo_, hi_;
};

}  // namespace assay::bounds
