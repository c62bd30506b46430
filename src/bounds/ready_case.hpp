#pragma once

#include <memory>
#include <vector>

#include "network.hpp"

namespace assay::bounds {

using SetRef = std::shared_ptr<const TokenSet>;

/// A case: lengths min_length … max_length, and the set of the token j back.
struct Box {
  std::size_t min_length = 0;
  std::size_t max_length = 0;
  std::vector<SetRef> back;  ///< as many as the longest context has keys

  /// Contexts, counting only the tokens that are read; saturates at 2^62.
  [[nodiscard]] std::uint64_t contexts(const Network& net) const;
};
[[nodiscard]] Box root_box(const Network& net, const Domain& domain);

/// One query token's weights on a domain: e^{s_h(j,u)}, one positive factor per head left out.
struct QueryWeights {
  /// Entries that share their scores up to the factor of the slot: one pool for all slots
  /// when scores depend on the token alone, else one per slot.
  struct Pool {
    std::vector<std::uint32_t> rows;
    TokenSet tokens;
    std::vector<std::vector<Interval>> weight;  ///< [heads][entries]
  };
  QueryWeights(const Places& places, TokenId token, std::size_t length);

  const Places* places = nullptr;
  TokenId token;
  std::size_t length = 0;      ///< of the contexts, with absolute positions; else 0
  std::vector<Interval> base;  ///< x(p,c) + b_O
  std::vector<Pool> pools;
  std::vector<std::vector<Interval>> factor;  ///< [slot][head]: e^{rel_bias}, shifted

  [[nodiscard]] const Pool& pool(std::size_t slot) const {
    return pools.size() == 1 ? pools[0] : pools[slot];
  }
  /// <g, x(p,c) + b_O>
  [[nodiscard]] Interval along(const std::vector<Interval>& g) const;
  /// The same for every neuron's direction, made when first needed.
  [[nodiscard]] const std::vector<Interval>& along_neurons() const;

 private:
  mutable std::vector<Interval> along_neurons_;
};

/// One head's extremal value along a direction, and a context that attains it.
struct CaseMaximum {
  double L = 0;
  std::vector<TokenId> back;  ///< the maximising context's tokens, query first
};

/// A case with one query token (and, with absolute positions, one length).
///
/// CASE   sum_{j<N} max_{u in B_j} w(j,u)(nu(j,u) - L) <= 0 for every N between the case's fewest
///        and most keys   |-   <g, head h's output> <= L over the case
class ReadyCase {
 public:
  ReadyCase(std::shared_ptr<const QueryWeights> query, Box box);

  [[nodiscard]] const Box& box() const { return box_; }
  [[nodiscard]] const QueryWeights& query() const { return *query_; }
  [[nodiscard]] const std::shared_ptr<const QueryWeights>& query_ref() const { return query_; }
  [[nodiscard]] const Places& places() const { return *query_->places; }
  [[nodiscard]] std::size_t fewest_keys() const { return fewest_; }
  [[nodiscard]] std::size_t most_keys() const { return most_; }

  /// The smallest number found that the outward-rounded check accepts, room included. `mid` and
  /// `radius` are nu_h of every row of Places. Throws Error(internal) when none is accepted.
  [[nodiscard]] CaseMaximum maximum(std::size_t head, const double* mid,
                                    const double* radius) const;
  /// Dinkelbach's ascent alone, to the nearest: unproved.
  [[nodiscard]] CaseMaximum ascend(std::size_t head, const double* nu, bool with_context) const;
  [[nodiscard]] bool holds(std::size_t head, const double* mid, const double* radius,
                           double L) const;
  [[nodiscard]] std::vector<CaseMaximum> maxima(const Direction& g) const;

  /// <g, x(p,c) + b_O>
  [[nodiscard]] Interval base(const std::vector<Interval>& g) const { return query_->along(g); }

  /// Entries of one slot, gathered: the set B_j with its weights.
  struct Group {
    std::vector<std::uint32_t> rows;
    TokenSet tokens;
    std::vector<std::vector<double>> lo, hi, mid;  ///< [heads][entries]
  };
  [[nodiscard]] const Group& group(std::size_t slot) const { return groups_[group_of_[slot]]; }
  [[nodiscard]] std::size_t group_index(std::size_t slot) const { return group_of_[slot]; }
  [[nodiscard]] double slot_factor(std::size_t slot, std::size_t head) const {
    return factor_mid_[slot * heads_ + head];
  }

 private:
  void gather(std::size_t slot, const TokenSet& set);

  std::shared_ptr<const QueryWeights> query_;
  Box box_;
  std::size_t heads_ = 0, fewest_ = 0, most_ = 0;
  std::vector<Group> groups_;
  std::vector<std::size_t> group_of_;
  std::vector<double> factor_mid_;
};

}  // namespace assay::bounds
