#pragma once

#include <optional>
#include <vector>

#include "ready_case.hpp"

namespace assay::bounds {

/// HEADS of docs/certificate-format.md: what proves an upper bound of sum_h <g, head h's output>.
struct HeadNumbers {
  std::vector<double> L;  ///< [heads]
  std::vector<double>
      theta;  ///< [heads * most keys], the head's largest weight being 1; empty: the heads apart
};

/// Heads that share one context.
///
/// ATTN-JOINT   D_h(j,u) = w_h(j,u) + sum_{i<N, i!=j} w_h(i,u_i) in [lo, hi] over the case; psi(t) the larger of t/lo and t/hi
///   |-   sum_h <g, out_h> <= max over N of  sum_h ( L_h + psi_h( sum_{j<N} theta_hj ) )
///                                         + sum_{j<N} max_{u in B_j} sum_h psi_h,j,u( w_h(j,u)(nu_h(j,u) - L_h) - theta_hj )
/// for any L and theta: sound for every choice, so the search needs no proof.
class JointAttention {
 public:
  /// nullopt: one head, more entries than pay, or weight sums that a double does not enclose.
  [[nodiscard]] static std::optional<JointAttention> make(const ReadyCase& ready);

  /// 1/D of one number of keys: per head, and per head and entry.
  struct Rates {
    std::size_t keys = 0;
    std::vector<double> all_lo, all_hi;  ///< [heads]
    std::vector<double> lo, hi;          ///< [heads][entries]
  };

  /// nu of every head at every (slot, token) of the case: [heads][entries].
  using Values = std::vector<double>;
  [[nodiscard]] Values gather(const std::vector<Row>& nu) const;
  [[nodiscard]] Values gather(const std::vector<Ball>& nu) const;

  /// The linear piece that is active at a point.
  struct Piece {
    double value = 0;
    std::size_t keys = 0;
    std::vector<std::size_t> chosen;  ///< entry within each slot's set
    std::vector<double> mass;         ///< d value / d nu_h(j, chosen): [heads * most keys]
    std::vector<double> by_L, by_theta;
  };
  /// To the nearest.
  [[nodiscard]] Piece evaluate(const Values& nu, const HeadNumbers& at) const;

  /// The best common context that coordinate ascent finds, to the nearest.
  struct Common {
    double value = 0;
    std::size_t keys = 0;
    std::vector<std::size_t> chosen;
    HeadNumbers at;  ///< its ratios and terms; exact where one position is free and one length
  };
  [[nodiscard]] Common climb(const Values& nu) const;

  /// Good numbers: the better of the heads apart (with these L) and of the best common context, then `steps` subgradient steps.
  [[nodiscard]] HeadNumbers search(const Values& nu, const std::vector<double>& apart,
                                   const Common& common, std::size_t steps, int bits) const;
  /// The heads apart, in the form of the rule: never worse than their sum.
  [[nodiscard]] HeadNumbers from_apart(const Values& nu, const std::vector<double>& L) const;
  /// Shortens the numbers to a grid of 2^-bits of these values' size.
  void shorten(const Values& nu, int bits, HeadNumbers& at) const;

  /// Numbers of a case that contains this one, in this one's unit of theta: they prove no more here than there.
  [[nodiscard]] HeadNumbers adopted(HeadNumbers numbers, const JointAttention& from) const;

  /// The bound, outward-rounded, with room for a checker; +inf when a double cannot hold it.
  [[nodiscard]] double proved(const std::vector<Ball>& nu, const HeadNumbers& at) const;

  /// @pre is_one_length()
  [[nodiscard]] const Rates& rates() const { return lengths_.front(); }
  /// Of theta: the head's largest weight.
  [[nodiscard]] double unit(std::size_t head) const { return unit_[head]; }
  [[nodiscard]] std::size_t heads() const { return heads_; }
  [[nodiscard]] std::size_t most_keys() const { return slots_; }
  [[nodiscard]] std::size_t entries() const { return rows_.size(); }
  /// Positions with more than one token.
  [[nodiscard]] std::size_t free_slots() const { return free_; }
  [[nodiscard]] bool is_one_length() const { return lengths_.size() == 1; }
  [[nodiscard]] std::size_t begin(std::size_t slot) const { return begin_[slot]; }
  [[nodiscard]] std::uint32_t row(std::size_t entry) const { return rows_[entry]; }
  [[nodiscard]] TokenId token(std::size_t entry) const { return tokens_[entry]; }
  [[nodiscard]] double weight(std::size_t head, std::size_t entry) const {
    return mid_[head * rows_.size() + entry];
  }

 private:
  explicit JointAttention(const ReadyCase& ready);
  [[nodiscard]] bool fill(Rates& length) const;
  double at_length(const Rates& length, const Values& nu, const HeadNumbers& at,
                   std::vector<std::size_t>* chosen) const;
  struct Sums;
  void add_head(std::size_t head, const Rates& length, const Ball& nu, const HeadNumbers& at,
                Sums& sums) const;
  double proved_at(const Rates& length, const std::vector<Ball>& nu, const HeadNumbers& at) const;
  void ascend(Common& common, const Values& nu) const;

  std::size_t heads_ = 0, slots_ = 0, free_ = 0;
  std::vector<std::size_t> begin_;  ///< of each slot's entries, and the end
  std::vector<std::uint32_t> rows_;
  std::vector<TokenId> tokens_;
  std::vector<double> lo_, hi_, mid_;  ///< weights, [heads][entries]
  std::vector<double> unit_;           ///< the largest weight, of the case's every slot: [heads]
  double unevenness_ = 1;
  std::vector<Rates> lengths_;
};

}  // namespace assay::bounds
