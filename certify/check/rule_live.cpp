#include <algorithm>
#include <span>

#include "pair_set.hpp"
#include "tableau.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxBuchi = 4000, kMaxWork = 1'000'000'000;

/// What a Büchi automaton asks of pairs whose number is a rank.
class RankMonitor {
 public:
  explicit RankMonitor(const BuchiFact& buchi) : atoms(buchi.atoms), buchi_(buchi) {}
  const std::vector<std::size_t>& atoms;
  [[nodiscard]] std::span<const std::size_t> initial() const { return buchi_.initial; }
  [[nodiscard]] static std::int64_t first() { return INT64_MAX; }
  [[nodiscard]] bool is_refused(std::size_t q) const { return q >= buchi_.accepting.size(); }
  [[nodiscard]] static bool is_settled(std::size_t /*q*/) { return false; }
  [[nodiscard]] std::span<const std::size_t> next(std::size_t q, std::size_t letter) const {
    return buchi_.table[(q << atoms.size()) + letter];
  }
  [[nodiscard]] std::int64_t latest(std::size_t q, std::size_t rank) const {
    return static_cast<std::int64_t>(rank) - (buchi_.accepting[q] ? 1 : 0);
  }

 private:
  const BuchiFact& buchi_;
};

/// The tableau's states and, by letter of the property, what follows them.
struct Explored {
  std::vector<bool> accepting;
  std::vector<std::vector<std::size_t>> table;
};

Explored explored(Tableau& tableau, const std::vector<std::size_t>& atoms) {
  Explored out;
  const std::size_t letters = std::size_t{1} << atoms.size();
  for (std::size_t s = 0; s < tableau.size(); ++s) {  // grows
    for (std::size_t letter = 0; letter < letters; ++letter) {
      out.table.push_back(tableau.next(s, spread_letter(letter, atoms)));
    }
    out.accepting.push_back(tableau.is_accepting(s));
  }
  return out;
}

/// Some endless run violates the property, or holding would say nothing.
void need_violable(const Step& step, const Explored& own, std::size_t letters) {
  std::vector<std::vector<std::size_t>> next(own.accepting.size());
  for (std::size_t i = 0; i < own.table.size(); ++i) {
    next[i / letters].insert(next[i / letters].end(), own.table[i].begin(), own.table[i].end());
  }
  if (!has_accepting_cycle(next, own.accepting)) {
    refuse(step, "no run can violate the property: holding would say nothing");
  }
}

/// SIMULATION: the greatest relation in which x ~ y only if y accepts where x does and, for every letter, every x'
/// after x has some y' after y with x' ~ y'. Every initial x must have an initial y with x ~ y.
void need_simulation(const Step& step, const Tableau& tableau, const Explored& own,
                     const BuchiFact& given) {
  const std::size_t mine = own.accepting.size(), theirs = given.accepting.size();
  const std::size_t letters = std::size_t{1} << given.atoms.size();
  std::vector<std::vector<bool>> like(mine, std::vector<bool>(theirs));
  for (std::size_t x = 0; x < mine; ++x) {
    for (std::size_t y = 0; y < theirs; ++y) {
      like[x][y] = given.accepting[y] || !own.accepting[x];
    }
  }
  std::size_t work = 0;
  const auto is_matched = [&](std::size_t x, std::span<const std::size_t> among) {
    work += among.size() + 1;
    return std::any_of(among.begin(), among.end(), [&](std::size_t y) { return like[x][y]; });
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t x = 0; x < mine; ++x) {
      for (std::size_t y = 0; y < theirs; ++y) {
        for (std::size_t a = 0; a < letters && like[x][y]; ++a) {
          for (const std::size_t to : own.table[x * letters + a]) {
            if (!is_matched(to, given.table[y * letters + a])) {
              like[x][y] = false;
              changed = true;
            }
          }
        }
      }
      if (work > kMaxWork) {
        refuse(step, "the automaton and the formula together are over the limit");
      }
    }
  }
  for (const std::size_t x : tableau.initial()) {
    if (!is_matched(x, given.initial)) {
      refuse(step, "the automaton misses runs that violate the property");
    }
  }
}

std::vector<std::size_t> states_of(std::string_view word, std::size_t states) {
  std::vector<std::size_t> out;
  if (word != "-") {
    for (const std::uint32_t s : parse_set(word).tokens(states)) {
      out.push_back(s);
    }
  }
  return out;
}

}  // namespace

// BUCHI   I SET A SET T SET … (a set may be -), about the endless runs of ¬φ
//   the tableau of ¬φ accepts exactly the endless runs that violate φ       the automaton simulates it
//   --------------------------------------------------------------------------------------------------
//   the automaton accepts every endless run that violates φ
void rule_buchi(Session& session, const Step& step) {
  if (step.premises.size() != 1 || step.words.size() < 6 || step.words[1] != "I" ||
      step.words[3] != "A" || step.words[5] != "T") {
    refuse(step, "expected BUCHI PROP : states I SET A SET T SET …");
  }
  BuchiFact fact;
  fact.property = session.property(step.premises[0]);
  const SpecProperty& property = session.spec().properties[fact.property];
  fact.atoms = atoms_of(step, property);
  const std::size_t states = parse_nat_below(step.words[0], kMaxBuchi + 1, "the number of states");
  if (step.words.size() - 6 != states << fact.atoms.size()) {
    refuse(step, "the table does not have states x 2^aps entries");
  }
  fact.initial = states_of(step.words[2], states);
  fact.accepting.resize(states);
  for (const std::size_t s : states_of(step.words[4], states)) {
    fact.accepting[s] = true;
  }
  for (std::size_t i = 6; i < step.words.size(); ++i) {
    fact.table.push_back(states_of(step.words[i], states));
  }
  Formulas& formulas = session.spec().formulas;
  Tableau tableau(formulas, formulas.negate(property.formula));
  const Explored own = explored(tableau, fact.atoms);
  need_violable(step, own, std::size_t{1} << fact.atoms.size());
  need_simulation(step, tableau, own, fact);
  session.buchi.emplace(step.id, std::move(fact));
}

// LIVE
//   (u, q) in I for the end u of every prompt and every initial q          no horizon, and no run ends
//   (u·t, q') in I with r(u·t, q') <= r(u, q), and < where q is accepting, for every (u, q) in I, every token
//   t that the decoder does not surely drop after u, every letter ℓ of u·t and every q' after q by ℓ
//   --------------------------------------------------------------------------------------------------------
//   no way of a run through the automaton accepts for ever: φ holds of every endless run of the model
void rule_live(Session& session, const Step& step) {
  const auto found = step.premises.size() == 1 && step.words.empty()
                         ? session.buchi.find(std::string(step.premises[0]))
                         : session.buchi.end();
  if (found == session.buchi.end() || found->second.property != session.property(step.id)) {
    refuse(step, "expected LIVE bID : with a BUCHI of this property");
  }
  const SpecProperty& property = session.spec().properties[found->second.property];
  const Runs& runs = session.runs();
  if (runs.max_new || runs.emission.mask == Emission::Mask::after) {
    refuse(step, "runs that end: expected max-new any, and no allow-list after the decoder");
  }
  read_every_atom(session);
  const Network& net = session.attention().net();
  PairSet pairs(session, step, RankMonitor(found->second), session.windows().pairs[found->first]);
  pairs.check(net.window, net.d_vocab);
  session.conclusions.push_back({step.id, "PROVED",
                                 property.of_all_runs("endless run") + runs.words + " (" +
                                     std::to_string(pairs.size()) +
                                     " pairs): " + property.claim()});
}

}  // namespace assay_check
