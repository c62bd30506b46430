#include "rule_level.hpp"

#include <algorithm>

#include "reject.hpp"
#include "session.hpp"
#include "sha256.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxMachine = std::size_t{64} << 20;
constexpr std::size_t kMaxPoints = 1'000'000, kMaxMoves = 50'000'000;

LevelFacts::Set& set_of(Session& session, const Step& step) {
  const DfaFact& dfa = dfa_of(session, step);
  LevelFacts& facts = session.levels();
  const auto found = facts.sets.find(step.premises[0]);
  if (found != facts.sets.end()) {
    return found->second;
  }
  return facts.sets
      .emplace(step.premises[0],
               LevelFacts::Set{LevelCone(session.spec(), dfa, facts.machine), {}, {}})
      .first->second;
}

/// s q of the first two words; q is not bad.
std::pair<std::size_t, std::size_t> read_pair(Session& session, const Step& step) {
  if (step.premises.size() != 1 || step.words.size() < 2) {
    refuse(step, "expected a DFA, then a state of the machine and one of the DFA");
  }
  const DfaFact& dfa = dfa_of(session, step);
  const std::size_t s =
      parse_nat_below(step.words[0], session.levels().machine.edges.size(), "a state");
  const std::size_t q = parse_nat_below(step.words[1], dfa.bad.size(), "a DFA state");
  if (dfa.bad[q]) {
    refuse(step, "a bad state of the DFA");
  }
  return {s, q};
}

/// Follows one point and asks that it lands in the set.
class PointMove : public LevelVisitor {
 public:
  PointMove(const Step& step, const LevelFacts::Set& set,
            const std::map<std::size_t, Exact>& values)
      : step_(step), set_(set), values_(values) {}

  void split(const LevelRow& row, const std::function<void(bool)>& next) override {
    next(row.holds(values_));
  }
  void arrive(std::size_t state, std::size_t q, const LevelUpdate& update) override {
    std::map<std::size_t, Exact> after;
    for (const auto& [level, form] : update) {
      Exact value = form.constant;
      for (const auto& [other, coefficient] : form.terms) {
        value += coefficient * values_.at(other);
      }
      after.emplace(level, value);
    }
    need_inside(step_, set_, state, q, after);
  }

  static void need_inside(const Step& step, const LevelFacts::Set& set, std::size_t state,
                          std::size_t q, const std::map<std::size_t, Exact>& values) {
    std::vector<Exact> list;
    for (const auto& [level, value] : values) {
      list.push_back(value);
    }
    const auto points = set.points.find({state, q});
    const bool is_point = points != set.points.end() && points->second.contains(list);
    if (!is_point && std::none_of(set.cells.begin(), set.cells.end(), [&](const LevelCell& c) {
          return c.state == state && c.q == q &&
                 std::all_of(c.rows.begin(), c.rows.end(),
                             [&](const LevelRow& row) { return row.holds(values); });
        })) {
      refuse(step, "values at " + std::to_string(state) + "," + std::to_string(q) +
                       " are reached but not in the set");
    }
  }

 private:
  const Step& step_;
  const LevelFacts::Set& set_;
  const std::map<std::size_t, Exact>& values_;
};

}  // namespace

LevelFacts& Session::levels() {
  if (!levels_) {
    if (!header_.machine || !inputs_.machine) {
      throw Reject("machine", "the header must list the machine and --machine give it");
    }
    const std::string text = read_file(*inputs_.machine, kMaxMachine);
    if (sha256(text) != *header_.machine) {
      throw Reject("digest", "the certificate is about another file", *inputs_.machine);
    }
    levels_ = std::make_shared<LevelFacts>(parse_machine(text, *inputs_.machine));
  }
  return *levels_;
}

// CELL: {values : every row holds} at (s, q), q not bad; the cells of a DFA are numbered from 0
void rule_cell(Session& session, const Step& step) {
  const auto [s, q] = read_pair(session, step);
  LevelFacts::Set& set = set_of(session, step);
  LevelCell cell{s, q, {}, {}};
  if (step.words.size() < 3) {
    refuse(step, "expected the number of rows");
  }
  std::size_t at = 3;
  for (std::size_t n = parse_nat(step.words[2]); n > 0; --n) {
    cell.rows.push_back(parse_row(step.words, at, session.spec().levels.size()));
    set.cone.need(step, cell.rows.back());
  }
  if (at != step.words.size()) {
    refuse(step, "words after the last row");
  }
  session.levels().cells.emplace(step.id,
                                 std::pair(std::string(step.premises[0]), set.cells.size()));
  set.cells.push_back(std::move(cell));
}

// POINT: one value for each of the property's levels at (s, q), q not bad
void rule_point(Session& session, const Step& step) {
  const auto pair = read_pair(session, step);
  LevelFacts::Set& set = set_of(session, step);
  std::vector<Exact> values;
  for (std::size_t i = 2; i < step.words.size(); ++i) {
    values.push_back(parse_exact(step.words[i]));
  }
  if (values.size() != set.cone.levels.size() || ++set.point_count > kMaxPoints) {
    refuse(step, "expected one value for each level of the property, and at most 1000000 points");
  }
  set.points[pair].insert(std::move(values));
}

// LEVEL-INV
//   the first values lie in the set at every start      every edge that goes on was shown for every cell
//   every point moves into the set                      no cell or point stands at a bad state
//   ---------------------------------------------------------------------------------------------------
//   the safety formula φ holds of every run of the machine, its levels computed exactly
void rule_level_inv(Session& session, const Step& step) {
  const DfaFact& dfa = safety_dfa(session, step);
  const LevelFacts::Set& set = set_of(session, step);
  const Spec& spec = session.spec();
  const Machine& machine = session.levels().machine;
  if (step.premises.size() != 1 || !step.words.empty()) {
    refuse(step, "expected LEVEL-INV dID :");
  }
  std::map<std::size_t, Exact> values;
  for (const std::size_t level : set.cone.levels) {
    values[level] = spec.levels[level].initial;
  }
  for (const std::size_t s : machine.start) {
    PointMove::need_inside(step, set, s, dfa.initial, values);
  }
  for (const LevelCell& cell : set.cells) {
    for (std::size_t e = 0; e < machine.edges[cell.state].size(); ++e) {
      if (machine.edges[cell.state][e].goes_on && !cell.shown.contains(e)) {
        refuse(step, "edge " + std::to_string(e) + " of state " + std::to_string(cell.state) +
                         " is not shown for every cell there");
      }
    }
  }
  std::size_t moves = 0;
  for (const auto& [pair, points] : set.points) {
    for (const std::vector<Exact>& point : points) {
      for (std::size_t i = 0; i < point.size(); ++i) {
        values[set.cone.levels[i]] = point[i];
      }
      PointMove move(step, set, values);
      for (const Machine::Edge& edge : machine.edges[pair.first]) {
        moves += std::size_t{1} << set.cone.letter.size();
        if (moves > kMaxMoves) {
          refuse(step, "more moves of points than are checked");
        }
        if (edge.goes_on) {
          move_levels(spec, dfa, set.cone, edge, pair.second, move);
        }
      }
    }
  }
  std::string names;
  for (const std::size_t level : set.cone.levels) {
    names += (names.empty() ? "" : " ") + spec.levels[level].name;
  }
  session.conclusions.push_back({step.id, "PROVED",
                                 "HOLDS of every run of the machine " +
                                     session.header().machine.value().substr(0, 16) + " (" +
                                     std::to_string(machine.edges.size()) + " states), levels " +
                                     names + " exact: all " + spec.properties[dfa.property].text});
}

}  // namespace assay_check
