#include "exact_report.hpp"

#include "assay/base/text.hpp"

namespace assay::verify {
namespace {

std::string letter_text(const spec::Spec& spec, std::uint64_t letter) {
  std::string out;
  for (std::size_t i = 0; i < spec.atoms.size(); ++i) {
    if (((letter >> i) & 1U) != 0) {
      out += (out.empty() ? "" : " ") + spec.atoms[i].name;
    }
  }
  return out.empty() ? "-" : out;
}

}  // namespace

std::string violated_text(const CheckInput& subject, const ExactViolated& violated) {
  const auto& tokens = violated.run.tokens;
  const auto end = tokens.end() - static_cast<std::ptrdiff_t>(violated.loop);
  std::string out =
      "    by the model itself, replayed in intervals: prompt \"" +
      token_text(subject, violated.prompt) + "\" then \"" +
      token_text(subject, {tokens.begin(), end}) + "\"" +
      (violated.loop == 0 ? ""
                          : " and for ever \"" + token_text(subject, {end, tokens.end()}) + "\"") +
      "\n";
  for (const WitnessStep& step : violated.run.steps) {
    out += "      '" + token_text(subject, {step.token}) + "'  " +
           letter_text(*subject.spec, step.letter);
    for (const AtomValue& value : step.values) {
      out += "  " + value.what + " = " + fixed((value.lo + value.hi) / 2, 4);
    }
    for (std::size_t i = 0; i < step.live.size(); ++i) {
      out += (i == 0 ? "  live " : ", ") + step.live[i].first + " " + fixed(step.live[i].second, 3);
    }
    out += "\n";
  }
  return out;
}

std::string chance_text(const CheckInput& subject, const ChanceBounds& c) {
  using automata::Rounding;
  std::string out = "    " + c.claim + ": " + c.event + "\n    P at least " +
                    automata::grid_text(c.least, Rounding::down) + ", at most " +
                    automata::grid_text(c.most, Rounding::up) +
                    ", over every prompt and every choice of nature\n";
  if (c.sampled > 0) {
    out += "    sampled: " + std::to_string(c.hits) + " of " + std::to_string(c.sampled) +
           " runs from \"" + token_text(subject, c.sampled_prompt) + "\", 99 % interval [" +
           automata::millionths(c.interval.lo) + ", " + automata::millionths(c.interval.hi) +
           "] (STATISTICAL, no part of the proof)\n";
  }
  return out;
}

namespace {

/// The prompt that violates the claim, whatever nature picks.
std::string decided_text(const CheckInput& subject, const ExactProperty& p) {
  std::string out;
  const auto* decided = std::get_if<ExactChance>(&p.verdict);
  if (decided != nullptr && !decided->prompt.empty()) {
    out += "    by the prompt \"" + token_text(subject, decided->prompt) +
           "\", whatever nature picks\n";
  }
  return out;
}

/// Letters, ends, vacuity and the second opinion.
std::string details_text(const ExactProperty& p) {
  std::string out;
  for (const ApCount& ap : p.aps) {
    out += "    ap " + ap.name + ": true at " + std::to_string(ap.yes) + " states, false at " +
           std::to_string(ap.no) + ", unknown at " + std::to_string(ap.unknown) + "\n";
  }
  if (p.deadlocks > 0) {
    out += "    runs end after " + std::to_string(p.deadlocks) +
           " states: the allow-list leaves no token there\n";
  }
  for (const std::string& why : p.vacuous) {
    out += "    VACUOUS: " + why + "\n";
  }
  if (p.alarm()) {
    out += "    ALARM: " + p.solver + " contradicts the invariant (" + p.opinion_detail +
           "): a fault in one of the two; please report it\n";
  } else if (!p.opinion.empty()) {
    out += p.solver == "none"
               ? "    second opinion: not built (no Z3)\n"
               : "    second opinion of " + p.solver + ": " + p.opinion +
                     (p.opinion_detail.empty() ? "" : " (" + p.opinion_detail + ")") + "\n";
  }
  return out;
}

std::string property_text(const ExactInput& input, const ExactProperty& p) {
  const std::string verdict = p.verdict_name();
  const char* word = verdict == "holds" ? "HOLDS" : verdict == "violated" ? "VIOLATED" : "UNKNOWN";
  std::string out = p.name + ": " + word +
                    (p.level()[0] == '\0' ? "" : std::string(" (") + p.level() + ")") + "\n";
  if (const auto* holds = std::get_if<ExactHolds>(&p.verdict)) {
    out += (p.some ? "    by every run" : "    of every run") +
           std::string(" of the model from every prompt: invariant of ") +
           std::to_string(holds->invariant().size()) + " pairs, monitor of " +
           std::to_string(p.dfa_states) + " states\n";
    out += holds->is_checkable() ? "" : "    more than assay-check re-evaluates: no certificate\n";
  } else if (const auto* endless = std::get_if<ExactEndless>(&p.verdict)) {
    out += (p.some ? "    by every endless run" : "    of every endless run") +
           std::string(" of the model from every prompt: ranks of ") +
           std::to_string(endless->ranks().size()) + " pairs up to " +
           std::to_string(endless->highest()) + ", automaton of " + std::to_string(p.dfa_states) +
           " states\n";
    out +=
        endless->is_checkable() ? "" : "    more than assay-check re-evaluates: no certificate\n";
  } else if (const auto* violated = std::get_if<ExactViolated>(&p.verdict)) {
    out += violated_text(input.subject, *violated);
  } else if (std::holds_alternative<Unknown>(p.verdict)) {
    const auto& unknown = std::get<Unknown>(p.verdict);
    out += "    " + unknown.reason + "\n" +
           (unknown.missing.empty() ? "" : "    missing: " + unknown.missing + "\n");
  }
  out += p.chance ? chance_text(input.subject, *p.chance) + decided_text(input.subject, p) : "";
  out += "    " + std::to_string(p.states) + " states, edges " + std::to_string(p.absent) +
         " absent, " + std::to_string(p.witnessed) + " witnessed, " + std::to_string(p.open) +
         " open; " + std::to_string(p.pairs) + " pairs, " + fixed(p.seconds, 2) + " s\n";
  out += details_text(p);
  out += p.classes == 0 ? ""
                        : "    minimised under its aps: " + std::to_string(p.classes) + " states\n";
  for (const std::string& file : p.exported) {
    out += "    " + file + "\n";
  }
  if (!p.expected.empty()) {
    out += "    expected " + p.expected +
           (p.expected == p.verdict_name() ? ": so it is\n" : ": MISMATCH\n");
  }
  return out;
}

}  // namespace

std::string exact_text(const ExactInput& input, const ExactResult& result) {
  std::string out;
  for (const ExactProperty& property : result.properties) {
    out += property_text(input, property);
  }
  const char* idle =
      !input.emission.has_idle_temperature() ? ""
      : input.emission.kind() == automata::Emission::Kind::greedy
          ? " (the temperature changes nothing)"
          : " (the temperature changes how likely tokens are, not which can be emitted)";
  return out + "decoder " + input.emission.text() + idle + "; " + std::to_string(result.evaluated) +
         " windows evaluated, " + std::to_string(result.by_intervals) +
         " of them in intervals; real arithmetic";
}

}  // namespace assay::verify
