#include "assay/verify/check.hpp"

#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/spec/print.hpp"
#include "check_hoa.hpp"
#include "named_files.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string model, automaton, samples, spec, out;
  std::vector<std::string> saes, readouts, properties;
  std::size_t nodes = verify::Limits{}.search_nodes;
};

/// Owns what a CheckInput points to.
struct Files {
  spec::Spec spec;
  Transformer model;
  std::optional<Tokenizer> tokenizer;
  std::map<std::string, Sae> saes;
  std::map<std::string, Readout> readouts;
  automata::FittedAutomaton automaton;
  verify::CheckInput input;
};

void load(const Options& options, Files& files) {
  const std::string statement = read_file(options.spec, std::size_t{1} << 21U);
  files.spec = spec::parse_spec(statement, options.spec);
  files.model = load_transformer(options.model);
  files.tokenizer = load_tokenizer(options.model);
  const auto saes = named_paths(options.saes, "--sae");
  const auto readouts = named_paths(options.readouts, "--readout");
  verify::CheckInput& input = files.input;
  for (const spec::Use& use : files.spec.uses) {
    if (use.kind == "sae") {
      const Sae& sae =
          files.saes.emplace(use.name, load_sae(path_of(use, saes, options.spec))).first->second;
      input.saes[use.name] = &sae;
    } else if (use.kind == "readout") {
      const auto path = path_of(use, readouts, options.spec);
      input.readouts[use.name] =
          &files.readouts.emplace(use.name, load_readout(path)).first->second;
    }
  }
  const std::string json = read_file(options.automaton);
  files.automaton = automata::parse_automaton(json, options.automaton);
  input.spec = &files.spec;
  input.statement = sha256(statement);
  input.model = &files.model;
  input.tokenizer = files.tokenizer ? &*files.tokenizer : nullptr;
  input.automaton = &files.automaton;
  input.automaton_digest = sha256(json);
  if (!options.samples.empty()) {
    input.samples =
        verify::parse_samples(read_file(options.samples), options.samples,
                              files.automaton.prompts.size(), files.model.config.d_vocab);
  }
  input.properties = options.properties;
  input.limits.search_nodes = options.nodes;
}

nlohmann::ordered_json counterexample(const verify::CheckInput& input, const verify::Violated& v) {
  const auto ids = [](const std::vector<TokenId>& tokens) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const TokenId token : tokens) {
      out.push_back(token.at());
    }
    return out;
  };
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const verify::WitnessStep& step : v.steps) {
    nlohmann::ordered_json letter = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < input.spec->atoms.size(); ++i) {
      if (((step.letter >> i) & 1U) != 0) {
        letter.push_back(input.spec->atoms[i].name);
      }
    }
    nlohmann::ordered_json values = nlohmann::ordered_json::object();
    for (const verify::AtomValue& value : step.values) {
      values[value.what] = {value.lo, value.hi};
    }
    nlohmann::ordered_json live = nlohmann::ordered_json::object();
    for (const auto& [feature, value] : step.live) {
      live[feature] = value;
    }
    steps.push_back({{"token", step.token.at()},
                     {"text", verify::token_text(input, {step.token})},
                     {"true", letter},
                     {"values", values},
                     {"live", live}});
  }
  const auto& prompt = input.automaton->prompts[v.prompt];
  return {{"prompt", ids(prompt)},
          {"promptText", verify::token_text(input, prompt)},
          {"tokens", ids(v.tokens)},
          {"text", verify::token_text(input, v.tokens)},
          {"steps", steps}};
}

nlohmann::ordered_json property_json(const verify::CheckInput& input,
                                     const verify::PropertyResult& p) {
  nlohmann::ordered_json out = {{"name", p.name},
                                {"verdict", verify::name(p.verdict)},
                                {"level", "OBSERVED"},
                                {"monitorStates", p.dfa_states},
                                {"pairs", p.pairs}};
  if (const auto* violated = std::get_if<verify::Violated>(&p.verdict)) {
    out["counterexample"] = counterexample(input, *violated);
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

}  // namespace

void add_check(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand(
      "check", "Decide a spec's properties on the fitted automaton and the model");
  const auto options = std::make_shared<Options>();
  sub->add_option("--model", options->model, "Model directory (not with a .hoa machine)");
  sub->add_option("--sae", options->saes,
                  "NAME=DIR of a used dictionary (default: the path in the spec)");
  sub->add_option("--readout", options->readouts,
                  "NAME=FILE of a used readout (default: the path in the spec)");
  sub->add_option("--automaton", options->automaton,
                  "automaton.json of assay automaton, or a machine in HOA (FILE.hoa)")
      ->required();
  sub->add_option("--samples", options->samples,
                  "samples.jsonl of assay automaton: real runs to look at first");
  sub->add_option("--spec", options->spec, "The resolved .spec file")->required();
  sub->add_option("--prop", options->properties, "Check this property only; may be repeated");
  sub->add_option("--nodes", options->nodes, "Prefixes of real runs that the search looks at");
  sub->add_option("--out", options->out, "Write the certificate here");
  sub->callback([options, &session] {
    if (is_hoa(options->automaton)) {
      check_hoa(options->automaton, options->spec, options->properties, session);
      return;
    }
    if (options->model.empty()) {
      throw UsageError("--model: expected the model's directory, found none");
    }
    run(*options, session);
  });
}

}  // namespace assay::cli
