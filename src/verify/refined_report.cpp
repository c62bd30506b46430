#include "assay/base/text.hpp"
#include "assay/verify/refined.hpp"
#include "exact_report.hpp"

namespace assay::verify {
namespace {

/// The shortest run that shows an ap to matter, or which ap was not shown to.
std::string matters_text(const RefinedInput& input, const RefinedProperty& p) {
  std::string out;
  const ExactViolated* shortest = nullptr;
  for (const RefinedMatter& m : p.matters) {
    if (!m.run) {
      out += "    VACUOUS? no run was met that it would not hold of with " +
             input.runs.subject.spec->atoms[m.atom].name +
             (m.positive ? " never true\n" : " always true\n");
    } else if (shortest == nullptr || m.run->run.tokens.size() < shortest->run.tokens.size()) {
      shortest = &*m.run;
    }
  }
  if (out.empty() && shortest != nullptr) {
    const CheckInput& subject = input.runs.subject;
    out = "    antecedent reached: every ap matters on a replayed run, e.g. '" +
          token_text(subject, shortest->prompt) + "' then '" +
          token_text(subject, shortest->run.tokens) + "'\n";
  }
  return out;
}

std::string property_text(const RefinedInput& input, const RefinedProperty& p) {
  static constexpr const char* kWords[] = {"HOLDS", "VIOLATED", "UNKNOWN", "HOLDS"};
  std::string out = p.name + ": " + kWords[p.verdict.index()] +
                    (p.level()[0] == '\0' ? "" : std::string(" (") + p.level() + ")") + "\n";
  if (const auto* holds = std::get_if<RefinedHolds>(&p.verdict)) {
    out += "    of every run of the model from every prompt: " + std::to_string(p.lemmas) +
           " lemmas about sets of contexts, " + std::to_string(holds->proof().states.size()) +
           " patterns, monitor of " + std::to_string(p.dfa_states) + " states\n" +
           matters_text(input, p);
  } else if (const auto* violated = std::get_if<ExactViolated>(&p.verdict)) {
    out += violated_text(input.runs.subject, *violated);
  } else if (const auto* chance = std::get_if<RefinedChance>(&p.verdict)) {
    out += "    of every run of the model from every prompt: " + std::to_string(p.lemmas) +
           " lemmas about " + std::to_string(chance->leaves().size()) + " boxes of contexts\n";
  } else {
    const auto& unknown = std::get<Unknown>(p.verdict);
    out += "    " + unknown.reason + "\n" +
           (unknown.missing.empty() ? "" : "    missing: " + unknown.missing + "\n");
  }
  if (p.chance) {
    out += chance_text(input.runs.subject, *p.chance);
  }
  out += "    " + std::to_string(p.patterns) + " patterns looked at, " + std::to_string(p.bounded) +
         " bounded, " + std::to_string(p.refinements) + " refinements, at most " +
         std::to_string(p.depth) + " positions known, " + std::to_string(p.excluded) +
         " excluded; steps " + std::to_string(p.absent) + " absent, " +
         std::to_string(p.witnessed) + " witnessed, " + std::to_string(p.open) + " open; " +
         fixed(p.seconds, 2) + " s\n";
  if (!p.expected.empty()) {
    out += "    expected " + p.expected +
           (p.expected == p.verdict_name() ? ": so it is\n" : ": MISMATCH\n");
  }
  return out;
}

}  // namespace

std::string refined_text(const RefinedInput& input, const RefinedResult& result) {
  std::string out;
  for (const RefinedProperty& property : result.properties) {
    out += property_text(input, property);
  }
  return out + "decoder " + input.runs.emission.text() +
         "; contexts of any length; real arithmetic";
}

}  // namespace assay::verify
