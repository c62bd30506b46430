#include "assay/base/text.hpp"
#include "assay/verify/check.hpp"

namespace assay::verify {
namespace {

std::string token_name(const CheckInput& input, TokenId token) {
  if (input.tokenizer == nullptr || token.at() >= input.tokenizer->size()) {
    return "<" + std::to_string(token.at()) + ">";
  }
  return visible(input.tokenizer->text(token));
}

std::string letter_text(const CheckInput& input, std::uint64_t letter) {
  std::string out;
  for (std::size_t i = 0; i < input.spec->atoms.size(); ++i) {
    if (((letter >> i) & 1U) != 0) {
      out += (out.empty() ? "" : " ") + input.spec->atoms[i].name;
    }
  }
  return out.empty() ? "-" : out;
}

std::string holds_text(const PropertyResult& result, const Holds& holds) {
  return "    OBSERVED, of every run of the fitted automaton: invariant of " +
         std::to_string(holds.invariant().size()) + " pairs, monitor of " +
         std::to_string(result.dfa_states) + " states\n";
}

std::string violated_text(const CheckInput& input, const Violated& violated) {
  std::string out = "    by the model itself, replayed in intervals: prompt \"" +
                    token_text(input, input.automaton->prompts[violated.prompt]) + "\" then \"" +
                    token_text(input, violated.tokens) + "\"\n";
  for (const WitnessStep& step : violated.steps) {
    out += "      '" + token_name(input, step.token) + "'  " + letter_text(input, step.letter);
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

std::string unknown_text(const Unknown& unknown) {
  return "    " + unknown.reason + "\n" +
         (unknown.missing.empty() ? "" : "    missing: " + unknown.missing + "\n");
}

std::string opinion_text(const PropertyResult& result) {
  if (result.solver == "none") {
    return "    second opinion: not built (no Z3)\n";
  }
  std::string out = "    second opinion of " + result.solver + ":";
  if (!result.invariant_opinion.empty()) {
    out += " invariant " + result.invariant_opinion + ",";
  }
  out += " reachability " +
         (result.reachability_opinion.empty() ? "not asked" : result.reachability_opinion);
  return out + (result.opinion_detail.empty() ? "" : " (" + result.opinion_detail + ")") + "\n";
}

std::string property_text(const CheckInput& input, const PropertyResult& result) {
  static constexpr const char* kWords[] = {"HOLDS", "VIOLATED", "UNKNOWN"};
  std::string out = result.name + ": " + kWords[result.verdict.index()] + "\n";
  if (const auto* holds = std::get_if<Holds>(&result.verdict)) {
    out += holds_text(result, *holds);
  } else if (const auto* violated = std::get_if<Violated>(&result.verdict)) {
    out += violated_text(input, *violated);
  } else {
    out += unknown_text(std::get<Unknown>(result.verdict));
  }
  out += opinion_text(result);
  for (const ApCount& ap : result.aps) {
    out += "    ap " + ap.name + ": true at " + std::to_string(ap.yes) + " visits, false at " +
           std::to_string(ap.no) + ", unknown at " + std::to_string(ap.unknown) + "\n";
  }
  for (const std::string& why : result.vacuous) {
    out += "    VACUOUS: " + why + "\n";
  }
  if (!result.waiver.empty()) {
    out += "    " + visible(result.waiver) + " (the verdict stands)\n";
  }
  if (!result.expected.empty()) {
    out += "    expected " + result.expected +
           (result.as_expected() ? ": so it is\n" : ": MISMATCH\n");
  }
  return out;
}

}  // namespace

std::string token_text(const CheckInput& input, const std::vector<TokenId>& tokens) {
  std::string out;
  for (const TokenId token : tokens) {
    out += token_name(input, token);
  }
  return out;
}

std::string check_text(const CheckInput& input, const CheckResult& result) {
  std::string out;
  for (const PropertyResult& property : result.properties) {
    out += property_text(input, property);
  }
  return out + kObserved;
}

}  // namespace assay::verify
