#include "reject.hpp"
#include "rule_level.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxSplits = 64;  // by s, one below the other

/// Reads the tree of a STEP: at each comparison `?`, anywhere `e` (the rows so far contradict each
/// other), on arrival `c CELL` with multipliers for each of its rows, or `s ROW` to split once more.
class TreeReader : public LevelVisitor {
 public:
  TreeReader(const Step& step, const LevelFacts::Set& set, const LevelCell& cell,
             std::size_t levels)
      : step_(step), set_(set), rows_(cell.rows), levels_(levels) {}

  void split(const LevelRow& row, const std::function<void(bool)>& next) override {
    if (is_closed()) {
      return;
    }
    if (word() != "?") {
      refuse(step_, "expected ? or e at a comparison");
    }
    both(row, next);
  }

  void arrive(std::size_t state, std::size_t q, const LevelUpdate& update) override {
    if (is_closed()) {
      return;
    }
    const std::string_view how = word();
    if (how == "s") {
      const LevelRow row = parse_row(step_.words, at_, levels_);
      set_.cone.need(step_, row);
      if (++splits_ > kMaxSplits) {
        refuse(step_, "more than 64 splits by s");
      }
      both(row, [&](bool /*side*/) { arrive(state, q, update); });
      --splits_;
      return;
    }
    if (how != "c") {
      refuse(step_, "expected c, s or e on arrival");
    }
    const LevelCell& to = set_.cells[parse_nat_below(word(), set_.cells.size(), "a cell")];
    if (to.state != state || to.q != q) {
      refuse(step_, "the cell stands at another pair of states");
    }
    for (const LevelRow& row : to.rows) {
      need_shown(row.before(update));
    }
  }

  void finish() const {
    if (at_ != step_.words.size()) {
      refuse(step_, "words after the last case");
    }
  }
  std::string_view word() {
    if (at_ >= step_.words.size()) {
      refuse(step_, "the words end before the last case");
    }
    return step_.words[at_++];
  }

 private:
  void both(const LevelRow& row, const std::function<void(bool)>& next) {
    for (const bool side : {true, false}) {
      rows_.push_back(side ? row : row.negated());
      next(side);
      rows_.pop_back();
    }
  }
  bool is_closed() {
    const bool closed = at_ < step_.words.size() && step_.words[at_] == "e";
    if (closed) {
      ++at_;
      need_shown({{}, 0, true});  // 0 < 0
    }
    return closed;
  }

  /// k i λ …: Σ λ_i row_i is the goal's left side, and its bound is as small.
  void need_shown(const LevelRow& goal) {
    LevelTerms terms;
    Exact bound = 0;
    bool strict = false;
    for (std::size_t k = parse_nat(word()); k > 0; --k) {
      const LevelRow& row = rows_[parse_nat_below(word(), rows_.size(), "a row")];
      const Exact factor = parse_exact(word());
      if (factor <= 0) {
        refuse(step_, "a multiplier that is not above 0");
      }
      add_terms(terms, row.terms, factor);
      bound += factor * row.bound;
      strict = strict || row.strict;
    }
    if (terms != goal.terms || bound > goal.bound ||
        (bound == goal.bound && goal.strict && !strict)) {
      refuse(step_, "the multiples do not add up to the row");
    }
  }

  const Step& step_;
  const LevelFacts::Set& set_;
  std::vector<LevelRow> rows_;
  std::size_t levels_, at_ = 0, splits_ = 0;
};

}  // namespace

// STEP
//   for every letter of the edge and every way its comparisons fall, multiples of the cell's rows and of
//   what was decided add up to a contradiction, or to every row of one cell where it leads
//   ----------------------------------------------------------------------------------------------
//   from the cell the edge leads into cells
void rule_step(Session& session, const Step& step) {
  LevelFacts& facts = session.levels();
  const auto named =
      step.premises.size() == 1 ? facts.cells.find(step.premises[0]) : facts.cells.end();
  if (named == facts.cells.end()) {
    refuse(step, "the premise is not a CELL");
  }
  const auto& [dfa, number] = named->second;
  LevelFacts::Set& set = facts.sets.at(dfa);
  LevelCell& cell = set.cells[number];
  TreeReader reader(step, set, cell, session.spec().levels.size());
  const auto& edges = facts.machine.edges[cell.state];
  const std::size_t edge = parse_nat_below(reader.word(), edges.size(), "an edge of the state");
  move_levels(session.spec(), session.automata.at(dfa), set.cone, edges[edge], cell.q, reader);
  reader.finish();
  cell.shown.insert(edge);
}

}  // namespace assay_check
