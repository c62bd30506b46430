#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/envelope.hpp"
#include "assay/verify/counterexample.hpp"
#include "check_subject.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

struct Options : SubjectOptions {
  std::string file, runs, decoder, allow, prompts, evidence;
  std::optional<std::size_t> max_new;
};

/// A file with counterexamples, and the statement that they are about.
struct Source {
  fs::path file, spec, runs;  ///< runs: empty where the options say what runs there are
};

/// A signed case names folders of evidence that have a certificate about runs.
std::vector<Source> of_case(const Options& options, const std::string& text) {
  const nlohmann::json payload =
      nlohmann::json::parse(certify::parse_envelope(text, options.file).payload, nullptr, false);
  if (!payload.is_object() || !payload.contains("predicate") ||
      !payload["predicate"].contains("claims")) {
    throw InputError(options.file + ": expected a signed case with claims");
  }
  const fs::path evidence = options.evidence.empty()
                                ? fs::path(options.file).parent_path() / "evidence"
                                : fs::path(options.evidence);
  std::set<std::string> folders;
  for (const auto& claim : payload["predicate"]["claims"]) {
    for (const auto& name : claim.value("evidence", nlohmann::json::array())) {
      const fs::path path = name.is_string() ? name.get<std::string>() : "";
      if (path.filename() == "runs.cert") {
        folders.insert(path.parent_path().string());
      }
    }
  }
  std::vector<Source> out;
  for (const std::string& folder : folders) {
    const fs::path at = evidence / fs::path(folder).relative_path().lexically_normal();
    out.push_back({at / "runs.cert", at / "resolved.spec", at / "statement.runs"});
  }
  return out;
}

std::vector<Source> sources_of(const Options& options) {
  const std::string text = read_file(options.file, std::size_t{256} << 20U);
  if (text.starts_with("{") && nlohmann::json::parse(text, nullptr, false).contains("payload")) {
    if (!options.spec.empty() || !options.decoder.empty() || !options.runs.empty()) {
      throw UsageError(
          "replay: a signed case says spec, decoder and runs itself; expected none of --spec, "
          "--decoder and --runs");
    }
    return of_case(options, text);
  }
  Source out{options.file, options.spec, options.runs};
  if (text.starts_with("assay-cert 1\n")) {
    if (options.runs.empty() && options.decoder.empty()) {
      out.runs = options.file + ".runs";
    }
    const fs::path beside = options.file + ".spec";
    if (options.spec.empty() && fs::exists(beside)) {
      out.spec = beside;
    }
  }
  if (out.spec.empty()) {
    throw UsageError("--spec: expected the .spec file of the counterexamples, found none");
  }
  return {out};
}

void load(const Options& options, const Source& source, const verify::Counterexamples& found,
          Subject& subject, verify::ExactInput& input) {
  const std::size_t vocabulary = subject.model.config.d_vocab;
  input.subject = subject.input;
  input.prompts = {};
  if (!source.runs.empty()) {
    verify::read_runs(read_file(source.runs), source.runs.string(), input);
    return;
  }
  if (options.decoder.empty() && found.decoder.empty()) {
    throw UsageError("--decoder: " + source.file.string() +
                     " does not say it: expected greedy, min-p:RHO, …");
  }
  input.emission = options.decoder.empty() ? verify::emission_of(found.decoder, subject.spec,
                                                                 vocabulary, source.file.string())
                                           : automata::Emission::parse(options.decoder);
  if (!options.allow.empty()) {
    input.emission.allow(options.allow, subject.spec, vocabulary);
  }
  if (!options.prompts.empty()) {
    input.prompts = verify::parse_prompts(read_file(options.prompts, std::size_t{1} << 26U),
                                          options.prompts, vocabulary);
  }
  input.max_new = options.max_new;
}

std::string names_of(const spec::Spec& spec, std::uint64_t letter) {
  std::string out;
  for (std::size_t i = 0; i < spec.atoms.size(); ++i) {
    out += ((letter >> i) & 1U) != 0 ? (out.empty() ? "" : " ") + spec.atoms[i].name : "";
  }
  return out.empty() ? "-" : out;
}

std::string walk_text(const verify::ExactInput& input, const verify::Counterexample& c,
                      const verify::Replayed& r) {
  std::string out = c.property + ": " + (r.run ? "REPRODUCED" : "NOT REPRODUCED: " + r.reason) +
                    "\n    prompt \"" + verify::token_text(input.subject, c.prompt) + "\" then \"" +
                    verify::token_text(input.subject, c.tokens) + "\"\n";
  for (std::size_t i = 0; r.run && i < r.run->steps.size(); ++i) {
    const verify::WitnessStep& step = r.run->steps[i];
    out += c.loop > 0 && i == c.tokens.size() - c.loop ? "      for ever:\n" : "";
    if (c.loop > 0 && i == c.tokens.size()) {
      out += "      … and " + std::to_string(r.run->steps.size() - i) +
             " tokens more, until every window of the round has come again\n";
      break;
    }
    out += "      '" + verify::token_text(input.subject, {step.token}) + "'  " +
           names_of(*input.subject.spec, step.letter);
    for (const verify::AtomValue& value : step.values) {
      out += "  " + value.what + " in [" + fixed(value.lo, 6) + ", " + fixed(value.hi, 6) + "]";
    }
    for (std::size_t k = 0; k < step.live.size(); ++k) {
      out += (k == 0 ? "  live " : ", ") + step.live[k].first + " " + fixed(step.live[k].second, 3);
    }
    out += "\n";
  }
  return out;
}

ordered_json walk_json(const verify::ExactInput& input, const verify::Counterexample& c,
                       const verify::Replayed& r) {
  ordered_json out = {{"name", c.property}, {"reproduced", r.run.has_value()}};
  if (r.run) {
    out["run"] = run_json(input.subject, c.prompt, *r.run);
    out["run"]["loop"] = c.loop;
  } else {
    out["reason"] = r.reason;
  }
  return out;
}

void run(const Options& options, Session& session) {
  std::string text;
  ordered_json objects = ordered_json::array();
  bool all = true;
  for (const Source& source : sources_of(options)) {
    Subject subject;
    SubjectOptions named = options;
    named.spec = source.spec.string();
    named.properties.clear();
    load_subject(named, subject);
    if (!subject.spec.is_resolved()) {
      resolve_subject(subject, named.spec);
    }
    const verify::Counterexamples found =
        verify::read_counterexamples(read_file(source.file, std::size_t{256} << 20U),
                                     source.file.string(), subject.model.config.d_vocab);
    verify::ExactInput input;
    load(options, source, found, subject, input);
    for (const verify::Counterexample& c : found.runs) {
      const auto& wanted = options.properties;
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), c.property) == wanted.end()) {
        continue;
      }
      const verify::Replayed replayed = verify::replay_counterexample(input, c);
      text += walk_text(input, c, replayed);
      objects.push_back(walk_json(input, c, replayed));
      all = all && replayed.run.has_value();
    }
  }
  const bool none = objects.empty();
  text += none
              ? "no counterexample in " + options.file
              : "outward-rounded arithmetic: every token surely in the decoder's support, every ap "
                "off its threshold";
  session.finish(none  ? ExitCode::unknown
                 : all ? ExitCode::ok
                       : ExitCode::violated,
                 text, {{"mode", "replay"}, {"counterexamples", objects}});
}

}  // namespace

void add_replay(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand("replay",
                                 "Walk a counterexample through the model token by token, "
                                 "outward-rounded: 0 when it reproduces");
  const auto options = std::make_shared<Options>();
  sub->add_option("file", options->file,
                  "JSON of check, attack or threshold, a certificate with WITNESS or LASSO lines, "
                  "or a signed case")
      ->required();
  sub->add_option("--model", options->model, "Model directory")->required();
  sub->add_option("--sae", options->saes,
                  "NAME=DIR of a used dictionary, or DIR of the only one (default: the path in the "
                  "spec)");
  sub->add_option("--readout", options->readouts,
                  "NAME=FILE of a used readout (default: the path in the spec)");
  sub->add_option("--spec", options->spec,
                  "The .spec file (default: FILE.spec beside a certificate)");
  sub->add_option("--prop", options->properties, "These properties only; may be repeated");
  sub->add_option(
      "--runs", options->runs,
      "The statement about prompts, decoder and horizon (default: FILE.runs beside a certificate)");
  sub->add_option("--decoder", options->decoder,
                  "As for check, in place of --runs (default: what the JSON says)");
  sub->add_option("--allow", options->allow, "As for check, with --decoder");
  sub->add_option("--prompts", options->prompts,
                  "The prompts that the claim is about, as for check");
  sub->add_option("--max-new", options->max_new, "Tokens of a run at most, as for check");
  sub->add_option("--evidence", options->evidence,
                  "Evidence of a signed case (default: evidence/ beside it); its signature is not "
                  "checked here: assay verify");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
