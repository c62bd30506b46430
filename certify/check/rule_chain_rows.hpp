#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "facts.hpp"

namespace assay_check {

/// Probabilities in units of 2^-40.
using Units = std::uint64_t;
inline constexpr Units kWhole = Units{1} << 40;

struct ChanceEdge {
  std::uint32_t to = 0;
  Units lo = 0, hi = 0;
};

/// The rows of an interval chain: any p with lo <= p <= hi and Σ p = 1 may be picked at every visit.
class ChanceRows {
 public:
  /// The row of the next state. Reject, in the step's name, unless lo <= hi <= 1, the targets differ
  /// and Σ lo <= 1 <= Σ hi.
  void add(std::vector<ChanceEdge> row, std::string_view rule);
  [[nodiscard]] std::size_t size() const { return begin_.size() - 1; }
  [[nodiscard]] std::size_t edges() const { return edges_.size(); }
  [[nodiscard]] std::span<const ChanceEdge> at(std::size_t s) const {
    return std::span(edges_).subspan(begin_[s], begin_[s + 1] - begin_[s]);
  }

 private:
  std::vector<std::size_t> begin_{0};
  std::vector<ChanceEdge> edges_;
};

/// The least k with Σ p v <= k, and the greatest with Σ p v >= k, for every p of the row. @pre every target is below v.size().
[[nodiscard]] Units least_above(std::span<const ChanceEdge> row, const std::vector<Units>& v);
[[nodiscard]] Units greatest_below(std::span<const ChanceEdge> row, const std::vector<Units>& v);
/// Whether every p of the row gives more than 0 to the states with a rank below `below`.
[[nodiscard]] bool always_enters(std::span<const ChanceEdge> row,
                                 const std::vector<std::uint32_t>& rank, std::uint32_t below);

/// k / 2^40 against num/den, exactly.
[[nodiscard]] bool is_at_most(Units k, const Fraction& p);
[[nodiscard]] bool is_at_least(Units k, const Fraction& p);

/// The least number of units that is not below p; at most 2^40.
[[nodiscard]] Units units_above(double p);
/// A number of units, at most 2^40, from a certificate's word.
[[nodiscard]] Units parse_units(std::string_view word);

}  // namespace assay_check
