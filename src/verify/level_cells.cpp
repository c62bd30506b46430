#include "level_cells.hpp"

#include <algorithm>
#include <deque>

namespace assay::verify {
namespace {

constexpr std::size_t kMaxSplits = 6;  // on rows of target cells, one after the other

std::string multiplier_words(const Multipliers& multipliers) {
  std::string out = " " + std::to_string(multipliers.size());
  for (const auto& [row, factor] : multipliers) {
    out += " " + std::to_string(row) + " " + exact_text(factor);
  }
  return out;
}

/// Cells by control.
std::vector<std::vector<std::size_t>> by_control(const LevelSystem& system,
                                                 const std::vector<LevelCell>& cells) {
  std::vector<std::vector<std::size_t>> out(system.controls.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out[cells[i].control].push_back(i);
  }
  return out;
}

/// Writes the tree of one cell and edge.
class TreeProof {
 public:
  TreeProof(const LevelSystem& system, const std::vector<LevelCell>& cells,
            const std::vector<std::vector<std::size_t>>& at)
      : cells_(cells), at_(at), names_(system.levels), rows_(system.levels.size()) {}

  std::optional<std::string> prove(std::size_t cell, const LevelSystem::Control& control,
                                   std::size_t edge) {
    words_.clear();
    for (const Row& row : cells_[cell].rows) {
      rows_.push(row);
    }
    bool good = true;
    for (const LevelBranch& branch : control.branches) {
      good = good && (branch.edge != edge || prove(*branch.root));
    }
    while (!rows_.rows().empty()) {
      rows_.pop();
    }
    return good ? std::optional<std::string>(words_) : std::nullopt;
  }

 private:
  bool refuted() {
    const std::optional<Multipliers> m = rows_.contradiction();
    if (m) {
      words_ += " e" + multiplier_words(*m);
    }
    return m.has_value();
  }

  bool prove(const LevelNode& node) {
    if (node.is_leaf()) {
      return prove_leaf(node, kMaxSplits);
    }
    words_ += " ?";
    return under(node.split, [&] { return refuted() || prove(*node.yes); }) &&
           under(node.split.negated(), [&] { return refuted() || prove(*node.no); });
  }

  template <class Then>
  bool under(const Row& row, const Then& then) {
    rows_.push(row);
    const bool good = then();
    rows_.pop();
    return good;
  }

  /// Into one cell; or, split on a row that fails, its two sides each into one.
  bool prove_leaf(const LevelNode& leaf, std::size_t splits) {
    std::optional<Row> failing;
    for (const std::size_t c : at_[leaf.to]) {
      std::string words = " c " + std::to_string(c);
      bool inside = true;
      for (const Row& row : cells_[c].rows) {
        const Row before = row.before(leaf.update);
        const std::optional<Multipliers> m = rows_.implied(before);
        if (!m) {
          inside = false;
          failing = failing ? failing : before;
          break;
        }
        words += multiplier_words(*m);
      }
      if (inside) {
        words_ += words;
        return true;
      }
    }
    if (refuted()) {
      return true;
    }
    if (!failing || at_[leaf.to].size() < 2 || splits == 0 || failing->terms.empty()) {
      return false;
    }
    words_ += " s " + row_text(*failing, names_);
    const auto side = [&] { return prove_leaf(leaf, splits - 1); };
    return under(*failing, side) && under(failing->negated(), side);
  }

  const std::vector<LevelCell>& cells_;
  const std::vector<std::vector<std::size_t>>& at_;
  const std::vector<std::size_t>& names_;
  LevelRows rows_;
  std::string words_;
};

/// Drops from the targets of one control what its steps do not show.
class Weakening {
 public:
  Weakening(const LevelSystem& system, std::vector<LevelCell>& cells)
      : system_(system), cells_(cells), cell_at_(system.controls.size()) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cell_at_[cells[i].control] = i;
    }
  }

  void run() {
    std::deque<std::size_t> open;
    std::vector<bool> waits(cells_.size(), true);
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      open.push_back(i);
    }
    while (!open.empty()) {
      const std::size_t cell = open.front();
      open.pop_front();
      waits[cell] = false;
      changed_.clear();
      LevelRows rows(system_.levels.size());
      for (const Row& row : cells_[cell].rows) {
        rows.push(row);
      }
      for (const LevelBranch& branch : system_.controls[cells_[cell].control].branches) {
        walk(*branch.root, rows, true);
      }
      for (const std::size_t target : changed_) {
        if (!waits[target]) {
          waits[target] = true;
          open.push_back(target);
        }
      }
    }
  }

 private:
  void walk(const LevelNode& node, LevelRows& rows, bool fresh) {
    if (!fresh && rows.contradiction()) {
      return;
    }
    if (!node.is_leaf()) {
      rows.push(node.split);
      walk(*node.yes, rows, false);
      rows.pop();
      rows.push(node.split.negated());
      walk(*node.no, rows, false);
      rows.pop();
      return;
    }
    if (!cell_at_[node.to]) {
      return;
    }
    const std::size_t target = *cell_at_[node.to];
    std::vector<Row>& kept = cells_[target].rows;
    const std::size_t before = kept.size();
    kept.erase(std::remove_if(kept.begin(), kept.end(),
                              [&](const Row& row) {
                                return !rows.implied(row.before(node.update)).has_value();
                              }),
               kept.end());
    if (kept.size() != before) {
      changed_.push_back(target);
    }
  }

  const LevelSystem& system_;
  std::vector<LevelCell>& cells_;
  std::vector<std::optional<std::size_t>> cell_at_;
  std::vector<std::size_t> changed_;
};

}  // namespace

std::optional<std::vector<LevelStepProof>> prove_cells(const LevelSystem& system,
                                                       const std::vector<LevelCell>& cells) {
  const std::vector<std::vector<std::size_t>> at = by_control(system, cells);
  for (const std::size_t start : system.start) {
    const bool inside = std::any_of(at[start].begin(), at[start].end(), [&](std::size_t c) {
      return std::all_of(cells[c].rows.begin(), cells[c].rows.end(),
                         [&](const Row& row) { return row.holds(system.initial); });
    });
    if (!inside) {
      return std::nullopt;
    }
  }
  TreeProof tree(system, cells, at);
  std::vector<LevelStepProof> out;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const LevelSystem::Control& control = system.controls[cells[c].control];
    if (control.bad) {
      return std::nullopt;
    }
    for (std::size_t b = 0; b < control.branches.size(); ++b) {
      const std::size_t edge = control.branches[b].edge;
      if (b > 0 && control.branches[b - 1].edge == edge) {
        continue;
      }
      std::optional<std::string> words = tree.prove(c, control, edge);
      if (!words) {
        return std::nullopt;
      }
      out.push_back({c, edge, std::move(*words)});
    }
  }
  return out;
}

std::vector<LevelCell> keep_inductive(const LevelSystem& system, std::vector<LevelCell> proposed) {
  for (LevelCell& cell : proposed) {  // what a start does not satisfy is no invariant there
    const bool starts =
        std::find(system.start.begin(), system.start.end(), cell.control) != system.start.end();
    cell.rows.erase(
        std::remove_if(cell.rows.begin(), cell.rows.end(),
                       [&](const Row& row) { return starts && !row.holds(system.initial); }),
        cell.rows.end());
  }
  Weakening(system, proposed).run();
  return proposed;
}

}  // namespace assay::verify
