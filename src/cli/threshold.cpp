#include "assay/verify/threshold.hpp"

#include <memory>

#include "assay/base/files.hpp"
#include "check_exact.hpp"
#include "check_subject.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options : SubjectOptions, ExactOptions {
  std::string temperature = "1", order = "after";
  std::string from, to = "1", resolution = "1/100", certificate;
};

/// One end of the interval, with its certificate.
nlohmann::ordered_json end_json(const Options& options, const Subject& subject, bool resolved_here,
                                const verify::ExactInput& input,
                                const verify::ThresholdPoint& point) {
  const verify::ExactProperty& p = point.property();
  nlohmann::ordered_json out = {
      {"minP", point.min_p.text()}, {"verdict", p.verdict_name()}, {"level", p.level()}};
  if (const auto* violated = std::get_if<verify::ExactViolated>(&p.verdict)) {
    out["witness"] = run_json(input.subject, violated->prompt, violated->run);
  } else if (const auto* unknown = std::get_if<verify::Unknown>(&p.verdict)) {
    out["reason"] = unknown->reason;
  }
  if (!options.certificate.empty()) {
    out.update(
        write_evidence(point.result.certificate, point.result.runs, subject, resolved_here,
                       options.certificate + "." + p.name + (point.holds() ? ".holds" : ".below")));
  }
  return out;
}

std::string end_text(const verify::ExactInput& input, const verify::ThresholdPoint& point,
                     const nlohmann::ordered_json& json) {
  const verify::ExactProperty& p = point.property();
  std::string out = "    min-p " + point.min_p.text() + ": ";
  if (point.holds()) {
    out += std::string("HOLDS (") + p.level() + "), so it does at every larger min-p";
  } else if (const auto* violated = std::get_if<verify::ExactViolated>(&p.verdict)) {
    out += "VIOLATED (PROVED), so it is at every smaller min-p: prompt \"" +
           verify::token_text(input.subject, violated->prompt) + "\" then \"" +
           verify::token_text(input.subject, violated->run.tokens) + "\"";
  } else {
    out += "UNKNOWN, which says nothing of other min-p: " +
           std::get<verify::Unknown>(p.verdict).reason;
  }
  const std::string certificate = json.value("certificate", "");
  return out + "\n" + (certificate.empty() ? "" : "      certificate " + certificate + "\n");
}

std::string headline(const verify::Threshold& found) {
  if (!found.holds) {
    return "does not hold at the largest min-p that was tried";
  }
  if (!found.below) {
    return "holds at the smallest min-p that was tried";
  }
  const bool sharp = std::holds_alternative<verify::ExactViolated>(found.below->property().verdict);
  const Rational* violated = sharp ? &found.below->min_p : nullptr;  // the largest one tried
  for (const auto& [min_p, verdict] : found.tried) {
    if (verdict == "violated" && (violated == nullptr || min_p.nearest() > violated->nearest())) {
      violated = &min_p;
    }
  }
  const std::string above = found.holds->min_p.text() + "]";
  if (violated == nullptr) {
    return "the smallest min-p for which it holds is at most " + found.holds->min_p.text() +
           "; nothing was shown below";
  }
  return "the smallest min-p for which it holds lies in (" + violated->text() + ", " + above +
         (sharp ? "" : "; UNKNOWN at " + found.below->min_p.text());
}

/// Everything about one property; adds to both forms of the answer.
verify::Threshold examine(const Options& options, const Subject& subject, bool resolved_here,
                          const verify::ThresholdInput& input, std::string& text,
                          nlohmann::ordered_json& list) {
  verify::Threshold found = verify::find_threshold(input);
  const std::string& name = input.exact.subject.properties.front();
  nlohmann::ordered_json json = {{"name", name}};
  text += name + ": " + headline(found) + "\n";
  for (const auto* end : {&found.below, &found.holds}) {
    if (*end) {
      const auto object = end_json(options, subject, resolved_here, input.exact, **end);
      text += end_text(input.exact, **end, object);
      json[end == &found.holds ? "holds" : "below"] = object;
    }
  }
  text += found.interrupted ? "    interrupted: the interval is wider than the resolution\n" : "";
  nlohmann::ordered_json tried = nlohmann::ordered_json::array();
  for (const auto& [min_p, verdict] : found.tried) {
    tried.push_back({min_p.text(), verdict});
  }
  json["tried"] = tried;
  json["interrupted"] = found.interrupted;
  list.push_back(json);
  return found;
}

void run(Options& options, Session& session) {
  options.decoder = "min-p:1:" + options.temperature + ":" + options.order;
  Subject subject;
  verify::ThresholdInput input;
  const bool resolved_here = load_exact(options, options, subject, input.exact);
  input.resolution = rational_option(options.resolution, "--resolution");
  input.from = options.from.empty() ? input.resolution : rational_option(options.from, "--from");
  input.to = rational_option(options.to, "--to");
  input.exact.wants_certificate = !options.certificate.empty();
  std::vector<std::string> names = options.properties;
  for (const spec::Property& property : subject.spec.properties) {
    if (options.properties.empty()) {
      names.push_back(property.name);
    }
  }
  std::string text;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  bool violated = false, unknown = names.empty();
  for (const std::string& name : names) {
    input.exact.subject.properties = {name};
    const ExitCode code = examine(options, subject, resolved_here, input, text, list).code();
    violated = violated || code == ExitCode::violated;
    unknown = unknown || code == ExitCode::unknown;
  }
  text += "min-p from " + input.from.text() + " to " + input.to.text() + " by " +
          input.resolution.text() + ", temperature " + options.temperature + " " + options.order +
          " the cut; the smaller min-p emits more, so verdicts carry over; real arithmetic";
  session.finish(violated  ? ExitCode::violated
                 : unknown ? ExitCode::unknown
                           : ExitCode::ok,
                 text, {{"properties", list}});
}

}  // namespace

void add_threshold(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand(
      "threshold", "Find the smallest min-p for which a property holds of every run (exact mode)");
  const auto options = std::make_shared<Options>();
  add_subject_options(*sub, *options, "This property only; may be repeated");
  sub->add_option("--prompts", options->prompts,
                  R"({"tokens":[[IDS],...]} or {"any":true,"max_length":N})")
      ->required();
  sub->add_option("--temperature", options->temperature, "Temperature of the decoder (default 1)");
  sub->add_option("--order", options->order,
                  "Temperature before or after the min-p cut (default after)");
  sub->add_option("--allow", options->allow, "As in assay check");
  sub->add_option("--max-new", options->max_new, "Tokens of a run at most (default: no end)");
  sub->add_option("--from", options->from, "Smallest min-p to try (default: the resolution)");
  sub->add_option("--to", options->to, "Largest min-p to try (default 1)");
  sub->add_option("--resolution", options->resolution, "Step of the grid (default 1/100)");
  sub->add_option("--states", options->states, "Windows and pairs at most, for one min-p");
  sub->add_option("--threads", options->threads, "Threads that evaluate windows");
  sub->add_option(
      "--certificate", options->certificate,
      "Write the ends' certificates: PREFIX.PROP.holds and PREFIX.PROP.below, each with .runs");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
