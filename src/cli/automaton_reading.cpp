#include "automaton_reading.hpp"

namespace assay::cli {
namespace {

nlohmann::ordered_json property_json(const verify::CheckInput& input,
                                     const verify::ClosedProperty& p) {
  nlohmann::ordered_json out = {{"name", p.name},          {"verdict", p.verdict_name()},
                                {"level", p.level()},      {"pairs", p.pairs},
                                {"badEdges", p.bad_edges}, {"badEdgesOpen", p.bad_open}};
  for (const verify::ExactViolated& v : p.run) {
    out["witness"] = run_json(input, v.prompt, v.run);
  }
  if (!p.reason.empty()) {
    out["reason"] = p.reason;
    out["missing"] = p.missing;
  }
  if (!p.expected.empty()) {
    out["expected"] = p.expected;
    out["asExpected"] = p.expected == p.verdict_name();
  }
  return out;
}

std::string property_text(const verify::CheckInput& input, const verify::ClosedProperty& p) {
  using Verdict = verify::ClosedProperty::Verdict;
  static constexpr const char* kWords[] = {"HOLDS", "VIOLATED", "UNKNOWN"};
  std::string out = "  " + p.name + ": " + kWords[static_cast<int>(p.verdict)];
  if (p.verdict == Verdict::holds) {
    out += " (numeric only: bounds in double, not re-checked), " + std::to_string(p.pairs) +
           " pairs of machine and property states\n";
  } else if (p.verdict == Verdict::violated) {
    out += " (replayed): after '" + verify::token_text(input, p.run[0].prompt) + "' the run '" +
           verify::token_text(input, p.run[0].run.tokens) + "'\n";
  } else {
    out += ": " + p.reason + "\n    missing: " + p.missing + "\n";
  }
  return out;
}

}  // namespace

void load_reading(const ProvedSubject& options, Reading& reading) {
  SubjectOptions files;
  files.model = options.model;
  files.spec = options.specs.at(0);
  files.properties = options.properties;
  files.readouts = options.readouts;
  if (!options.sae.empty()) {
    files.saes = {options.sae};
  }
  load_subject(files, reading.subject);
  if (!reading.subject.spec.is_resolved()) {
    resolve_subject(reading.subject, files.spec);
  }
}

std::string read_spec(Reading& reading, const automata::Emission& emission,
                      const verify::PromptSet& prompts, const automata::ClosedGraph& graph,
                      nlohmann::ordered_json& object) {
  reading.properties = verify::check_closed(reading.subject.input, emission, prompts, graph);
  std::string text;
  object["properties"] = nlohmann::ordered_json::array();
  for (const verify::ClosedProperty& p : reading.properties) {
    object["properties"].push_back(property_json(reading.subject.input, p));
    text += property_text(reading.subject.input, p);
  }
  return text;
}

}  // namespace assay::cli
