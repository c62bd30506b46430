#pragma once

#include <vector>

#include "elementary.hpp"
#include "erased.hpp"

namespace assay_check {

/// Rows of each independent unit (term `unit`: document or row), the units in the order of the digests of their
/// numbers, which nothing in the data decides.
[[nodiscard]] std::vector<std::vector<std::size_t>> units_of(const ErasedRows& rows,
                                                             const Step& step,
                                                             const ErasureClaim& claim);
/// One row of each unit, at a place drawn by a digest too.
[[nodiscard]] std::vector<std::size_t> drawn_rows(
    const std::vector<std::vector<std::size_t>>& units);

/// Reject unless the statement has a ledger, the eraser names the rows of its fit, these are not among them, and
/// 0 < alpha < 1.
[[nodiscard]] Fraction statistical_alpha(const Session& session, const Step& step,
                                         const ErasureClaim& claim, const ErasedRows& rows);
/// "N documents|rows, independent and alike", and what the confidence takes as given.
[[nodiscard]] std::string drawn_units(std::size_t n, bool documents);
/// ln(parts / alpha)
[[nodiscard]] Interval log_of(const Fraction& alpha, int parts);

/// CHERNOFF: of a mean `seen` of n independent numbers in [0, size²], l = ln(1/a): their expectation is at most
/// ((k + √(k² + 4 seen))/2)², k = √(2 size² l/n), but with probability a. Its root.
[[nodiscard]] Interval root_of_mean(const Interval& seen, const Interval& size, const Interval& l,
                                    std::size_t n);

/// BERNSTEIN: n independent numbers <= size whose mean square has the root at most `root`: their mean is above
/// their expectation by more than this but with probability a, l = ln(1/a).
[[nodiscard]] Interval room(const Interval& root, const Interval& size, const Interval& l,
                            std::size_t n);

/// NOISE: 1 − 2h, where the claim has the term `noise` h, 0 < h < 1/2, of the one label of its rows; else 1.
[[nodiscard]] Interval share_without_noise(const Step& step, const ErasureClaim& claim,
                                           const ErasedRows& rows);
/// "label C", or "the true label …" with noise.
[[nodiscard]] std::string label_meant(const ErasureClaim& claim);

}  // namespace assay_check
