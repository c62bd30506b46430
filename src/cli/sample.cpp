#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/verify/sampled.hpp"
#include "check_subject.hpp"
#include "named_files.hpp"
#include "sample_torch.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kMostRuns = 10'000'000, kMostNew = 1'000'000;

struct Options : SubjectOptions {
  std::string decoder, allow, prompts, alpha = "1/100", at_most, engine = "reference", out,
                                       device = "auto";
  std::vector<std::string> split;
  std::size_t runs = 1000, max_new = 64, threads = 2, batch = 64, keep = 10;
  std::uint64_t seed = 1;
};

/// Owns what the input points to.
struct Files {
  DeepModel model;
  Subject subject;
  verify::SampleInput input;
};

void load(const Options& options, Files& files) {
  if (options.runs == 0 || options.max_new == 0 || options.threads == 0 || options.batch == 0) {
    throw UsageError(
        "--runs, --max-new, --threads and --batch: expected a number above 0, found 0");
  }
  if (options.runs > kMostRuns || options.max_new > kMostNew) {
    throw UsageError("--runs, --max-new: expected at most " + std::to_string(kMostRuns) + " and " +
                     std::to_string(kMostNew) + ", found " + std::to_string(options.runs) +
                     " and " + std::to_string(options.max_new));
  }
  verify::SampleInput& input = files.input;
  input.emission = automata::Emission::parse(options.decoder);
  input.decoder = options.decoder;
  input.allow = options.allow;
  files.model = load_deep_model(options.model);
  if (files.model.config.n_layers == 1 && !files.model.rms) {
    load_subject(options, files.subject);
  } else {
    load_subject(options, files.model, files.subject);
  }
  if (!files.subject.spec.is_resolved()) {
    resolve_subject(files.subject, options.spec);
  }
  const std::size_t vocabulary = files.model.config.d_vocab;
  if (!options.allow.empty()) {
    input.emission.allow(options.allow, files.subject.spec, vocabulary);
  }
  input.prompts = verify::PromptLaw::parse(read_file(options.prompts, std::size_t{1} << 26U),
                                           options.prompts, vocabulary);
  input.subject = files.subject.input;
  input.model = &files.model;
  input.runs = options.runs;
  input.max_new = options.max_new;
  input.alpha = rational_option(options.alpha, "--alpha");
  for (const std::string& entry : options.split) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos) {
      throw UsageError("--split: expected NAME=SHARE, found " + visible(entry));
    }
    input.split[entry.substr(0, equals)] = rational_option(entry.substr(equals + 1), "--split");
  }
  input.seed = options.seed;
  input.threads = options.threads;
  input.batch = options.batch;
  input.kept = options.keep;
}

ordered_json ids(const std::vector<TokenId>& tokens) {
  ordered_json out = ordered_json::array();
  for (const TokenId t : tokens) {
    out.push_back(t.at());
  }
  return out;
}

ordered_json property_json(const verify::SampleInput& input, const verify::SampleResult& result,
                           const verify::SampledProperty& p) {
  if (!p.skipped.empty()) {
    return {{"name", p.name}, {"skipped", p.skipped}};
  }
  ordered_json counterexamples = ordered_json::array();
  for (const verify::Counterexample& c : p.counterexamples) {
    const SampledRun& run = result.runs[c.run];
    ordered_json one = {{"run", c.run},
                        {"prompt", ids(run.prompt)},
                        {"tokens", ids(run.tokens)},
                        {"text", verify::token_text(input.subject, run.prompt) + "|" +
                                     verify::token_text(input.subject, run.tokens)},
                        {"replayed", c.replayed.has_value()}};
    if (c.replayed) {
      one["witness"] = run_json(input.subject, run.prompt, *c.replayed);
    } else {
      one["reason"] = c.reason;
    }
    counterexamples.push_back(std::move(one));
  }
  return {{"name", p.name},
          {"level", "STATISTICAL"},
          {"event", "violated within " + std::to_string(input.max_new) + " tokens"},
          {"n", result.runs.size()},
          {"k", p.violated},
          {"undecided", p.undecided},
          {"holds", p.holds},
          {"open", p.open},
          {"alpha", p.alpha.text()},
          {"lo", automata::millionths(p.interval.lo)},
          {"hi", automata::millionths(p.interval.hi)},
          {"counterexamples", counterexamples}};
}

/// With a limit: every upper end within it, or a lower end above it. Without: the intervals are the result.
ExitCode code_of(const Options& options, const verify::SampleResult& result) {
  bool within = true, above = false, any = false;
  const Rational limit =
      options.at_most.empty() ? Rational{1, 1} : rational_option(options.at_most, "--at-most");
  for (const verify::SampledProperty& p : result.properties) {
    __extension__ using Wide = __int128;
    const auto exceeds = [&](std::uint32_t millionths) {
      return Wide{millionths} * limit.den > Wide{limit.num} * 1000000;
    };
    any = any || p.skipped.empty();
    within = within && p.skipped.empty() && !exceeds(p.interval.hi);
    above = above || (p.skipped.empty() && exceeds(p.interval.lo));
  }
  if (options.at_most.empty()) {
    return any ? ExitCode::ok : ExitCode::unknown;
  }
  return above ? ExitCode::violated : within ? ExitCode::ok : ExitCode::unknown;
}

void write_out(const fs::path& out, const verify::SampleResult& result,
               const ordered_json& object) {
  if (out.empty()) {
    return;
  }
  write_file_atomic(out / "runs.jsonl", runs_jsonl(result.runs));
  std::error_code ignored;
  fs::remove(out / "part.jsonl", ignored);
  std::string lines;
  for (const verify::SampledProperty& p : result.properties) {
    for (const verify::Counterexample& c : p.counterexamples) {
      lines += ordered_json{{"property", p.name},
                            {"run", c.run},
                            {"replayed", c.replayed.has_value()},
                            {"prompt", ids(result.runs[c.run].prompt)},
                            {"tokens", ids(result.runs[c.run].tokens)}}
                   .dump() +
               "\n";
    }
  }
  write_file_atomic(out / "counterexamples.jsonl", lines);
  write_file_atomic(out / "result.json",
                    object.dump(1, ' ', true, ordered_json::error_handler_t::replace) + "\n");
}

void write_plan(const fs::path& out, const std::string& plan, const std::string& spec) {
  if (!out.empty()) {
    make_directory(out);
    write_file_atomic(out / "plan.json", plan);
    write_file_atomic(out / "resolved.spec", spec);
  }
}

/// The first runs of the same plan that an interrupted command left in --out.
std::vector<SampledRun> begun_runs(const fs::path& out, const std::string& plan,
                                   const verify::SampleInput& input) {
  const fs::path part = out / "part.jsonl";
  if (out.empty() || !fs::exists(part) || !fs::exists(out / "plan.json") ||
      read_file(out / "plan.json") != plan) {
    return {};
  }
  std::vector<SampledRun> runs =
      parse_runs_jsonl(read_file(part), part.string(), input.model->config.d_vocab);
  const std::vector<std::vector<TokenId>> prompts = verify::plan_prompts(input);
  const bool same = runs.size() <= prompts.size() &&
                    std::equal(runs.begin(), runs.end(), prompts.begin(),
                               [](const SampledRun& r, const auto& p) { return r.prompt == p; });
  if (!same) {
    throw InputError(part.string() + ": not the first runs of this plan; remove it");
  }
  say("going on after " + std::to_string(runs.size()) + " runs that were drawn before");
  return runs;
}

/// The plan's runs by the reference forward pass. The plan stands, on disk where there is a place for it, before
/// anything is drawn; Ctrl-C keeps what was drawn there.
std::vector<SampledRun> reference_runs(const fs::path& out, const std::string& plan,
                                       const Files& files) {
  std::vector<SampledRun> begun = begun_runs(out, plan, files.input);
  write_plan(out, plan, files.subject.statement);
  std::vector<SampledRun> runs = verify::continue_runs(files.input, std::move(begun));
  const bool finished = runs.size() == files.input.runs;
  std::string kept = "; without --out a part of a plan counts for nothing";
  if (!out.empty() && !finished) {
    write_file_atomic(out / "part.jsonl", runs_jsonl(runs, true));
    kept = " kept in " + (out / "part.jsonl").string() + "; the same command goes on from there";
  }
  if (!finished) {
    throw Error(ExitCode::interrupted, "interrupted: " + std::to_string(runs.size()) + " of " +
                                           std::to_string(files.input.runs) + " runs" + kept);
  }
  return runs;
}

void run(const Options& options, Session& session) {
  Files files;
  load(options, files);
  const verify::SampleInput& input = files.input;
  const std::string plan = verify::sampling_plan(input);
  const auto start = std::chrono::steady_clock::now();
  std::vector<SampledRun> runs;
  if (options.engine == "torch") {
    write_plan(options.out, plan, files.subject.statement);
    runs = torch_runs(input, options.model, options.device);
  } else {
    runs = reference_runs(options.out, plan, files);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Parting parting;
  if (options.engine == "both") {
    parting = compare(runs, torch_runs(input, options.model, options.device));
  }
  const verify::SampleResult result = verify::count_runs(input, std::move(runs));
  ordered_json properties = ordered_json::array();
  for (const verify::SampledProperty& p : result.properties) {
    properties.push_back(property_json(input, result, p));
  }
  ordered_json object = {{"mode", "sample"},
                         {"engine", options.engine},
                         {"layers", files.model.config.n_layers},
                         {"plan", ordered_json::parse(plan)},
                         {"planSha256", sha256(plan).hex()},
                         {"runsSha256", sha256(runs_jsonl(result.runs)).hex()},
                         {"tokens", result.tokens},
                         {"nearTies", result.near_ties},
                         {"properties", properties}};
  std::string text = verify::sample_text(input, result);
  if (options.engine == "both") {
    object["engines"] = parting.json();
    text += "\n" + parting.text();
  }
  write_out(options.out, result, object);
  object["seconds"] = seconds;
  text += "\n" + std::to_string(result.tokens) + " tokens in " + fixed(seconds, 2) + " s";
  session.finish(parting.is_fault() ? ExitCode::unknown : code_of(options, result), text, object);
}

}  // namespace

void add_sample(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand(
      "sample", "Rates of a spec's violations over runs drawn independently, with exact intervals");
  const auto options = std::make_shared<Options>();
  add_subject_options(*sub, *options, "Count this property only; may be repeated");
  sub->add_option(
         "--decoder", options->decoder,
         "greedy, min-p:RHO[:T[:before|after]], top-k:K[:T], top-p:P[:T[:before|after]] or "
         "plain[:T]")
      ->required();
  sub->add_option("--allow", options->allow, "As in assay check");
  sub->add_option("--prompts", options->prompts,
                  R"(The law of prompts: {"tokens":[[IDS],...]} and {"any":true,"max_length":N} )"
                  R"(uniformly, {"list":[[IDS],...],"weights":[W,...]})")
      ->required();
  sub->add_option("--runs", options->runs, "Runs to draw")->capture_default_str();
  sub->add_option("--max-new", options->max_new, "Tokens of a run at most: the horizon")
      ->capture_default_str();
  sub->add_option("--alpha", options->alpha, "The chance of error of all intervals together")
      ->capture_default_str();
  sub->add_option("--split", options->split,
                  "PROP=SHARE of alpha; the others share the rest evenly (default: all evenly)");
  sub->add_option("--at-most", options->at_most,
                  "Exit 0 when every rate is at most this, 1 when one is not, 3 when undecided");
  sub->add_option("--seed", options->seed, "Seed of prompts and tokens")->capture_default_str();
  sub->add_option("--threads", options->threads, "Threads; the result is the same")
      ->capture_default_str();
  sub->add_option("--batch", options->batch, "Runs side by side; the result is the same")
      ->capture_default_str();
  sub->add_option("--engine", options->engine,
                  "reference, torch (runs assay-torch) or both, to compare their tokens")
      ->check(CLI::IsMember({"reference", "torch", "both"}))
      ->capture_default_str();
  sub->add_option("--device", options->device, "Engine torch: auto, cpu or cuda")
      ->capture_default_str();
  sub->add_option("--keep", options->keep, "Counterexamples to replay for each property")
      ->capture_default_str();
  sub->add_option("--out", options->out,
                  "Directory for plan.json, runs.jsonl, counterexamples.jsonl and result.json");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
