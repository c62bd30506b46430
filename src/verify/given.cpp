#include "assay/verify/given.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "assay/base/errors.hpp"
#include "assay/spec/acceptor.hpp"
#include "assay/spec/buchi.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/vacuity.hpp"
#include "given_endless.hpp"
#include "given_machine.hpp"
#include "machine_files.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kMaxPairs = 64000000;

using automata::Hoa;

/// Breadth-first over (machine state, property state).
class Search {
 public:
  Search(const GivenMachine& machine, const spec::Dfa& dfa, const std::vector<std::size_t>& bit_of)
      : machine_(machine), dfa_(dfa), bit_of_(bit_of) {}

  /// A shortest run to a pair whose property state is bad; finite runs must end there.
  std::optional<std::vector<GivenStep>> run_to_bad() {
    const Hoa& hoa = machine_.hoa();
    if (hoa.states > kMaxPairs / dfa_.states) {
      throw UsageError("machine and property have more than 64000000 pairs together");
    }
    seen_.assign(hoa.states * dfa_.states, false);
    for (const std::size_t s : hoa.start) {
      if (machine_.live(s)) {
        visit(s, 0, kNone, 0);
      }
    }
    for (std::size_t i = 0; i < visits_.size(); ++i) {
      const Visit at = visits_[i];
      if (at.before != kNone && ends_badly(at)) {
        return path(i);
      }
      for (const std::size_t e : machine_.edges(at.state)) {
        for (const std::size_t letter : letters(hoa.edges[e].label)) {
          visit(hoa.edges[e].to, dfa_.next(at.spec, letter), i, letter);
        }
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t pairs() const { return visits_.size(); }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Visit {
    std::size_t state;
    std::uint32_t spec;
    std::size_t before, letter;
  };

  [[nodiscard]] bool ends_badly(const Visit& at) const {
    return dfa_.bad[at.spec] &&
           (!machine_.hoa().finite_words || machine_.hoa().accepting[at.state]);
  }

  void visit(std::size_t state, std::uint32_t spec, std::size_t before, std::size_t letter) {
    const std::size_t index = state * dfa_.states + spec;
    // a start without a letter is no run yet, so its pair may be met again
    if (before != kNone) {
      if (seen_[index]) {
        return;
      }
      seen_[index] = true;
    }
    visits_.push_back({state, spec, before, letter});
  }

  /// The property's letters on an edge: an ap that the label does not name is free.
  const std::vector<std::uint32_t>& letters(const automata::HoaLabel& label) {
    const auto found = letters_.find(label.program);
    return found != letters_.end()
               ? found->second
               : letters_.emplace(label.program, label.letters(bit_of_)).first->second;
  }

  [[nodiscard]] std::vector<GivenStep> path(std::size_t i) const {
    std::vector<GivenStep> out;
    for (; visits_[i].before != kNone; i = visits_[i].before) {
      out.push_back({visits_[i].state, visits_[i].letter});
    }
    std::reverse(out.begin(), out.end());
    return out;
  }

  const GivenMachine& machine_;
  const spec::Dfa& dfa_;
  const std::vector<std::size_t>& bit_of_;
  std::vector<Visit> visits_;
  std::vector<bool> seen_;
  std::map<std::vector<int>, std::vector<std::uint32_t>> letters_;
};

/// Ready to be asked about one formula after the other.
class Decider {
 public:
  Decider(const spec::Spec& spec, const spec::Property& property, const GivenMachine& machine)
      : spec_(spec), property_(property), machine_(machine) {}

  /// `all φ`: verdict, run and pairs of the result are set.
  void decide(const spec::FormulaPtr& formula, GivenResult& result) const {
    const bool finite = machine_.hoa().finite_words;
    const spec::Acceptor acceptor =
        finite ? spec::ltlf_acceptor(formula) : spec::Acceptor{spec::bad_prefix_dfa(formula)};
    const spec::Dfa& dfa = acceptor.graph;
    const std::vector<std::size_t> bits = bits_of(dfa.atoms);
    Search search(machine_, dfa, bits);
    auto run = search.run_to_bad();
    result.pairs = search.pairs();
    result.verdict = run ? GivenResult::Verdict::violated : GivenResult::Verdict::holds;
    if (run) {
      result.run = std::move(*run);
    } else if (finite || spec::is_safety(formula)) {
      if (finite ? !spec::shortest_run(acceptor, false) : !dfa.has_bad()) {
        give_up(result);
      }
    } else {
      const spec::Buchi against = spec::buchi(spec::negation(formula));
      if (against.is_empty()) {
        give_up(result);
      } else if (auto lasso = endless_run(machine_, against, bits, result.pairs)) {
        result.verdict = GivenResult::Verdict::violated;
        result.run = std::move(lasso->run);
        result.loop = lasso->loop;
      }
    }
  }

  /// Sentences about a φ that holds and would with less.
  [[nodiscard]] std::vector<std::string> vacuity() const {
    std::vector<std::string> out;
    if (property_.assume != nullptr && holds(spec::negation(property_.assume))) {
      out.push_back("no run satisfies what it assumes: holding says nothing");
    }
    for (const spec::Strengthening& stronger : spec::strengthenings(property_.formula)) {
      if (holds(stronger.formula)) {
        out.push_back("it holds even with " + spec_.atoms[stronger.atom].name +
                      (stronger.positive ? " never true" : " always true"));
      }
    }
    return out;
  }

  [[nodiscard]] bool holds(const spec::FormulaPtr& formula) const {
    GivenResult result;
    try {
      decide(formula, result);
    } catch (const UsageError&) {  // over a limit
      return false;
    }
    return result.verdict == GivenResult::Verdict::holds;
  }

  /// The machine's aps of these atoms.
  [[nodiscard]] std::vector<std::size_t> bits_of(const std::vector<std::size_t>& atoms) const {
    std::vector<std::size_t> out;
    for (const std::size_t a : atoms) {
      const std::vector<std::string>& aps = machine_.hoa().aps;
      const auto found = std::find(aps.begin(), aps.end(), spec_.atoms[a].name);
      if (found == aps.end()) {
        throw UsageError("ap " + spec_.atoms[a].name + " of property " + property_.name +
                         ": expected it among the machine's aps, found none of that name");
      }
      out.push_back(static_cast<std::size_t>(found - aps.begin()));
    }
    return out;
  }

 private:
  static void give_up(GivenResult& result) {
    result.verdict = GivenResult::Verdict::unknown;
    result.reason = "valid by itself, whatever the machine does: holding would say nothing";
  }

  const spec::Spec& spec_;
  const spec::Property& property_;
  const GivenMachine& machine_;
};

GivenResult one(const spec::Spec& spec, const spec::Property& property,
                const GivenMachine& machine) {
  using Claim = spec::Property::Claim;
  GivenResult result;
  result.name = property.name;
  result.claim = property.claim_text();
  const std::vector<std::size_t> atoms = spec::atoms_of(property.formula);
  for (const std::size_t a : atoms) {
    result.aps.push_back(spec.atoms[a].name);
  }
  if (property.claim == Claim::pmax || property.claim == Claim::pmin) {
    result.reason =
        "a bound on a probability needs an interval chain, and the machine has no "
        "probabilities";
    return result;
  }
  const bool all = property.claim == Claim::all;
  const Decider decider(spec, property, machine);
  (void)decider.bits_of(atoms);  // throws, where what follows only leaves the verdict open
  try {
    decider.decide(all ? property.formula : spec::negation(property.formula), result);
    if (all && result.verdict == GivenResult::Verdict::holds) {
      result.vacuous = decider.vacuity();
    }
  } catch (const UsageError& e) {
    result.verdict = GivenResult::Verdict::unknown;
    result.reason = e.what();  // over a limit
  }
  if (!all && result.verdict != GivenResult::Verdict::unknown) {
    result.verdict = result.verdict == GivenResult::Verdict::holds ? GivenResult::Verdict::violated
                                                                   : GivenResult::Verdict::holds;
  } else if (!all && result.pairs > 0) {
    result.reason =
        "no run can satisfy it, whatever the machine does: 'violated' would say nothing";
  }
  return result;
}

}  // namespace

std::size_t dead_states(const Hoa& hoa) {
  const GivenMachine machine(hoa);
  std::size_t out = 0;
  for (std::size_t s = 0; s < hoa.states; ++s) {
    out += machine.live(s) ? 0 : 1;
  }
  return out;
}

std::vector<std::size_t> edges_of_runs(const Hoa& hoa) {
  const GivenMachine machine(hoa);
  std::vector<std::size_t> out;
  for (std::size_t s = 0; s < hoa.states; ++s) {
    out.insert(out.end(), machine.edges(s).begin(), machine.edges(s).end());
  }
  return out;
}

std::vector<std::string> export_given(const spec::Spec& spec, const spec::Property& property,
                                      const Hoa& hoa, const std::filesystem::path& folder) {
  if (hoa.finite_words || hoa.buchi) {
    return {"not written: the formats hold endless runs that are all accepted"};
  }
  return write_machine(folder, spec, property, without_dead(GivenMachine(hoa)));
}

std::vector<GivenResult> check_given(const spec::Spec& spec, const Hoa& hoa,
                                     const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::none_of(spec.properties.begin(), spec.properties.end(),
                     [&](const spec::Property& p) { return p.name == name; })) {
      throw UsageError("--prop " + name +
                       ": expected a property of the spec, found none of that name");
    }
  }
  const GivenMachine machine(hoa);
  std::vector<GivenResult> out;
  for (const spec::Property& property : spec.properties) {
    if (names.empty() || std::find(names.begin(), names.end(), property.name) != names.end()) {
      out.push_back(one(spec, property, machine));
    }
  }
  if (out.empty()) {
    throw UsageError("spec '" + spec.name + "': expected at least one property, found none");
  }
  return out;
}

}  // namespace assay::verify
