#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/spec/formula.hpp"
#include "chance_refined.hpp"
#include "exact_certificate.hpp"
#include "exact_search.hpp"
#include "refined_certificate.hpp"
#include "refined_search.hpp"
#include "replay.hpp"
#include "subject.hpp"

namespace assay::verify {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostPaths = 8, kMostSteps = 12, kMostPartialPaths = 4000;

/// How hard a violation is looked for: before the proof is tried, and after it failed.
struct Hunt {
  std::size_t paths, starts, sweeps;
};
constexpr Hunt kQuick{2, 8, 2}, kLong{kMostPaths, 24, 4};

/// The dictionary that the properties read; null: none.
const Sae* dictionary(const CheckInput& input,
                      const std::vector<const spec::Property*>& properties) {
  std::set<std::string> names;
  for (const spec::Property* property : properties) {
    for (const std::size_t a : spec::atoms_of(property->formula)) {
      if (input.spec->atoms[a].kind == spec::Atom::Kind::feature) {
        names.insert(input.spec->atoms[a].subject);
      }
    }
  }
  if (names.size() > 1) {
    throw UsageError("refined mode: expected properties that read one dictionary, found " +
                     std::to_string(names.size()));
  }
  return names.empty() ? nullptr : input.saes.at(*names.begin());
}

/// Short words into a bad state, as steps of equal letters apart from the tokens.
class BadPaths {
 public:
  BadPaths(const RefinedLetters& letters, const spec::Dfa& dfa) {
    const std::vector<bool> leads = can_turn_bad(dfa);
    struct Partial {
      std::uint32_t spec;
      std::vector<RunStep> steps;
      std::vector<std::size_t> visits;
    };
    std::deque<Partial> pending = {{0, {}, std::vector<std::size_t>(dfa.states, 0)}};
    for (std::size_t seen = 0; !pending.empty() && seen < kMostPartialPaths; ++seen) {
      const Partial at = std::move(pending.front());
      pending.pop_front();
      if (at.steps.size() >= kMostSteps || found_.size() >= kMostPaths) {
        break;
      }
      for (auto& [to, step] : steps_from(at.spec, letters, dfa)) {
        if (!leads[to]) {
          continue;
        }
        Partial next = at;
        next.steps.push_back(step);
        if (dfa.bad[to]) {
          found_.push_back(std::move(next.steps));
        } else if (++next.visits[to] <= 2) {
          next.spec = to;
          pending.push_back(std::move(next));
        }
      }
    }
  }
  [[nodiscard]] const std::vector<std::vector<RunStep>>& found() const { return found_; }

 private:
  static std::vector<std::pair<std::uint32_t, RunStep>> steps_from(std::uint32_t from,
                                                                   const RefinedLetters& letters,
                                                                   const spec::Dfa& dfa) {
    std::map<std::pair<std::uint32_t, std::size_t>, RunStep> steps;  // by target and measured bits
    std::size_t mask = 0;
    for (const auto& m : letters.measured()) {
      mask |= std::size_t{1} << m.bit;
    }
    for (std::uint32_t t = 0; t < letters.vocabulary(); ++t) {
      for (const std::size_t letter : letters.of(t)) {
        RunStep& step = steps[{dfa.next(from, letter), letter & mask}];
        step.tokens.push_back(t);
        step.shows.clear();
        for (std::size_t i = 0; i < letters.measured().size(); ++i) {
          step.shows.emplace_back(i, ((letter >> letters.measured()[i].bit) & 1U) != 0);
        }
      }
    }
    std::vector<std::pair<std::uint32_t, RunStep>> out;
    out.reserve(steps.size());
    for (auto& [key, step] : steps) {
      out.emplace_back(key.first, std::move(step));
    }
    return out;
  }

  std::vector<std::vector<RunStep>> found_;
};

class RefinedChecker {
 public:
  explicit RefinedChecker(const RefinedInput& input)
      : input_(input),
        properties_(chosen(input.runs.subject)),
        sae_(dictionary(input.runs.subject, properties_)),
        bounder_(
            (automata::require_exact_family(*input.runs.subject.model), *input.runs.subject.model),
            sae_),
        atoms_(input.runs.subject) {
    shared_.of.resize(input.runs.subject.model->config.d_vocab);
  }

  RefinedResult run() {
    RefinedResult out;
    for (const spec::Property* property : properties_) {
      const Clock::time_point begin = Clock::now();
      out.properties.push_back(one(*property));
      out.properties.back().seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    }
    out.runs = runs_text(input_.runs);
    if (input_.runs.wants_certificate) {
      out.certificate = refined_certificate(input_, out, bounder_, sae_);
    }
    return out;
  }

 private:
  RefinedProperty one(const spec::Property& property) {
    RefinedProperty result;
    result.name = property.name;
    if (const auto found = property.attributes.find("expect"); found != property.attributes.end()) {
      result.expected = found->second;
    }
    if (is_chance(property)) {
      decide_refined_chance(input_, property, atoms_, bounder_, result);
      return result;
    }
    if (const std::string beyond = spec::beyond_universal(*input_.runs.subject.spec, property);
        !beyond.empty()) {
      result.verdict = Unknown{beyond, "an engine for this kind of claim"};
      return result;
    }
    try {
      decide_property(property, result);
    } catch (const UsageError& e) {  // over a limit: the property has no verdict
      result.verdict = Unknown{e.what(), "a smaller property"};
    } catch (const Error& e) {
      if (e.code() != ExitCode::unknown) {
        throw;
      }
      result.verdict = Unknown{e.what(), "a larger budget"};
    }
    return result;
  }

  void decide_property(const spec::Property& property, RefinedProperty& result) {
    const spec::Dfa dfa = spec::bad_prefix_dfa(property.formula);
    result.dfa_states = dfa.states;
    const RefinedLetters letters(input_.runs.subject, atoms_, dfa);
    ContextAttack attack(input_, letters.measured());
    if (auto violated = hunt(property, letters, dfa, attack, kQuick)) {
      result.attacked = attack.evaluated();
      result.verdict = std::move(*violated);
      return;
    }
    if (!spec::is_safety(property.formula)) {
      result.verdict = Unknown{
          "not a safety property: unbounded F or U, or a strong next, is never decided by prefixes",
          "a bound, e.g. within k or F[0:k]"};
    } else if (!dfa.has_bad() || dfa.bad[0]) {
      result.verdict =
          Unknown{"valid or false by itself: no run decides it, so a verdict would say nothing",
                  "a property that some run can violate"};
    } else {
      RefinedSearch search(input_, letters, dfa, bounder_, attack, shared_, result);
      if (auto proof = search.run()) {
        result.lemmas = proof->outs.size() + proof->atoms.size();
        result.verdict = RefinedHolds(input_, dfa, std::move(*proof));
      } else {
        result.verdict = search.unknown();
      }
    }
    if (std::holds_alternative<Unknown>(result.verdict)) {
      if (auto violated = hunt(property, letters, dfa, attack, kLong)) {
        result.verdict = std::move(*violated);
      }
    }
    result.attacked = attack.evaluated();
  }

  /// Runs along short bad words, met in double and replayed in intervals.
  std::optional<ExactViolated> hunt(const spec::Property& property, const RefinedLetters& letters,
                                    const spec::Dfa& dfa, ContextAttack& attack,
                                    Hunt effort) const {
    std::size_t tried = 0, looked = 0;
    const BadPaths paths(letters, dfa);
    for (const std::vector<RunStep>& path : paths.found()) {
      if (looked++ >= effort.paths) {
        break;
      }
      if (path.empty() || (input_.runs.max_new && path.size() > *input_.runs.max_new) ||
          interrupted()) {
        continue;
      }
      for (const MetRun& run : attack.runs(path, effort.starts, effort.sweeps)) {
        if (!(run.lead > 0) || tried >= input_.runs.limits.replays) {
          break;
        }
        ++tried;
        if (auto found = replayed(run, property)) {
          return found;
        }
      }
    }
    return std::nullopt;
  }

  std::optional<ExactViolated> replayed(const MetRun& run, const spec::Property& property) const {
    Candidate candidate;
    candidate.prompt = run.prompt;
    candidate.tokens = run.tokens;
    candidate.max_new = input_.runs.max_new.value_or(std::numeric_limits<std::size_t>::max());
    candidate.surely_emitted = [this](std::span<const Interval> logits, TokenId token) {
      std::vector<double> lo, hi;
      for (const Interval& l : logits) {
        lo.push_back(l.lo);
        hi.push_back(l.hi);
      }
      std::vector<automata::Edge> edges(logits.size());
      input_.runs.emission.decide(lo, hi, edges);
      return edges[token.at()] == automata::Edge::witnessed;
    };
    Replay replay = verify::replay(input_.runs.subject, atoms_, property.formula, candidate);
    if (!replay.violated) {
      return std::nullopt;
    }
    return ExactViolated{candidate.prompt, std::move(*replay.violated)};
  }

  const RefinedInput& input_;
  std::vector<const spec::Property*> properties_;
  const Sae* sae_;
  bounds::LemmaBounder bounder_;
  Atoms atoms_;
  SharedOuts shared_;
};

}  // namespace

const char* RefinedProperty::level() const {
  return std::holds_alternative<Unknown>(verdict) ? "" : "PROVED";
}

const char* RefinedProperty::verdict_name() const {
  static constexpr const char* kNames[] = {"holds", "violated", "unknown", "holds"};
  return kNames[verdict.index()];
}

ExitCode RefinedResult::code() const {
  bool all_hold = true;
  for (const RefinedProperty& property : properties) {
    if (std::holds_alternative<ExactViolated>(property.verdict)) {
      return ExitCode::violated;
    }
    all_hold = all_hold && (std::holds_alternative<RefinedHolds>(property.verdict) ||
                            std::holds_alternative<RefinedChance>(property.verdict));
  }
  return all_hold && !properties.empty() ? ExitCode::ok : ExitCode::unknown;
}

RefinedResult check_refined(const RefinedInput& input) {
  require(input.runs.subject.spec != nullptr && input.runs.subject.model != nullptr,
          "check_refined: spec and model are needed");
  if (input.limits.lemmas == 0 || (input.runs.max_new && *input.runs.max_new == 0)) {
    throw UsageError("--lemmas and --max-new: expected a number above 0, found 0");
  }
  if (!input.runs.subject.spec->is_resolved()) {
    throw UsageError("spec '" + input.runs.subject.spec->name +
                     "': expected a resolved spec (assay spec resolve), found names and rules");
  }
  const automata::Emission& emission = input.runs.emission;
  if (emission.kind() == automata::Emission::Kind::top_p ||
      emission.mask() != automata::Emission::Mask::none) {
    throw UsageError(
        "refined mode: expected greedy, min-p, top-k or plain without an allow-list, found " +
        emission.text() + " (exact mode reads it)");
  }
  check_digests(input.runs.subject);
  return RefinedChecker(input).run();
}

}  // namespace assay::verify
