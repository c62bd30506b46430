#include "automaton_proved.hpp"

#include <ctime>

#include "assay/automata/closure_files.hpp"
#include "assay/automata/containment.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/verify/exact.hpp"
#include "model_files.hpp"

namespace assay::cli {
namespace {

constexpr std::size_t kDrawn = 40;  ///< states of the picture

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// What the machine needs of the prompts: the positions that the window sees.
std::vector<automata::PromptEnd> ends_of(const verify::PromptSet& prompts, std::size_t window,
                                         std::size_t vocabulary) {
  if (!prompts.any()) {
    const std::size_t n = std::min(window, prompts.sets.size());
    return {{prompts.sets.end() - static_cast<std::ptrdiff_t>(n), prompts.sets.end()}};
  }
  std::vector<TokenId> all;
  for (std::size_t t = 0; t < vocabulary; ++t) {
    all.emplace_back(t);
  }
  std::vector<automata::PromptEnd> ends;
  for (std::size_t n = 1; n <= std::min(window, prompts.max_length); ++n) {
    ends.emplace_back(n, all);
  }
  return ends;
}

struct Figures {
  automata::ClosedGraph::Counts counts;
  double states = 0;

  explicit Figures(const automata::ClosedGraph& graph)
      : counts(graph.counts()),
        states(static_cast<double>(std::max<std::size_t>(graph.expanded(), 1))) {}
  [[nodiscard]] double possible() const { return static_cast<double>(counts.possible) / states; }
  [[nodiscard]] double witnessed() const { return static_cast<double>(counts.witnessed) / states; }
  [[nodiscard]] double ratio() const {
    return counts.witnessed == 0 ? 0 : possible() / witnessed();
  }
  [[nodiscard]] double settled() const { return static_cast<double>(counts.settled) / states; }
};

nlohmann::ordered_json graph_json(const automata::ClosedGraph& graph) {
  const Figures f(graph);
  return {{"states", graph.size()},
          {"expanded", graph.expanded()},
          {"initial", graph.initial()},
          {"possible", f.counts.possible},
          {"witnessed", f.counts.witnessed},
          {"open", f.counts.open},
          {"degreePossible", f.possible()},
          {"degreeWitnessed", f.witnessed()},
          {"ratio", f.ratio()},
          {"statesWithoutOpenEdge", f.settled()},
          {"predecessorSets", graph.has_far()}};
}

std::string graph_text(const automata::ClosedGraph& graph) {
  const Figures f(graph);
  return std::to_string(graph.size()) + " states (" + std::to_string(graph.initial()) +
         " ends of prompts), edges " + std::to_string(f.counts.witnessed) + " witnessed + " +
         std::to_string(f.counts.open) + " open\n    out-degree possible " +
         fixed(f.possible(), 3) + ", witnessed " + fixed(f.witnessed(), 3) + ", ratio " +
         fixed(f.ratio(), 3) + "; states without an open edge " + fixed(f.settled(), 3) + "\n";
}

nlohmann::ordered_json work_json(const automata::SuffixWork& work) {
  return {{"statesBounded", work.states},
          {"statesExact", work.exact},
          {"edgesScreened", work.screened},
          {"edgesFolded", work.folded},
          {"contextsEvaluated", work.contexts}};
}

std::string words(const std::vector<TokenId>& tokens) {
  std::string out;
  for (const TokenId t : tokens) {
    out += (out.empty() ? "" : " ") + std::to_string(t.at());
  }
  return out;
}

[[noreturn]] void alarm(const automata::Containment::Alarm& alarm) {
  throw Error(ExitCode::internal, "soundness alarm: after the context " + words(alarm.context) +
                                      " the model emits token " + std::to_string(alarm.token.at()) +
                                      ", which the proved graph excludes");
}

/// Sampled runs lie in the graph, or a soundness alarm ends the command.
std::string contained(const Transformer& model, const automata::SuffixBounds& bounds,
                      const automata::ClosedGraph& graph,
                      const std::vector<automata::PromptEnd>& ends,
                      const automata::ContainmentOptions& options, nlohmann::ordered_json& object) {
  const automata::Containment seen =
      automata::contains_samples(model, bounds.emission(), graph, ends, options);
  if (seen.alarm) {
    alarm(*seen.alarm);
  }
  object["containment"] = {{"runs", seen.runs},     {"steps", seen.steps},
                           {"states", seen.states}, {"edges", seen.edges},
                           {"outside", 0},          {"undecided", seen.undecided}};
  return "  containment: " + std::to_string(seen.steps) + " sampled steps took " +
         std::to_string(seen.edges) + " edges of " + std::to_string(seen.states) +
         " states, none outside\n";
}

void write_files(const std::string& directory, const automata::ClosedGraph& graph,
                 const std::optional<Tokenizer>& tokenizer, const nlohmann::ordered_json& summary) {
  if (directory.empty()) {
    return;
  }
  const std::filesystem::path out = directory;
  make_directory(out);
  const auto name = [&](TokenId t) {
    return tokenizer ? tokenizer->decode({t}) : std::to_string(t.at()) + " ";
  };
  write_file_atomic(out / "closure.edges", automata::edges_text(graph));
  write_file_atomic(out / "closure.dot", automata::closure_dot(graph, kDrawn, name));
  write_file_atomic(out / "closure.json", summary.dump(2) + "\n");
}

}  // namespace

void run_proved(const ProvedOptions& options, const std::string& directory, const std::string& out,
                std::size_t runs, std::size_t max_new, std::uint64_t seed, Session& session) {
  if (options.decoder.empty() || options.prompts.empty()) {
    throw UsageError("automaton --proved: expected --decoder and --prompts");
  }
  if (options.states == 0 || options.threads == 0) {
    throw UsageError("--states and --threads: expected a number above 0, found 0");
  }
  const double begin = cpu_seconds();
  const ModelFiles files(directory, "");
  const automata::SuffixBounds bounds(files.model, automata::Emission::parse(options.decoder));
  const std::size_t window = files.model.config.attention_window;
  const std::vector<automata::PromptEnd> ends =
      ends_of(verify::parse_prompts(read_file(options.prompts, std::size_t{1} << 26U),
                                    options.prompts, bounds.vocabulary()),
              window, bounds.vocabulary());
  automata::ClosureOptions closure;
  closure.states = options.states;
  closure.threads = options.threads;
  closure.slope_steps = options.slope_steps;
  closure.rounds = options.rounds;
  const automata::ClosureResult result = automata::close_forward(bounds, ends, closure);
  const automata::ClosedGraph& graph = result.graph;
  nlohmann::ordered_json object = {{"mode", "proved"},
                                   {"decoder", bounds.emission().text()},
                                   {"model", files.model.weights_digest.hex()},
                                   {"complete", graph.complete()},
                                   {"stopped", graph.stopped()},
                                   {"graph", graph_json(graph)},
                                   {"work", work_json(result.work)},
                                   {"radius", bounds.radius()},
                                   {"arithmetic", "real"}};
  std::string text = "proved automaton, " + bounds.emission().text() + ": " + graph_text(graph);
  for (std::size_t i = 0; i < result.earlier.size(); ++i) {
    object["earlier"].push_back(graph_json(result.earlier[i]));
    text +=
        "  before descending round " + std::to_string(i + 1) + ": " + graph_text(result.earlier[i]);
  }
  if (graph.complete() && runs > 0) {
    text += contained(files.model, bounds, graph, ends, {runs, max_new, seed}, object);
  }
  object["cpuSeconds"] = cpu_seconds() - begin;
  write_files(out, graph, files.tokenizer, object);
  text += "  " + std::to_string(result.work.states) + " suffix states bounded, " +
          fixed(cpu_seconds() - begin, 1) + " CPU-s";
  if (!graph.complete()) {
    text += "\n  INCOMPLETE: " + graph.stopped() + "; " + std::to_string(graph.expanded()) +
            " of " + std::to_string(graph.size()) +
            " states have their edges, so nothing is closed";
  }
  const ExitCode code = graph.complete() ? ExitCode::ok
                        : interrupted()  ? ExitCode::interrupted
                                         : ExitCode::unknown;
  session.finish(code, text, object);
}

}  // namespace assay::cli
