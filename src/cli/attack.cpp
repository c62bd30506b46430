#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/checker.hpp"
#include "assay/verify/run_attack.hpp"
#include "check_subject.hpp"
#include "named_files.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

struct Options : SubjectOptions {
  std::string decoder, allow, prompts, certificate, out;
  std::optional<std::size_t> max_new;
  std::size_t length = verify::AttackInput{}.length, steps = verify::AttackInput{}.steps;
  double seconds = 0;
  std::uint64_t seed = 1;
};

/// The statement that a certificate is about is the one that is attacked, and the independent checker accepts it: the
/// names that HOLD.
std::set<std::string> certified(const Options& options, const Subject& subject,
                                const verify::AttackInput& input) {
  const fs::path file = options.certificate;
  const fs::path runs = file.string() + ".runs";
  if (read_file(runs) != verify::runs_statement(input)) {
    throw UsageError("--certificate: " + runs.string() +
                     " speaks of other prompts, another decoder or another --max-new");
  }
  fs::path spec = file.string() + ".spec";
  spec = fs::exists(spec) ? spec : fs::path(options.spec);
  if (read_file(spec) != subject.statement) {
    throw UsageError("--certificate: " + spec.string() + " is not the spec that is attacked");
  }
  std::vector<certify::CheckInput> inputs = {{"spec", fs::absolute(spec).string()},
                                             {"runs", fs::absolute(runs).string()}};
  const NamedPaths saes = named_paths(named_saes(options.saes, subject.spec), "--sae");
  const NamedPaths readouts = named_paths(options.readouts, "--readout");
  for (const spec::Use& use : subject.spec.uses) {
    const auto file_of = [&](const NamedPaths& given) {
      return fs::absolute(path_of(use, given, options.spec)).string();
    };
    if (use.kind == "sae") {
      inputs.push_back({"sae", file_of(saes)});
    } else if (use.kind == "readout") {
      inputs.push_back({"readout", use.name + "=" + file_of(readouts)});
    }
  }
  const certify::CheckerRun run = certify::run_checker(
      certify::checker_beside_program(), options.model, "/", fs::absolute(file).string(), inputs);
  if (!run.accepted) {
    throw Error(ExitCode::evidence,
                "--certificate: assay-check does not accept it: " + run.message);
  }
  std::set<std::string> out;
  for (const certify::AcceptLine& line : run.accepts) {
    if (line.statement.starts_with("HOLDS of every run of the model")) {
      out.insert(line.claim);
    }
  }
  return out;
}

ordered_json ids(const std::vector<TokenId>& tokens) {
  ordered_json out = ordered_json::array();
  for (const TokenId t : tokens) {
    out.push_back(t.at());
  }
  return out;
}

ordered_json result_json(const verify::AttackInput& input, const verify::AttackResult& r,
                         bool has_certificate) {
  if (!r.skipped.empty()) {
    return {{"name", r.name}, {"skipped", r.skipped}};
  }
  ordered_json out = {{"name", r.name},
                      {"certified", has_certificate},
                      {"verdict", r.violated ? "VIOLATED" : "not broken"},
                      {"alarm", has_certificate && r.violated},
                      {"steps", r.steps},
                      {"tries", r.tries},
                      {"brinks", r.brinks},
                      {"ties", r.ties},
                      {"seconds", r.seconds}};
  if (r.nearest) {
    out["nearest"] = {
        {"nats", *r.nearest}, {"prompt", ids(r.nearest_prompt)}, {"tokens", ids(r.nearest_run)}};
  }
  if (r.violated) {
    out["witness"] = run_json(input.subject, r.prompt, *r.violated);
  }
  return out;
}

std::string result_text(const verify::AttackInput& input, const verify::AttackResult& r,
                        bool has_certificate) {
  if (!r.skipped.empty()) {
    return r.name + ": not attacked: " + r.skipped;
  }
  std::string out = r.name + ": " +
                    (!r.violated       ? "not broken"
                     : has_certificate ? "SOUNDNESS ALARM: VIOLATED beside an accepted certificate"
                                       : "VIOLATED") +
                    " after " + std::to_string(r.steps) + " steps, " + std::to_string(r.brinks) +
                    " brinks, " + fixed(r.seconds, 1) + " s";
  if (r.violated) {
    out += "\n  prompt \"" + verify::token_text(input.subject, r.prompt) + "\" then \"" +
           verify::token_text(input.subject, r.violated->tokens) + "\", replayed";
  } else if (r.nearest) {
    out += "; nearest " + fixed(*r.nearest, 3) + " nats from the cut: \"" +
           verify::token_text(input.subject, r.nearest_prompt) + "\" then \"" +
           verify::token_text(input.subject, r.nearest_run) + "\"";
  }
  return out + (r.ties > 0 ? "; " + std::to_string(r.ties) + " runs did not replay" : "");
}

void load(const Options& options, Subject& subject, verify::AttackInput& input) {
  if (options.steps == 0 || options.length == 0) {
    throw UsageError("--steps and --length: expected a number above 0, found 0");
  }
  input.emission = automata::Emission::parse(options.decoder);
  load_subject(options, subject);
  if (!subject.spec.is_resolved()) {
    resolve_subject(subject, options.spec);
  }
  const std::size_t vocabulary = subject.model.config.d_vocab;
  if (!options.allow.empty()) {
    input.emission.allow(options.allow, subject.spec, vocabulary);
  }
  input.prompts = verify::parse_prompts(read_file(options.prompts, std::size_t{1} << 26U),
                                        options.prompts, vocabulary);
  input.subject = subject.input;
  input.max_new = options.max_new;
  input.length = options.length;
  input.steps = options.steps;
  input.seconds = options.seconds;
  input.seed = options.seed;
}

void run(const Options& options, Session& session) {
  Subject subject;
  verify::AttackInput input;
  load(options, subject, input);
  std::set<std::string> holds;
  if (!options.certificate.empty()) {
    holds = certified(options, subject, input);
    if (input.subject.properties.empty()) {
      input.subject.properties.assign(holds.begin(), holds.end());
    }
    if (holds.empty()) {
      throw UsageError("--certificate: no property of it HOLDS");
    }
  }
  ordered_json results = ordered_json::array();
  std::string text;
  bool violated = false, alarm = false, all_certified = true, any = false;
  for (const verify::AttackResult& r : verify::attack_runs(input)) {
    const bool has_certificate = holds.contains(r.name);
    results.push_back(result_json(input, r, has_certificate));
    text += (text.empty() ? "" : "\n") + result_text(input, r, has_certificate);
    violated = violated || r.violated;
    alarm = alarm || (has_certificate && r.violated);
    any = true;
    all_certified = all_certified && has_certificate && r.skipped.empty();
  }
  const ExitCode code = alarm                  ? ExitCode::internal
                        : violated             ? ExitCode::violated
                        : any && all_certified ? ExitCode::ok
                                               : ExitCode::unknown;
  const ordered_json object = {{"mode", "attack"},
                               {"decoder", input.emission.text()},
                               {"seed", input.seed},
                               {"properties", results}};
  if (!options.out.empty()) {
    write_file_atomic(options.out,
                      object.dump(1, ' ', true, ordered_json::error_handler_t::replace) + "\n");
  }
  session.finish(interrupted() ? ExitCode::interrupted : code, text, object);
}

}  // namespace

void add_attack(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand(
      "attack", "Look for a run that breaks a property that HOLDS: guided sampling to the brink");
  const auto options = std::make_shared<Options>();
  add_subject_options(*sub, *options, "Attack this property only; may be repeated");
  sub->add_option(
         "--decoder", options->decoder,
         "greedy, min-p:RHO[:T[:before|after]], top-k:K[:T], top-p:P[:T[:before|after]] or "
         "plain[:T]")
      ->required();
  sub->add_option("--allow", options->allow, "As in assay check");
  sub->add_option("--prompts", options->prompts,
                  R"({"tokens":[[IDS],...]} or {"any":true,"max_length":N})")
      ->required();
  sub->add_option("--max-new", options->max_new, "Tokens of a run at most (default: no end)");
  sub->add_option("--length", options->length, "Tokens generated in one try at most")
      ->capture_default_str();
  sub->add_option("--steps", options->steps, "Contexts evaluated for one property at most")
      ->capture_default_str();
  sub->add_option("--seconds", options->seconds,
                  "Safety stop for one property (0: none); not reproducible")
      ->check(CLI::NonNegativeNumber);
  sub->add_option("--seed", options->seed, "Seed of everything random")->capture_default_str();
  sub->add_option(
      "--certificate", options->certificate,
      "Certificate of assay check, FILE.runs beside it: what it says HOLDS is attacked, and a "
      "violation is a soundness alarm (exit 10)");
  sub->add_option("--out", options->out, "Write the result here too");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
