#include "assay/verify/check.hpp"

#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/spec/print.hpp"
#include "check_exact.hpp"
#include "check_hoa.hpp"
#include "check_subject.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options : SubjectOptions, ExactOptions {
  std::string automaton, samples, out;
  std::size_t nodes = verify::Limits{}.search_nodes;
};

struct Files : Subject {
  automata::FittedAutomaton automaton;
};

void load(const Options& options, Files& files) {
  load_subject(options, files);
  verify::CheckInput& input = files.input;
  const std::string json = read_file(options.automaton);
  files.automaton = automata::parse_automaton(json, options.automaton);
  input.automaton = &files.automaton;
  input.automaton_digest = sha256(json);
  if (!options.samples.empty()) {
    input.samples =
        verify::parse_samples(read_file(options.samples), options.samples,
                              files.automaton.prompts.size(), files.model.config.d_vocab);
  }
  input.limits.search_nodes = options.nodes;
}

nlohmann::ordered_json property_json(const verify::CheckInput& input,
                                     const verify::PropertyResult& p) {
  nlohmann::ordered_json out = {{"name", p.name},
                                {"verdict", verify::name(p.verdict)},
                                {"level", "OBSERVED"},
                                {"monitorStates", p.dfa_states},
                                {"pairs", p.pairs}};
  if (const auto* violated = std::get_if<verify::Violated>(&p.verdict)) {
    out["counterexample"] = run_json(input, input.automaton->prompts[violated->prompt], *violated);
  } else if (const auto* unknown = std::get_if<verify::Unknown>(&p.verdict)) {
    out["reason"] = unknown->reason;
    out["missing"] = unknown->missing;
  } else {
    out["invariant"] = std::get<verify::Holds>(p.verdict).invariant().size();
  }
  out["secondOpinion"] = {{"solver", p.solver},
                          {"invariant", p.invariant_opinion},
                          {"reachability", p.reachability_opinion},
                          {"detail", p.opinion_detail}};
  nlohmann::ordered_json aps = nlohmann::ordered_json::object();
  for (const verify::ApCount& ap : p.aps) {
    aps[ap.name] = {{"true", ap.yes}, {"false", ap.no}, {"unknown", ap.unknown}};
  }
  out["aps"] = aps;
  out["vacuous"] = p.vacuous;
  out["waiver"] = p.waiver;
  if (!p.expected.empty()) {
    out["expected"] = p.expected;
    out["asExpected"] = p.as_expected();
  }
  return out;
}

void run(const Options& options, Session& session) {
  if (is_hoa(options.automaton)) {
    if (is_exact(options)) {
      throw UsageError(
          "check: expected --automaton FILE.hoa, or --decoder and --prompts, found both");
    }
    check_hoa(options.automaton, options.spec, options.properties, options.out,
              {options.smt, options.machines}, session);
    return;
  }
  if (options.model.empty()) {
    throw UsageError("--model: expected the model's directory, found none");
  }
  if (is_exact(options)) {
    if (!options.automaton.empty() || !options.samples.empty()) {
      throw UsageError("check: expected --automaton, or --decoder and --prompts, found both");
    }
    run_exact(options, options, options.out, session);
    return;
  }
  if (options.automaton.empty()) {
    throw UsageError("check: expected --automaton FILE, or --decoder and --prompts, found neither");
  }
  Files files;
  load(options, files);
  const verify::CheckResult result = verify::check(files.input);
  if (!options.out.empty() && !result.certificate.empty()) {
    write_file_atomic(options.out, result.certificate);
  } else if (!options.out.empty()) {
    say("no property was decided: no certificate is written");
  }
  nlohmann::ordered_json properties = nlohmann::ordered_json::array();
  for (const verify::PropertyResult& property : result.properties) {
    properties.push_back(property_json(files.input, property));
  }
  session.finish(result.code(), verify::check_text(files.input, result),
                 {{"note", verify::kObserved},
                  {"properties", properties},
                  {"certificate", result.certificate.empty() ? "" : options.out}});
}

void add_exact_options(CLI::App& sub, ExactOptions& options) {
  sub.add_option(
      "--decoder", options.decoder,
      "Exact and refined mode: greedy, min-p:RHO[:T[:before|after]] or top-k:K; exact mode "
      "top-p:P[:T[:before|after]] or plain too; the others with :T too");
  sub.add_option("--allow", options.allow,
                 "Exact mode: only tokens of this class of the spec, or ids (3,5-9), are emitted: "
                 "[before:|after:]LIST, before or after the decoder's cut (default: before)");
  sub.add_option(
      "--prompts", options.prompts,
      R"(Exact and refined mode: {"tokens":[[IDS],...]} or {"any":true,"max_length":N})");
  sub.add_option("--max-new", options.max_new,
                 "Exact and refined mode: tokens of a run at most (default: no end)");
  sub.add_option("--states", options.states, "Exact mode: windows and pairs at most");
  sub.add_option("--threads", options.threads, "Exact mode: threads that evaluate windows");
  sub.add_option("--memory", options.memory, "Exact mode: MiB of states at most (default 8192)");
  sub.add_option("--z3-pairs", options.z3_pairs,
                 "Exact mode: largest invariant that Z3 is asked about (default 5000 pairs)");
  sub.add_option(
      "--smt", options.smt,
      "Exact mode and levels: write every obligation of an invariant here in SMT-LIB2, whatever "
      "its size");
  sub.add_option(
      "--export", options.machines,
      "Exact mode and .hoa machines: write each property's machine here for other tools: HOA, DOT, "
      "SMV, AIGER; of a probability its interval chain: DRN, PRISM");
  sub.add_flag("--minimise", options.minimise,
               "Exact mode: count the states that the aps of a property that holds can tell apart");
  sub.add_option(
         "--mode", options.mode,
         "With --decoder: exact (every window), refined (lemmas about sets of contexts), or "
         "auto (exact where the windows fit --states)")
      ->check(CLI::IsMember({"exact", "refined", "auto"}));
  sub.add_option("--lemmas", options.lemmas,
                 "Refined mode: bounds computed for one property at most");
  sub.add_option("--seconds", options.seconds,
                 "Refined mode: safety stop for one property; what it ends is UNKNOWN")
      ->check(CLI::NonNegativeNumber);
  sub.add_option(
      "--state", options.state,
      "Exact mode: keep what was evaluated in this file, every minute, on Ctrl-C and when a budget "
      "is used up (default: the "
      "--resume file, else the certificate's path with .state); a run that ends takes it away");
  sub.add_option("--resume", options.resume,
                 "Exact mode: go on from a state of the same model, spec, prompts, decoder, "
                 "--max-new and --prop; ends in the certificate that an uninterrupted run writes");
}

}  // namespace

void add_check(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand("check",
                                 "Decide a spec's properties on the exact machine, by lemmas about "
                                 "sets of contexts, on the fitted automaton or a given one");
  const auto options = std::make_shared<Options>();
  sub->add_option("--model", options->model, "Model directory (not with a .hoa machine)");
  sub->add_option("--sae", options->saes,
                  "NAME=DIR of a used dictionary, or DIR of the only one (default: the path in the "
                  "spec)");
  sub->add_option("--readout", options->readouts,
                  "NAME=FILE of a used readout (default: the path in the spec)");
  sub->add_option("--spec", options->spec, "The .spec file; with --automaton the resolved one")
      ->required();
  sub->add_option("--prop", options->properties, "Check this property only; may be repeated");
  add_exact_options(*sub, *options);
  sub->add_option("--automaton", options->automaton,
                  "Fitted mode: automaton.json of assay automaton; or a machine in HOA (FILE.hoa)");
  sub->add_option("--samples", options->samples,
                  "Fitted mode: samples.jsonl of assay automaton: real runs to look at first");
  sub->add_option("--nodes", options->nodes,
                  "Fitted mode: prefixes of real runs that the search looks at");
  sub->add_option("--certificate,--out", options->out, "Write the certificate here");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
