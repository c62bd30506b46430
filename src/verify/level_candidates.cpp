#include "level_candidates.hpp"

#include <algorithm>

#include "level_boxes.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kMaxRows = 200;   // at one control, of those that look ahead
constexpr std::size_t kMaxLevels = 64;  // to look ahead

/// The same row, the first coefficient of size 1.
Row normalised(Row row) {
  if (row.terms.empty()) {
    return row;
  }
  const Exact factor = abs(row.terms[0].second);
  for (auto& [level, coefficient] : row.terms) {
    coefficient /= factor;
  }
  row.bound /= factor;
  return row;
}

void add_new(std::vector<Row>& rows, Row row, std::size_t most) {
  row = normalised(std::move(row));
  if (rows.size() < most && !row.terms.empty() &&
      std::find(rows.begin(), rows.end(), row) == rows.end()) {
    rows.push_back(std::move(row));
  }
}

/// Calls `leaf(leaf, path)` for every leaf of the tree; `path` are the rows of the splits.
template <class Leaf>
void for_leaves(const LevelNode& node, std::vector<Row>& path, const Leaf& leaf) {
  if (node.is_leaf()) {
    leaf(node, path);
    return;
  }
  path.push_back(node.split);
  for_leaves(*node.yes, path, leaf);
  path.back() = node.split.negated();
  for_leaves(*node.no, path, leaf);
  path.pop_back();
}

/// What keeps the next k - 1 steps from a bad control: [controls].
std::vector<std::vector<Row>> look_ahead(const LevelSystem& system, std::size_t k) {
  std::vector<std::vector<Row>> out(system.controls.size());
  const auto for_all = [&](const auto& leaf) {
    for (std::size_t c = 0; c < system.controls.size(); ++c) {
      for (const LevelBranch& branch : system.controls[c].branches) {
        std::vector<Row> path;
        for_leaves(*branch.root, path, [&](const LevelNode& node, const std::vector<Row>& rows) {
          leaf(c, node, rows);
        });
      }
    }
  };
  for_all([&](std::size_t c, const LevelNode& leaf, const std::vector<Row>& path) {
    if (system.controls[leaf.to].bad) {
      for (const Row& row : path) {
        add_new(out[c], row.negated(), kMaxRows);
      }
    }
  });
  for (std::size_t step = 2; step < k; ++step) {
    const std::vector<std::vector<Row>> last = out;
    for_all([&](std::size_t c, const LevelNode& leaf, const std::vector<Row>& /*path*/) {
      for (const Row& row : last[leaf.to]) {
        add_new(out[c], row.before(leaf.update), kMaxRows);
      }
    });
  }
  return out;
}

}  // namespace

std::vector<LevelCell> propose_cells(const spec::Spec& spec, const LevelSystem& system,
                                     std::size_t k) {
  const std::vector<LevelBox> boxes = level_boxes(spec, system);
  const std::vector<Row> comparisons = level_comparisons(spec, system);
  const bool ahead = k > 1 && system.levels.size() <= kMaxLevels;
  const std::vector<std::vector<Row>> looked =
      ahead ? look_ahead(system, k) : std::vector<std::vector<Row>>(system.controls.size());
  std::vector<LevelCell> out;
  for (std::size_t c = 0; c < system.controls.size(); ++c) {
    if (!boxes[c].met || system.controls[c].bad) {
      continue;
    }
    LevelCell cell{c, box_rows(boxes[c])};
    const std::size_t most = cell.rows.size() + 2 * comparisons.size() + kMaxRows;
    for (const Row& row : comparisons) {
      add_new(cell.rows, row, most);
      add_new(cell.rows, row.negated(), most);
    }
    for (const Row& row : looked[c]) {
      add_new(cell.rows, row, most);
    }
    out.push_back(std::move(cell));
  }
  return out;
}

}  // namespace assay::verify
