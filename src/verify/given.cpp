#include "assay/verify/given.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "assay/base/errors.hpp"
#include "assay/spec/acceptor.hpp"
#include "assay/spec/formula.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kMaxLabelAps = 16;
constexpr std::size_t kMaxPairs = 64000000;

using automata::Hoa;

/// Tarjan 1972, without recursion: the strongly connected component of every state.
class Components {
 public:
  explicit Components(const std::vector<std::vector<std::size_t>>& after)
      : after_(after), index_(after.size(), 0), low_(after.size(), 0), of_(after.size(), 0) {
    for (std::size_t s = 0; s < after.size(); ++s) {
      if (index_[s] == 0) {
        visit(s);
      }
    }
  }
  [[nodiscard]] std::size_t of(std::size_t s) const { return of_[s]; }

 private:
  struct Frame {
    std::size_t state, next = 0;
  };

  void enter(std::size_t s, std::vector<Frame>& frames) {
    index_[s] = low_[s] = ++count_;
    stack_.push_back(s);
    frames.push_back({s});
  }

  void visit(std::size_t root) {
    std::vector<Frame> frames;
    enter(root, frames);
    while (!frames.empty()) {
      const std::size_t s = frames.back().state;
      if (frames.back().next < after_[s].size()) {
        const std::size_t t = after_[s][frames.back().next++];
        if (index_[t] == 0) {
          enter(t, frames);
        } else if (of_[t] == 0) {
          low_[s] = std::min(low_[s], index_[t]);
        }
        continue;
      }
      frames.pop_back();
      if (!frames.empty()) {
        low_[frames.back().state] = std::min(low_[frames.back().state], low_[s]);
      }
      if (low_[s] == index_[s]) {
        ++components_;
        std::size_t t = 0;
        do {
          t = stack_.back();
          stack_.pop_back();
          of_[t] = components_;
        } while (t != s);
      }
    }
  }

  const std::vector<std::vector<std::size_t>>& after_;
  std::vector<std::size_t> index_, low_, of_, stack_;
  std::size_t count_ = 0, components_ = 0;
};

/// The machine without what no run uses: edges whose label is false, states that cannot go on to
/// an accepted run.
class Machine {
 public:
  explicit Machine(const Hoa& hoa) : hoa_(hoa), after_(hoa.states), edges_(hoa.states) {
    for (std::size_t e = 0; e < hoa.edges.size(); ++e) {
      if (satisfiable(hoa.edges[e].label)) {
        after_[hoa.edges[e].from].push_back(hoa.edges[e].to);
        edges_[hoa.edges[e].from].push_back(e);
      }
    }
    find_live();
    const auto goes_on = [&](std::size_t s) {
      return std::any_of(after_[s].begin(), after_[s].end(),
                         [&](std::size_t t) { return live_[t]; });
    };
    if (std::none_of(hoa.start.begin(), hoa.start.end(), goes_on)) {
      throw UsageError(
          "the machine has no run: expected a start state from which one goes on, found none");
    }
  }

  [[nodiscard]] const Hoa& hoa() const { return hoa_; }
  [[nodiscard]] bool live(std::size_t s) const { return live_[s]; }
  [[nodiscard]] const std::vector<std::size_t>& edges(std::size_t s) const { return edges_[s]; }

 private:
  static std::size_t size_of(const std::vector<std::size_t>& aps) {
    if (aps.size() > kMaxLabelAps) {
      throw UsageError("the machine: expected at most 16 aps in one label, found " +
                       std::to_string(aps.size()));
    }
    return std::size_t{1} << aps.size();
  }

 public:
  /// Every valuation of the label's own aps that satisfies it, as a letter of the machine.
  static std::vector<std::uint64_t> valuations(const automata::HoaLabel& label) {
    const std::vector<std::size_t> aps = label.aps();
    std::vector<std::uint64_t> out;
    for (std::size_t v = 0; v < size_of(aps); ++v) {
      std::uint64_t letter = 0;
      for (std::size_t i = 0; i < aps.size(); ++i) {
        letter |= std::uint64_t{(v >> i) & 1U} << aps[i];
      }
      if (label.holds(letter)) {
        out.push_back(letter);
      }
    }
    return out;
  }

 private:
  static bool satisfiable(const automata::HoaLabel& label) { return !valuations(label).empty(); }

  /// Finite runs: an accepting state is ahead. Infinite ones: an accepting cycle is.
  void find_live() {
    live_.assign(hoa_.states, false);
    if (hoa_.finite_words) {
      live_ = hoa_.accepting;
    } else {
      const Components components(after_);
      for (std::size_t s = 0; s < hoa_.states; ++s) {
        for (const std::size_t e : edges_[s]) {
          const Hoa::Edge& edge = hoa_.edges[e];
          if (components.of(s) == components.of(edge.to) && (edge.accepting || !hoa_.buchi)) {
            live_[s] = true;
          }
        }
      }
    }
    std::vector<std::vector<std::size_t>> before(hoa_.states);
    std::vector<std::size_t> open;
    for (std::size_t s = 0; s < hoa_.states; ++s) {
      for (const std::size_t t : after_[s]) {
        before[t].push_back(s);
      }
      if (live_[s]) {
        open.push_back(s);
      }
    }
    while (!open.empty()) {
      const std::size_t s = open.back();
      open.pop_back();
      for (const std::size_t from : before[s]) {
        if (!live_[from]) {
          live_[from] = true;
          open.push_back(from);
        }
      }
    }
  }

  const Hoa& hoa_;
  std::vector<std::vector<std::size_t>> after_, edges_;
  std::vector<bool> live_;
};

/// Breadth-first over (machine state, property state).
class Search {
 public:
  Search(const Machine& machine, const spec::Dfa& dfa, const std::vector<std::size_t>& bit_of)
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
        if (machine_.live(hoa.edges[e].to)) {
          for (const std::size_t letter : letters(e)) {
            visit(hoa.edges[e].to, dfa_.next(at.spec, letter), i, letter);
          }
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

  /// The property's letters on an edge.
  const std::vector<std::size_t>& letters(std::size_t edge) {
    const auto found = letters_.find(edge);
    if (found != letters_.end()) {
      return found->second;
    }
    // an ap that the label does not name is free
    const automata::HoaLabel& label = machine_.hoa().edges[edge].label;
    const std::vector<std::size_t> named = label.aps();
    std::uint64_t fixed = 0;
    for (const std::size_t ap : named) {
      fixed |= std::uint64_t{1} << ap;
    }
    std::vector<bool> members(dfa_.letters());
    for (const std::uint64_t valuation : Machine::valuations(label)) {
      for (std::size_t letter = 0; letter < members.size(); ++letter) {
        bool fits = true;
        for (std::size_t i = 0; i < bit_of_.size() && fits; ++i) {
          const bool is_fixed = ((fixed >> bit_of_[i]) & 1U) != 0;
          fits = !is_fixed || ((valuation >> bit_of_[i]) & 1U) == ((letter >> i) & 1U);
        }
        members[letter] = members[letter] || fits;
      }
    }
    std::vector<std::size_t> out;
    for (std::size_t letter = 0; letter < members.size(); ++letter) {
      if (members[letter]) {
        out.push_back(letter);
      }
    }
    return letters_.emplace(edge, std::move(out)).first->second;
  }

  [[nodiscard]] std::vector<GivenStep> path(std::size_t i) const {
    std::vector<GivenStep> out;
    for (; visits_[i].before != kNone; i = visits_[i].before) {
      out.push_back({visits_[i].state, visits_[i].letter});
    }
    std::reverse(out.begin(), out.end());
    return out;
  }

  const Machine& machine_;
  const spec::Dfa& dfa_;
  const std::vector<std::size_t>& bit_of_;
  std::vector<Visit> visits_;
  std::vector<bool> seen_;
  std::map<std::size_t, std::vector<std::size_t>> letters_;
};

std::vector<std::size_t> bits_of(const GivenResult& result, const Hoa& hoa) {
  std::vector<std::size_t> out;
  for (const std::string& ap : result.aps) {
    const auto found = std::find(hoa.aps.begin(), hoa.aps.end(), ap);
    if (found == hoa.aps.end()) {
      throw UsageError("ap " + ap + " of property " + result.name +
                       ": expected it among the machine's aps, found none of that name");
    }
    out.push_back(static_cast<std::size_t>(found - hoa.aps.begin()));
  }
  return out;
}

/// `all φ`, as it stands; the negation of φ for `some φ`.
void decide(const spec::FormulaPtr& formula, const Machine& machine,
            const std::vector<std::size_t>& bit_of, GivenResult& result) {
  const bool finite = machine.hoa().finite_words;
  const spec::Dfa dfa = finite ? spec::ltlf_acceptor(formula).graph : spec::bad_prefix_dfa(formula);
  Search search(machine, dfa, bit_of);
  if (auto run = search.run_to_bad()) {
    result.verdict = GivenResult::Verdict::violated;
    result.run = std::move(*run);
  } else if (finite || spec::is_safety(formula)) {
    result.verdict = GivenResult::Verdict::holds;
  } else {
    result.reason =
        "not decided by prefixes of infinite runs: an unbounded F or U, or a strong next; a bound "
        "(F[0:k]) or a machine with 'Finite-words: t' decides it";
  }
  result.pairs = search.pairs();
}

GivenResult one(const spec::Spec& spec, const spec::Property& property, const Machine& machine) {
  using Claim = spec::Property::Claim;
  GivenResult result;
  result.name = property.name;
  result.claim = property.claim_text();
  for (const std::size_t a : spec::atoms_of(property.formula)) {
    result.aps.push_back(spec.atoms[a].name);
  }
  if (property.claim == Claim::pmax || property.claim == Claim::pmin) {
    result.reason =
        "a bound on a probability needs an interval chain, and the machine has no "
        "probabilities";
    return result;
  }
  const bool all = property.claim == Claim::all;
  const std::vector<std::size_t> bit_of = bits_of(result, machine.hoa());
  try {
    decide(all ? property.formula : spec::negation(property.formula), machine, bit_of, result);
  } catch (const UsageError& e) {
    result.reason = e.what();  // over a limit
  }
  if (!all && result.verdict != GivenResult::Verdict::unknown) {
    result.verdict = result.verdict == GivenResult::Verdict::holds ? GivenResult::Verdict::violated
                                                                   : GivenResult::Verdict::holds;
  }
  return result;
}

}  // namespace

std::vector<std::size_t> edges_of_runs(const Hoa& hoa) {
  const Machine machine(hoa);
  std::vector<std::size_t> out;
  for (std::size_t s = 0; s < hoa.states; ++s) {
    for (const std::size_t e : machine.edges(s)) {
      if (machine.live(s) && machine.live(hoa.edges[e].to)) {
        out.push_back(e);
      }
    }
  }
  return out;
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
  const Machine machine(hoa);
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
