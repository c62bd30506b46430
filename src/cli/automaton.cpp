#include <memory>

#include "assay/automata/render.hpp"
#include "assay/base/files.hpp"
#include "automaton_proved.hpp"
#include "named_files.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string model, sae, text, out;
  std::vector<std::string> specs, readouts, properties;
  std::string min_p = "1/10", temperature = "1", order = "after";
  automata::FitInput fit;  ///< its numbers are the options' defaults
  ProvedOptions proved;
};

struct LoadedSpec {
  std::filesystem::path file;
  spec::Spec spec;
};

std::vector<LoadedSpec> load_specs(const std::vector<std::string>& files) {
  std::vector<LoadedSpec> specs;
  specs.reserve(files.size());
  for (const std::string& file : files) {
    specs.push_back({file, spec::parse_spec(read_file(file), file)});
  }
  return specs;
}

/// --readout NAME=FILE first; a readout that only a spec names is read from where the spec says.
std::vector<automata::NamedReadout> load_readouts(const std::vector<std::string>& options,
                                                  const std::vector<LoadedSpec>& specs) {
  NamedPaths files = named_paths(options, "--readout");
  for (const LoadedSpec& loaded : specs) {
    for (const spec::Use& use : loaded.spec.uses) {
      if (use.kind == "readout") {
        files.emplace(use.name, path_of(use, {}, loaded.file));
      }
    }
  }
  std::vector<automata::NamedReadout> readouts;
  readouts.reserve(files.size());
  for (const auto& [name, file] : files) {
    readouts.push_back({name, load_readout(file)});
  }
  return readouts;
}

std::string causal_text(const automata::CausalGraph& graph) {
  if (graph.sampled == 0) {
    return "\n  causal edges: not looked for";
  }
  return "\n  causal edges between features " + std::to_string(graph.edges.size()) +
         " (self-loops " + std::to_string(graph.self_loops.size()) + ", 2-cycles " +
         std::to_string(graph.two_cycles.size()) + ", chains " +
         std::to_string(graph.chains.size()) + "), from " + std::to_string(graph.sampled) +
         " ablated contexts";
}

std::string to_text(const automata::FitResult& r, const std::string& out, bool drawn) {
  const automata::FittedAutomaton& a = r.automaton;
  return "feature automaton (OBSERVED): " + std::to_string(a.states.size()) + " states, " +
         std::to_string(a.edges.size()) + " edges seen in " + std::to_string(a.runs) +
         " runs\n  features with their own states " + std::to_string(r.features.size()) +
         ", merged " + std::to_string(r.merged_features) + "\n  frequent self-loops " +
         std::to_string(r.shapes.self_loops.size()) + ", 2-cycles " +
         std::to_string(r.shapes.two_cycles.size()) + ", chains " +
         std::to_string(r.shapes.chains.size()) + causal_text(r.causal) +
         "\n  an unseen edge is not an absent one\n" +
         (drawn ? "written to " + out + " (picture: automaton.svg)"
                : "written to " + out + " (no picture: Graphviz's dot was not found)");
}

void run(Options& options, Session& session) {
  if (options.proved.on) {
    run_proved(options.proved,
               {options.model, options.out, options.sae, options.specs, options.readouts,
                options.properties, options.fit.runs, options.fit.max_new, options.fit.seed},
               session);
    return;
  }
  if (options.sae.empty() || options.text.empty() || options.out.empty()) {
    throw UsageError("automaton: expected --sae, --text and --out, or --proved");
  }
  const Transformer model = load_transformer(options.model);
  const Sae sae = load_sae(options.sae);
  const Tokenizer tokenizer =
      Tokenizer::load(std::filesystem::path(options.model) / "tokenizer.json");
  const std::vector<Document> documents = load_corpus(options.text);
  const std::vector<LoadedSpec> specs = load_specs(options.specs);
  automata::FitInput& fit = options.fit;
  fit.model = &model;
  fit.sae = &sae;
  fit.tokenizer = &tokenizer;
  fit.documents = &documents;
  fit.decoder = make_decoder(options.min_p, options.temperature, options.order);
  fit.readouts = load_readouts(options.readouts, specs);
  for (const LoadedSpec& loaded : specs) {
    fit.specs.push_back(&loaded.spec);
  }
  const automata::FitResult result = automata::fit_automaton(fit);
  const bool drawn = automata::write_automaton(options.out, fit, result);
  const automata::FittedAutomaton& a = result.automaton;
  session.finish(
      ExitCode::ok, to_text(result, options.out, drawn),
      {{"level", "OBSERVED"},
       {"out", options.out},
       {"automaton", sha256_file(std::filesystem::path(options.out) / "automaton.json").hex()},
       {"states", a.states.size()},
       {"edges", a.edges.size()},
       {"runs", a.runs},
       {"selfLoops", result.shapes.self_loops.size()},
       {"twoCycles", result.shapes.two_cycles.size()},
       {"chains", result.shapes.chains.size()},
       {"causalEdges", result.causal.edges.size()},
       {"picture", drawn}});
}

}  // namespace

void add_automaton(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* sub = app.add_subcommand(
      "automaton",
      "Fit the feature automaton to text sampled from the model and draw it, or --proved: close "
      "the suffix machine that contains every run");
  automata::FitInput& fit = options->fit;
  sub->add_option("--model", options->model, "Model directory with tokenizer.json")->required();
  sub->add_option("--sae", options->sae, "SAE or transcoder directory");
  sub->add_option("--text", options->text, "Text whose held-out part gives the prompts");
  sub->add_option("--out", options->out, "Directory for the automaton");
  sub->add_option("--spec", options->specs,
                  "Resolved spec whose aps the states decide (one, to certify it); --proved: the "
                  "spec that is read on the machine");
  sub->add_option("--readout", options->readouts, "NAME=FILE of a readout that a spec uses");
  sub->add_option("--runs", fit.runs, "Runs to count")->capture_default_str();
  sub->add_option("--max-new", fit.max_new, "Tokens sampled in each run")->capture_default_str();
  sub->add_option("--prompt-length", fit.prompt_length, "Tokens of each prompt")
      ->capture_default_str();
  sub->add_option("--min-p", options->min_p, "Decoder: keep p >= min-p times the largest")
      ->capture_default_str();
  sub->add_option("--temperature", options->temperature, "Decoder: temperature")
      ->capture_default_str();
  sub->add_option("--order", options->order, "Decoder: temperature before or after the min-p cut")
      ->capture_default_str();
  sub->add_option("--features", fit.features, "Features that may name a state")
      ->capture_default_str();
  sub->add_option("--max-states", fit.max_states,
                  "Merge rare features into none above this many states")
      ->capture_default_str();
  sub->add_option("--card-tokens", fit.card_tokens, "Held-out tokens for the feature cards")
      ->capture_default_str();
  sub->add_option(
         "--causal", fit.causal,
         "Runs of which one context is ablated feature by feature, for causal edges (0: none)")
      ->capture_default_str();
  sub->add_option("--seed", fit.seed, "Seed of prompts and runs")->capture_default_str();
  sub->add_flag("--proved", options->proved.on,
                "The suffix machine with every edge that is not proved absent; needs --model, "
                "--decoder and --prompts");
  sub->add_flag("--resume", options->proved.resume,
                "--proved: go on with what was stopped in --out, or ask another spec of it");
  sub->add_option("--prop", options->properties,
                  "--proved: this property of the spec only; may be repeated");
  sub->add_option("--decoder", options->proved.decoder,
                  "--proved: greedy, min-p:RHO[:T[:before|after]] or top-k:K");
  sub->add_option("--prompts", options->proved.prompts,
                  "--proved: file {\"tokens\":[[IDS],…]} or {\"any\":true,\"max_length\":N}");
  sub->add_option("--states", options->proved.states, "--proved: budget of states")
      ->capture_default_str();
  sub->add_option("--threads", options->proved.threads, "--proved: threads; the result is the same")
      ->capture_default_str();
  sub->add_option("--slope-steps", options->proved.slope_steps,
                  "--proved: steps on slopes and mixtures in the first closure")
      ->capture_default_str();
  sub->add_option("--rounds", options->proved.rounds,
                  "--proved: descending rounds with predecessor sets")
      ->capture_default_str();
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
