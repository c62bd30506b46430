#include "check_exact.hpp"

namespace assay::cli {
namespace {

nlohmann::ordered_json property_json(const verify::RefinedInput& input,
                                     const verify::RefinedProperty& p) {
  nlohmann::ordered_json out = {
      {"name", p.name}, {"verdict", p.verdict_name()}, {"level", p.level()}};
  if (const auto* violated = std::get_if<verify::ExactViolated>(&p.verdict)) {
    out["witness"] = run_json(input.runs.subject, violated->prompt, violated->run);
  } else if (const auto* unknown = std::get_if<verify::Unknown>(&p.verdict)) {
    out["reason"] = unknown->reason;
    out["missing"] = unknown->missing;
  } else if (const auto* chance = std::get_if<verify::RefinedChance>(&p.verdict)) {
    out["states"] = chance->leaves().size();
  } else {
    out["states"] = std::get<verify::RefinedHolds>(p.verdict).proof().states.size();
    out["antecedent"] = p.antecedent();
    out["matters"] = nlohmann::ordered_json::array();
    for (const verify::RefinedMatter& m : p.matters) {
      nlohmann::ordered_json each = {{"ap", input.runs.subject.spec->atoms[m.atom].name},
                                     {"replacedBy", !m.positive}};
      each["run"] = m.run ? run_json(input.runs.subject, m.run->prompt, m.run->run)
                          : nlohmann::ordered_json();
      out["matters"].push_back(std::move(each));
    }
  }
  if (p.chance) {
    out["probability"] = chance_json(*p.chance);
  }
  out["lemmas"] = p.lemmas;
  out["patterns"] = p.patterns;
  out["refinements"] = p.refinements;
  out["excluded"] = p.excluded;
  out["edges"] = {{"absent", p.absent}, {"witnessed", p.witnessed}, {"open", p.open}};
  out["nodes"] = p.bounded;
  out["attacked"] = p.attacked;
  out["depth"] = p.depth;
  out["monitorStates"] = p.dfa_states;
  out["seconds"] = p.seconds;
  if (!p.expected.empty()) {
    out["expected"] = p.expected;
    out["asExpected"] = p.expected == p.verdict_name();
  }
  return out;
}

}  // namespace

void run_refined(const verify::RefinedInput& input, const Subject& subject, bool resolved_here,
                 const std::string& certificate, Session& session) {
  const verify::RefinedResult result = verify::check_refined(input);
  nlohmann::ordered_json properties = nlohmann::ordered_json::array();
  for (const verify::RefinedProperty& property : result.properties) {
    properties.push_back(property_json(input, property));
  }
  nlohmann::ordered_json object = {
      {"mode", "refined"}, {"decoder", input.runs.emission.text()}, {"properties", properties}};
  object.update(
      write_evidence(result.certificate, result.runs, subject, resolved_here, certificate));
  session.finish(result.code(), verify::refined_text(input, result), object);
}

}  // namespace assay::cli
