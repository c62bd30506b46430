#pragma once

#include <cstdint>
#include <string>

#include "assay/base/rational.hpp"

namespace assay::certify {

/// Ends in millionths, as a claim states them.
struct StatedInterval {
  std::uint32_t lo = 0, hi = 1000000;
};
/// "0.031250", from 0 to 1. Throws InputError on any other form.
[[nodiscard]] std::uint32_t parse_millionths(const std::string& text);

/// Whether the ends are those of the two-sided Clopper-Pearson interval of k (lower end) and k + undecided (upper
/// end) of n at alpha: the tails there are at most alpha / 2, and no longer so two millionths further in. In integers with
/// directed rounding, sharing nothing with the computation that made them. Empty when they are; else what is wrong.
[[nodiscard]] std::string interval_fault(std::uint64_t n, std::uint64_t k, std::uint64_t undecided,
                                         const Rational& alpha, const StatedInterval& stated);

/// Runs that an interval is recomputed for.
inline constexpr std::uint64_t kMostTrials = 10'000'000;

}  // namespace assay::certify
