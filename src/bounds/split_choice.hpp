#pragma once

#include <vector>

#include "branch.hpp"
#include "split_estimate.hpp"

namespace assay::bounds {

/// How a case is best divided, by estimates: a choice proves nothing, so nothing here is rounded outward.
///
/// Near a reference context the quantities are sums over the positions: what token u at slot j adds to <g, m> is
///   t_j(u) = sum_h w_h(j,u) (nu_h(j,u) - <g, out_h>) / D_h
/// A part of a token set narrows the neurons' ranges and the folded direction's maximum by what its t_j leave out.
class SplitChoice {
 public:
  /// `by_position`: divisions by the position that dominates a head (dominant_split.hpp) may be chosen.
  SplitChoice(DomainWork& domain, const Target& target, bool by_position);

  /// A case that is not ready: by length, or by query token.
  [[nodiscard]] Split by_readiness(const Box& box) const;
  /// `attained`: values up to it need no proof. `left`: cases that may still be bounded. by = none: one context.
  [[nodiscard]] Split choose(const BranchNode& node, double attained, std::size_t left);

 private:
  void prepare(const ReadyCase& ready, const CaseBound& bound);
  void take_neurons(const BranchNode& node, CaseWork& work);
  [[nodiscard]] Rows gains(const ReadyCase& ready, const CaseBound& bound, std::size_t slot) const;
  [[nodiscard]] SlotGains slot_gains(const BranchNode& node, std::size_t slot) const;
  [[nodiscard]] std::optional<std::size_t> busiest_slot(const BranchNode& node) const;
  [[nodiscard]] Split singles(const BranchNode& node, std::size_t slot) const;
  [[nodiscard]] Split by_heads(const BranchNode& node, std::size_t slot);
  void add_orders(const BranchNode& node, const SlotGains& gains, std::vector<Split>& all) const;
  [[nodiscard]] Split best_of(const BranchNode& node, const std::vector<SlotGains>& slots,
                              double attained, std::size_t left) const;
  [[nodiscard]] std::vector<Split> by_position(const BranchNode& node,
                                               const std::vector<SlotGains>& slots) const;
  [[nodiscard]] Split by_widest_head(const BranchNode& node,
                                     const std::vector<std::size_t>& free) const;
  /// e^score of the slot's tokens, one positive factor of the head left out.
  [[nodiscard]] Row slot_weights(std::size_t slot, std::size_t head) const;

  DomainWork& domain_;
  const Network& net_;
  const Target& target_;
  const bool may_divide_by_position_;
  // Of the node at hand.
  const ReadyCase* ready_ = nullptr;
  std::vector<Row> nu_;
  std::vector<double> mass_;
  std::vector<UnstableNeuron> neurons_;  ///< the widest gaps first
  std::vector<double> kappa_;
};

}  // namespace assay::bounds
