#include <algorithm>
#include <chrono>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/vacuity.hpp"
#include "chance_refined.hpp"
#include "exact_certificate.hpp"
#include "refined_certificate.hpp"
#include "refined_hunt.hpp"
#include "refined_search.hpp"
#include "subject.hpp"

namespace assay::verify {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLongHunt = 8'000'000;  // contexts, after a proof that failed

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
    RefinedHunt hunt(input_, atoms_, letters, dfa, property, attack);
    if (auto violated = hunt.quick()) {
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
        find_matters(property, result);
      } else {
        result.verdict = search.unknown();
      }
    }
    if (std::holds_alternative<Unknown>(result.verdict)) {
      if (auto violated = hunt.longer(kLongHunt)) {
        result.verdict = std::move(*violated);
      }
    }
    result.attacked += attack.evaluated();
  }

  /// Vacuity: for every ap, a real run that the property would not hold of without it.
  void find_matters(const spec::Property& property, RefinedProperty& result) const {
    for (const spec::Strengthening& stronger : spec::strengthenings(property.formula)) {
      spec::Property changed = property;
      changed.formula = stronger.formula;
      const spec::Dfa dfa = spec::bad_prefix_dfa(changed.formula);
      const RefinedLetters letters(input_.runs.subject, atoms_, dfa);
      ContextAttack attack(input_, letters.measured());
      RefinedHunt hunt(input_, atoms_, letters, dfa, changed, attack);
      RefinedMatter matter{stronger.atom, stronger.positive, hunt.quick()};
      if (!matter.run) {
        matter.run = hunt.longer(input_.limits.hunt);
      }
      result.matters.push_back(std::move(matter));
      result.attacked += attack.evaluated();
    }
  }

  const RefinedInput& input_;
  std::vector<const spec::Property*> properties_;
  const Sae* sae_;
  bounds::LemmaBounder bounder_;
  Atoms atoms_;
  SharedOuts shared_;
};

}  // namespace

const char* RefinedProperty::antecedent() const {
  const bool all =
      !matters.empty() && std::all_of(matters.begin(), matters.end(),
                                      [](const RefinedMatter& m) { return m.run.has_value(); });
  return all ? "reached" : "not met";
}

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
