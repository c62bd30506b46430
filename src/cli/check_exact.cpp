#include "check_exact.hpp"

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"

namespace assay::cli {

nlohmann::ordered_json chance_json(const verify::ChanceBounds& c) {
  using automata::Rounding;
  nlohmann::ordered_json out = {
      {"claim", c.claim},
      {"event", c.event},
      {"least", automata::grid_text(c.least, Rounding::down)},
      {"most", automata::grid_text(c.most, Rounding::up)},
      {"over", "every prompt, and every choice of nature within the intervals"},
      {"horizon", c.horizon ? nlohmann::ordered_json(*c.horizon) : nullptr},
      {"edges", c.edges},
      {"sweeps", c.sweeps}};
  if (c.sampled > 0) {
    out["sampled"] = {{"level", "STATISTICAL"},
                      {"runs", c.sampled},
                      {"hits", c.hits},
                      {"confidence", 0.99},
                      {"lo", automata::millionths(c.interval.lo)},
                      {"hi", automata::millionths(c.interval.hi)}};
  }
  return out;
}

namespace {

/// With the prompt that violates the claim.
nlohmann::ordered_json decided_json(const verify::ExactProperty& p) {
  nlohmann::ordered_json out = chance_json(*p.chance);
  if (const auto* decided = std::get_if<verify::ExactChance>(&p.verdict);
      decided != nullptr && !decided->prompt.empty()) {
    nlohmann::ordered_json prompt = nlohmann::ordered_json::array();
    for (const TokenId t : decided->prompt) {
      prompt.push_back(t.at());
    }
    out["prompt"] = prompt;
  }
  return out;
}

/// Letters, ends, vacuity and the second opinion.
void add_details(const verify::ExactProperty& p, nlohmann::ordered_json& out) {
  nlohmann::ordered_json aps = nlohmann::ordered_json::object();
  for (const verify::ApCount& ap : p.aps) {
    aps[ap.name] = {{"true", ap.yes}, {"false", ap.no}, {"unknown", ap.unknown}};
  }
  out["aps"] = aps;
  out["deadlocks"] = p.deadlocks;
  out["vacuous"] = p.vacuous;
  if (!p.exported.empty()) {
    out["exported"] = p.exported;
  }
  if (!p.opinion.empty()) {
    out["secondOpinion"] = {{"solver", p.solver},
                            {"invariant", p.opinion},
                            {"obligations", p.opinion_obligations},
                            {"detail", p.opinion_detail},
                            {"alarm", p.alarm()}};
  }
}

nlohmann::ordered_json property_json(const verify::ExactInput& input,
                                     const verify::ExactProperty& p) {
  nlohmann::ordered_json out = {{"name", p.name},
                                {"claim", p.some     ? "some"
                                          : p.chance ? "chance"
                                                     : "all"},
                                {"verdict", p.verdict_name()},
                                {"level", p.level()}};
  if (const auto* violated = std::get_if<verify::ExactViolated>(&p.verdict)) {
    out["witness"] = run_json(input.subject, violated->prompt, violated->run);
    if (violated->loop > 0) {
      out["witness"]["loop"] = violated->loop;
    }
  } else if (const auto* unknown = std::get_if<verify::Unknown>(&p.verdict)) {
    out["reason"] = unknown->reason;
    out["missing"] = unknown->missing;
  } else if (const auto* holds = std::get_if<verify::ExactHolds>(&p.verdict)) {
    out["invariant"] = holds->invariant().size();
  } else if (const auto* endless = std::get_if<verify::ExactEndless>(&p.verdict)) {
    out["ranks"] = endless->ranks().size();
    out["highestRank"] = endless->highest();
  }
  if (p.chance) {
    out["probability"] = decided_json(p);
  }
  out["states"] = p.states;
  out["edges"] = {{"absent", p.absent}, {"witnessed", p.witnessed}, {"open", p.open}};
  out["nodes"] = p.pairs;
  if (p.classes > 0) {
    out["minimised"] = p.classes;
  }
  add_details(p, out);
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

nlohmann::ordered_json write_evidence(const std::string& certificate, const std::string& runs,
                                      const Subject& subject, bool resolved_here,
                                      const std::string& path) {
  if (path.empty() || certificate.empty()) {
    if (!path.empty()) {
      say("nothing was decided that can be re-checked: no certificate is written");
    }
    return {{"certificate", ""}};
  }
  write_file_atomic(path, certificate);
  write_file_atomic(path + ".runs", runs);
  nlohmann::ordered_json out = {{"certificate", path}, {"runs", path + ".runs"}};
  if (resolved_here) {
    write_file_atomic(path + ".spec", subject.statement);
    out["statement"] = path + ".spec";
  }
  return out;
}

bool is_exact(const ExactOptions& options) {
  return !options.decoder.empty() || !options.prompts.empty() || !options.allow.empty() ||
         options.max_new.has_value();
}

bool load_exact(const SubjectOptions& subject_options, const ExactOptions& options,
                Subject& subject, verify::ExactInput& input) {
  if (options.decoder.empty() || options.prompts.empty()) {
    throw UsageError("check: expected both --decoder and --prompts, found one of them");
  }
  if (options.states == 0 || options.threads == 0) {
    throw UsageError("--states and --threads: expected a number above 0, found 0");
  }
  constexpr std::size_t kMostMemory = std::size_t{1} << 30U;  // MiB
  if (options.memory == 0 || options.memory > kMostMemory) {
    throw UsageError("--memory: expected 1 to " + std::to_string(kMostMemory) + " MiB, found " +
                     std::to_string(options.memory));
  }
  input.emission = automata::Emission::parse(options.decoder);
  load_subject(subject_options, subject);
  const bool resolved_here = !subject.spec.is_resolved();
  if (resolved_here) {
    resolve_subject(subject, subject_options.spec);
  }
  if (!options.allow.empty()) {
    input.emission.allow(options.allow, subject.spec, subject.model.config.d_vocab);
  }
  input.prompts = verify::parse_prompts(read_file(options.prompts, std::size_t{1} << 26U),
                                        options.prompts, subject.model.config.d_vocab);
  input.subject = subject.input;
  input.max_new = options.max_new;
  input.wants_classes = options.minimise;
  input.limits.states = options.states;
  input.limits.threads = options.threads;
  input.limits.bytes = options.memory << 20U;
  input.limits.opinion_pairs = options.z3_pairs;
  return resolved_here;
}

namespace {

/// Refined mode is wanted, or with `auto` the prompts alone are too many windows.
bool is_refined(const ExactOptions& options, const verify::ExactInput& input,
                const TransformerConfig& config) {
  const bool has_state = !options.state.empty() || !options.resume.empty();
  if (options.mode == "refined" && has_state) {
    throw UsageError("--state and --resume: expected exact mode, found --mode refined");
  }
  return options.mode == "refined" ||
         (options.mode == "auto" && input.emission.is_pairwise() && !has_state &&
          !verify::fits_exact(input.prompts, config, options.states));
}

void name_folders(const ExactOptions& options, verify::ExactInput& input) {
  input.smt_folder = options.smt;
  input.export_folder = options.machines;
  for (const std::string& folder : {options.smt, options.machines}) {
    if (!folder.empty()) {
      make_directory(folder);
    }
  }
}

/// `resumed` holds what is taken from --resume.
verify::StateUse state_of(const ExactOptions& options, const verify::ExactInput& input,
                          const std::string& certificate, verify::EvaluatedWindows& resumed) {
  verify::StateUse out;
  out.file = !options.state.empty()    ? options.state
             : !options.resume.empty() ? options.resume
             : certificate.empty()     ? ""
                                       : certificate + ".state";
  if (!options.resume.empty()) {
    resumed = verify::read_state(options.resume, verify::binding_of(input),
                                 input.subject.model->config.d_vocab);
    say(std::to_string(resumed.windows.size()) + " windows taken from " + options.resume);
    out.resumed = &resumed;
  }
  return out;
}

nlohmann::ordered_json exact_json(const verify::ExactInput& input,
                                  const verify::ExactResult& result,
                                  const verify::StateUse& state) {
  nlohmann::ordered_json properties = nlohmann::ordered_json::array();
  for (const verify::ExactProperty& property : result.properties) {
    if (property.alarm()) {
      say("ALARM: " + property.solver + " contradicts the invariant of " + property.name);
    }
    properties.push_back(property_json(input, property));
  }
  nlohmann::ordered_json object = {{"mode", "exact"},
                                   {"decoder", input.emission.text()},
                                   {"properties", properties},
                                   {"windows", result.windows},
                                   {"evaluated", result.evaluated},
                                   {"byIntervals", result.by_intervals},
                                   {"bytes", result.bytes}};
  if (state.is_left) {
    say("go on with --resume " + state.file.string());
    object["state"] = state.file.string();
  }
  return object;
}

}  // namespace

void run_exact(const SubjectOptions& subject_options, const ExactOptions& options,
               const std::string& certificate, Session& session) {
  Subject subject;
  verify::ExactInput input;
  const bool resolved_here = load_exact(subject_options, options, subject, input);
  input.wants_certificate = !certificate.empty();
  const auto refine = [&] {
    run_refined({input, {options.lemmas, verify::RefinedLimits{}.boxes, options.seconds}}, subject,
                resolved_here, certificate, session);
  };
  if (is_refined(options, input, subject.model.config)) {
    refine();
    return;
  }
  input.wants_opinion = true;
  name_folders(options, input);
  verify::EvaluatedWindows resumed;
  verify::StateUse state = state_of(options, input, certificate, resumed);
  const verify::ExactResult result = verify::check_exact(input, state);
  const bool may_refine = options.mode == "auto" && input.emission.is_pairwise() &&
                          options.state.empty() && options.resume.empty();
  if (may_refine && result.is_exhausted && !interrupted()) {
    say("the windows do not fit the limits of exact mode: trying refined mode");
    refine();
    return;
  }
  nlohmann::ordered_json object = exact_json(input, result, state);
  object.update(
      write_evidence(result.certificate, result.runs, subject, resolved_here, certificate));
  session.finish(result.code(), verify::exact_text(input, result), object);
}

}  // namespace assay::cli
