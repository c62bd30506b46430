#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "level_row.hpp"

namespace assay::verify {

/// Row number and its factor > 0, ascending.
using Multipliers = std::vector<std::pair<std::size_t, Exact>>;

/// Rows that hold together, and what follows from them by adding multiples (Farkas):
///
///   Σ λ_i (a_i x) = g x     Σ λ_i b_i <= c, or < where a strict row is added     λ >= 0
///   -----------------------------------------------------------------------------------
///   g x <= c  (< c where the sum is less or a strict row is added)
///
/// An exact simplex over the few rows that share levels with the goal; single-level rows first, which
/// decides boxes in one pass.
class LevelRows {
 public:
  explicit LevelRows(std::size_t levels) : by_level_(levels), upper_(levels), lower_(levels) {}

  void push(Row row);
  void pop();
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

  /// nullopt: not found, which means little when the problem is large.
  [[nodiscard]] std::optional<Multipliers> implied(const Row& goal) const;
  /// The rows hold of no values.
  [[nodiscard]] std::optional<Multipliers> contradiction() const;
  /// The tightest single-level bounds, where there are.
  [[nodiscard]] std::optional<Exact> upper(std::size_t level) const;
  [[nodiscard]] std::optional<Exact> lower(std::size_t level) const;

 private:
  struct Saved {
    std::size_t level;
    std::optional<std::size_t> upper, lower;
  };
  [[nodiscard]] std::optional<Multipliers> by_boxes(const Row& goal,
                                                    std::optional<std::size_t> with) const;
  [[nodiscard]] std::vector<std::size_t> connected(const Terms& goal) const;
  [[nodiscard]] std::optional<Multipliers> by_simplex(const Row& goal,
                                                      const std::vector<std::size_t>& rows) const;

  std::vector<Row> rows_;
  std::vector<std::vector<std::size_t>> by_level_;         ///< rows that name the level
  std::vector<std::optional<std::size_t>> upper_, lower_;  ///< tightest single-level rows
  std::vector<Saved> saved_;
};

/// What the multipliers add up to shows the goal; a goal 0 <= -1 is a contradiction.
[[nodiscard]] bool shows(const std::vector<Row>& rows, const Multipliers& multipliers,
                         const Row& goal);

}  // namespace assay::verify
