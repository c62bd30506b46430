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

}  // namespace assay_check
