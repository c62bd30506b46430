#include "level_farkas.hpp"

#include <algorithm>
#include <map>

namespace assay::verify {
namespace {

constexpr std::size_t kMaxEntries = 20000;  // of a simplex tableau
constexpr std::size_t kMaxPivots = 2000;

/// Nothing satisfies it.
Row falsity() {
  return {{}, 0, true};
}

/// b of the first kind, then how strict: compared in this order.
struct Cost {
  Exact bound, slack;
  Cost& operator-=(const Cost& other) {
    bound -= other.bound;
    slack -= other.slack;
    return *this;
  }
  [[nodiscard]] Cost times(const Exact& factor) const { return {bound * factor, slack * factor}; }
  [[nodiscard]] bool is_negative() const { return bound < 0 || (bound == 0 && slack < 0); }
};

/// Minimise cost · x, A x = c, x >= 0, by Bland's rule on a dense tableau: it ends.
class Simplex {
 public:
  Simplex(std::vector<std::vector<Exact>> rows, std::vector<Exact> right)
      : rows_(std::move(rows)),
        right_(std::move(right)),
        columns_(rows_.empty() ? 0 : rows_[0].size()) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (right_[i] < 0) {
        right_[i] = -right_[i];
        for (Exact& entry : rows_[i]) {
          entry = -entry;
        }
      }
      for (std::size_t j = 0; j < rows_.size(); ++j) {
        rows_[i].push_back(i == j ? 1 : 0);  // artificial
      }
      basis_.push_back(columns_ + i);
    }
  }

  /// The minimiser; nullopt: none, or too many pivots.
  std::optional<std::vector<Exact>> minimise(const std::vector<Cost>& cost) {
    std::vector<Cost> first(columns_ + rows_.size(), Cost{0, 0});
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      first[columns_ + i].bound = 1;
    }
    if (!run(first, columns_ + rows_.size())) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (basis_[i] >= columns_ && right_[i] != 0) {
        return std::nullopt;
      }
    }
    drive_out();
    std::vector<Cost> second = cost;
    second.resize(columns_ + rows_.size(), Cost{0, 0});
    if (!run(second, columns_)) {
      return std::nullopt;
    }
    std::vector<Exact> x(columns_, 0);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (basis_[i] < columns_) {
        x[basis_[i]] = right_[i];
      }
    }
    return x;
  }

 private:
  /// An artificial of value 0 in the basis gives way where its row has an entry.
  void drive_out() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      for (std::size_t j = 0; basis_[i] >= columns_ && j < columns_; ++j) {
        if (rows_[i][j] != 0) {
          pivot(i, j);
        }
      }
    }
  }

  [[nodiscard]] Cost reduced(const std::vector<Cost>& cost, std::size_t j) const {
    Cost out = cost[j];
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i][j] != 0) {
        out -= cost[basis_[i]].times(rows_[i][j]);
      }
    }
    return out;
  }

  bool run(const std::vector<Cost>& cost, std::size_t columns) {
    for (std::size_t count = 0; count < kMaxPivots; ++count) {
      std::size_t enter = columns;
      for (std::size_t j = 0; j < columns && enter == columns; ++j) {
        if (std::find(basis_.begin(), basis_.end(), j) == basis_.end() &&
            reduced(cost, j).is_negative()) {
          enter = j;
        }
      }
      if (enter == columns) {
        return true;
      }
      std::optional<std::size_t> leave;
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (rows_[i][enter] <= 0) {
          continue;
        }
        const Exact ratio = right_[i] / rows_[i][enter];
        const Exact best = leave ? Exact(right_[*leave] / rows_[*leave][enter]) : ratio;
        if (!leave || ratio < best || (ratio == best && basis_[i] < basis_[*leave])) {
          leave = i;
        }
      }
      if (!leave) {
        return false;  // no least value
      }
      pivot(*leave, enter);
    }
    return false;
  }

  void pivot(std::size_t row, std::size_t column) {
    const Exact factor = rows_[row][column];
    for (Exact& entry : rows_[row]) {
      entry /= factor;
    }
    right_[row] /= factor;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const Exact times = rows_[i][column];
      if (i == row || times == 0) {
        continue;
      }
      for (std::size_t j = 0; j < rows_[i].size(); ++j) {
        if (rows_[row][j] != 0) {
          rows_[i][j] -= times * rows_[row][j];
        }
      }
      right_[i] -= times * right_[row];
    }
    basis_[row] = column;
  }

  std::vector<std::vector<Exact>> rows_;
  std::vector<Exact> right_;
  std::size_t columns_;
  std::vector<std::size_t> basis_;
};

}  // namespace

void LevelRows::push(Row row) {
  const std::size_t index = rows_.size();
  Saved saved{by_level_.size(), {}, {}};
  for (const auto& [level, coefficient] : row.terms) {
    by_level_[level].push_back(index);
  }
  if (row.terms.size() == 1) {
    const auto& [level, coefficient] = row.terms[0];
    saved = {level, upper_[level], lower_[level]};
    const bool above = coefficient > 0;
    std::optional<std::size_t>& best = above ? upper_[level] : lower_[level];
    const Exact now = row.bound / coefficient;
    const std::optional<Exact> old = above ? upper(level) : lower(level);
    const bool ties = old && now == *old && row.strict && !rows_[*best].strict;
    if (!old || (above ? now < *old : now > *old) || ties) {
      best = index;
    }
  }
  rows_.push_back(std::move(row));
  saved_.push_back(saved);
}

void LevelRows::pop() {
  for (const auto& [level, coefficient] : rows_.back().terms) {
    by_level_[level].pop_back();
  }
  const Saved& saved = saved_.back();
  if (saved.level < by_level_.size()) {
    upper_[saved.level] = saved.upper;
    lower_[saved.level] = saved.lower;
  }
  saved_.pop_back();
  rows_.pop_back();
}

std::optional<Exact> LevelRows::upper(std::size_t level) const {
  if (!upper_[level]) {
    return std::nullopt;
  }
  const Row& row = rows_[*upper_[level]];
  return row.bound / row.terms[0].second;
}

std::optional<Exact> LevelRows::lower(std::size_t level) const {
  if (!lower_[level]) {
    return std::nullopt;
  }
  const Row& row = rows_[*lower_[level]];
  return row.bound / row.terms[0].second;
}

/// Each level of goal − with is bounded by its tightest single-level row.
std::optional<Multipliers> LevelRows::by_boxes(const Row& goal,
                                               std::optional<std::size_t> with) const {
  std::map<std::size_t, Exact> factors;
  Sum sum;
  sum.add(goal.terms, 1);
  if (with) {
    sum.add(rows_[*with].terms, -1);
    factors[*with] += 1;
  }
  for (const auto& [level, coefficient] : sum.take()) {
    const std::optional<std::size_t> row = coefficient > 0 ? upper_[level] : lower_[level];
    if (!row) {
      return std::nullopt;
    }
    factors[*row] += coefficient / rows_[*row].terms[0].second;
  }
  Multipliers out(factors.begin(), factors.end());
  if (!shows(rows_, out, goal)) {
    return std::nullopt;
  }
  return out;
}

/// The rows that share levels with the goal, or with such a row.
std::vector<std::size_t> LevelRows::connected(const Terms& goal) const {
  std::vector<bool> level_in(by_level_.size(), false), row_in(rows_.size(), false);
  std::vector<std::size_t> open;
  const auto enter = [&](const Terms& terms) {
    for (const auto& [level, coefficient] : terms) {
      if (!level_in[level]) {
        level_in[level] = true;
        open.push_back(level);
      }
    }
  };
  enter(goal);
  while (!open.empty()) {
    const std::size_t level = open.back();
    open.pop_back();
    for (const std::size_t row : by_level_[level]) {
      if (!row_in[row]) {
        row_in[row] = true;
        enter(rows_[row].terms);
      }
    }
  }
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (row_in[i]) {
      out.push_back(i);
    }
  }
  return out;
}

std::optional<Multipliers> LevelRows::by_simplex(const Row& goal,
                                                 const std::vector<std::size_t>& rows) const {
  const bool refutes = goal.terms.empty();
  std::map<std::size_t, std::size_t> line;  // of a level
  for (const std::size_t r : rows) {
    for (const auto& [level, coefficient] : rows_[r].terms) {
      line.emplace(level, line.size());
    }
  }
  for (const auto& [level, coefficient] : goal.terms) {
    if (line.count(level) == 0) {
      return std::nullopt;
    }
  }
  const std::size_t lines = line.size() + (refutes ? 1 : 0);
  if (rows.empty() || lines * (rows.size() + lines) > kMaxEntries) {
    return std::nullopt;
  }
  std::vector<std::vector<Exact>> a(lines, std::vector<Exact>(rows.size(), 0));
  std::vector<Exact> right(lines, 0);
  std::vector<Cost> cost;
  for (std::size_t j = 0; j < rows.size(); ++j) {
    const Row& row = rows_[rows[j]];
    for (const auto& [level, coefficient] : row.terms) {
      a[line.at(level)][j] = coefficient;
    }
    if (refutes) {
      a.back()[j] = 1;  // λ up to a factor
    }
    cost.push_back({row.bound, row.strict ? -1 : 0});
  }
  for (const auto& [level, coefficient] : goal.terms) {
    right[line.at(level)] = coefficient;
  }
  if (refutes) {
    right.back() = 1;
  }
  const auto x = Simplex(std::move(a), std::move(right)).minimise(cost);
  if (!x) {
    return std::nullopt;
  }
  Multipliers out;
  for (std::size_t j = 0; j < rows.size(); ++j) {
    if ((*x)[j] > 0) {
      out.emplace_back(rows[j], (*x)[j]);
    }
  }
  if (!shows(rows_, out, goal)) {
    return std::nullopt;
  }
  return out;
}

std::optional<Multipliers> LevelRows::implied(const Row& goal) const {
  if (const std::optional<bool> known = goal.decided()) {
    return *known ? std::optional<Multipliers>(Multipliers{}) : std::nullopt;
  }
  if (auto out = by_boxes(goal, std::nullopt)) {
    return out;
  }
  const std::vector<std::size_t> rows = connected(goal.terms);
  return by_simplex(goal, rows);
}

std::optional<Multipliers> LevelRows::contradiction() const {
  const Row goal = falsity();
  std::vector<std::size_t> all;
  bool single = true;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    all.push_back(r);
    single = single && rows_[r].terms.size() <= 1;
    if (rows_[r].terms.size() != 1) {
      if (auto out = by_boxes(goal, r)) {
        return out;
      }
    }
  }
  for (std::size_t level = 0; level < by_level_.size(); ++level) {
    const std::optional<Exact> most = upper(level), least = lower(level);
    if (most && least && *most <= *least) {
      if (auto out = by_boxes(goal, upper_[level])) {
        return out;
      }
    }
  }
  return single ? std::nullopt : by_simplex(goal, all);
}

bool shows(const std::vector<Row>& rows, const Multipliers& multipliers, const Row& goal) {
  Sum sum;
  Exact bound = 0;
  bool strict = false;
  for (const auto& [row, factor] : multipliers) {
    if (factor < 0) {
      return false;
    }
    sum.add(rows[row].terms, factor);
    bound += factor * rows[row].bound;
    strict = strict || (rows[row].strict && factor > 0);
  }
  return sum.take() == goal.terms &&
         (bound < goal.bound || (bound == goal.bound && (strict || !goal.strict)));
}

}  // namespace assay::verify
