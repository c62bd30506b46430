#include "automaton_proved.hpp"

#include <ctime>

#include "assay/automata/closure_files.hpp"
#include "assay/automata/containment.hpp"
#include "assay/base/digest.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "automaton_closure.hpp"
#include "automaton_reading.hpp"
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

/// The machine as a picture and, with a spec, in HOA over its aps.
void write_pictures(const std::filesystem::path& out, const automata::ClosedGraph& graph,
                    const std::optional<Tokenizer>& tokenizer, const Reading* reading) {
  const auto name = [&](TokenId t) {
    return tokenizer ? tokenizer->decode({t}) : std::to_string(t.at()) + " ";
  };
  write_file_atomic(out / "closure.dot", automata::closure_dot(graph, kDrawn, name));
  std::filesystem::remove(out / "closure.hoa");
  if (reading == nullptr || !graph.complete()) {
    return;
  }
  std::vector<std::string> aps;
  for (const spec::Atom& atom : reading->subject.spec.atoms) {
    aps.push_back(atom.name);
  }
  write_file_atomic(
      out / "closure.hoa",
      automata::closure_hoa(graph, aps, verify::token_letters(reading->subject.input), name));
}

void require_options(const ProvedOptions& options, const ProvedSubject& subject) {
  if (options.decoder.empty() || options.prompts.empty()) {
    throw UsageError("automaton --proved: expected --decoder and --prompts");
  }
  if (options.states == 0 || options.threads == 0) {
    throw UsageError("--states and --threads: expected a number above 0, found 0");
  }
  if (subject.specs.size() > 1) {
    throw UsageError("automaton --proved: expected one --spec, found " +
                     std::to_string(subject.specs.size()));
  }
  if (options.resume && subject.out.empty()) {
    throw UsageError("--resume: expected --out, the folder to go on with");
  }
}

std::string progress_text(const automata::ClosureResult& result) {
  const automata::ClosedGraph& graph = result.graph;
  std::string out;
  if (!graph.complete()) {
    out = "\n  INCOMPLETE: " + graph.stopped() + "; " + std::to_string(graph.expanded()) + " of " +
          std::to_string(graph.size()) + " states have their edges, so nothing is closed";
  } else if (result.unfinished) {
    out = "\n  descending round " + std::to_string(result.round) +
          " was stopped: " + result.unfinished->stopped() + "; " +
          std::to_string(result.unfinished->expanded()) +
          " of its states are done, the machine is the closed one before it";
  }
  return out.empty() ? out : out + " (--resume goes on from there)";
}

automata::SuffixWork work_of(const nlohmann::ordered_json& work) {
  automata::SuffixWork out;
  out.states = work.at("statesBounded").get<std::size_t>();
  out.exact = work.at("statesExact").get<std::size_t>();
  out.screened = work.at("edgesScreened").get<std::size_t>();
  out.folded = work.at("edgesFolded").get<std::size_t>();
  out.contexts = work.at("contextsEvaluated").get<std::size_t>();
  return out;
}

/// Closes, or goes on with what the folder holds; what was found before stays in the summary.
automata::ClosureResult closed(const automata::SuffixBounds& bounds,
                               const std::vector<automata::PromptEnd>& ends,
                               const automata::ClosureOptions& closure,
                               const ClosureIdentity& identity, const std::string& resumed,
                               nlohmann::ordered_json& earlier) {
  if (resumed.empty()) {
    return automata::close_forward(bounds, ends, closure);
  }
  const ClosureFolder folder = read_closure(resumed, identity, bounds.codes(), bounds.vocabulary());
  if (folder.summary.contains("earlier")) {
    earlier = folder.summary["earlier"];
  }
  automata::ClosureResult result = automata::close_forward(bounds, ends, closure, folder.begun);
  result.work += work_of(folder.summary.at("work"));
  return result;
}

/// The JSON of the machine and its words.
struct Summary {
  nlohmann::ordered_json object;
  std::string text;
};

Summary summary_of(const automata::SuffixBounds& bounds, const ClosureIdentity& identity,
                   const automata::ClosureResult& result, nlohmann::ordered_json earlier) {
  const automata::ClosedGraph& graph = result.graph;
  Summary out;
  out.object = {{"mode", "proved"},
                {"decoder", identity.decoder},
                {"model", identity.model},
                {"complete", graph.complete()},
                {"stopped", graph.stopped()},
                {"graph", graph_json(graph)},
                {"work", work_json(result.work)},
                {"radius", bounds.radius()},
                {"arithmetic", "real"}};
  out.text = "proved automaton, " + identity.decoder + ": " + graph_text(graph);
  for (const automata::ClosedGraph& before : result.earlier) {
    earlier.push_back(graph_json(before));
    out.text +=
        "  before descending round " + std::to_string(earlier.size()) + ": " + graph_text(before);
  }
  if (!earlier.empty()) {
    out.object["earlier"] = std::move(earlier);
  }
  return out;
}

void write_files(const std::filesystem::path& out, const ClosureIdentity& identity,
                 const automata::ClosureResult& result, const std::optional<Tokenizer>& tokenizer,
                 const Reading* reading, nlohmann::ordered_json& object) {
  make_directory(out);
  object["resume"] = write_closure(out, identity, result);
  write_pictures(out, result.graph, tokenizer, reading);
  write_file_atomic(out / "closure.json", object.dump(2) + "\n");
}

}  // namespace

void run_proved(const ProvedOptions& options, const ProvedSubject& subject, Session& session) {
  require_options(options, subject);
  const double begin = cpu_seconds();
  const ModelFiles files(subject.model, "");
  std::optional<Reading> reading;
  if (!subject.specs.empty()) {
    load_reading(subject, reading.emplace());
  }
  const automata::SuffixBounds bounds(files.model, automata::Emission::parse(options.decoder));
  const std::string statement = read_file(options.prompts, std::size_t{1} << 26U);
  const verify::PromptSet prompts =
      verify::parse_prompts(statement, options.prompts, bounds.vocabulary());
  const std::vector<automata::PromptEnd> ends =
      ends_of(prompts, files.model.config.attention_window, bounds.vocabulary());
  automata::ClosureOptions closure;
  closure.states = options.states;
  closure.threads = options.threads;
  closure.slope_steps = options.slope_steps;
  closure.rounds = options.rounds;
  const ClosureIdentity identity{files.model.weights_digest.hex(), bounds.emission().text(),
                                 sha256(statement).hex(), closure.slope_steps, closure.round_steps};
  nlohmann::ordered_json earlier = nlohmann::ordered_json::array();
  const automata::ClosureResult result =
      closed(bounds, ends, closure, identity, options.resume ? subject.out : "", earlier);
  auto [object, text] = summary_of(bounds, identity, result, std::move(earlier));
  const bool complete = result.graph.complete();
  if (complete && subject.runs > 0) {
    text += contained(files.model, bounds, result.graph, ends,
                      {subject.runs, subject.max_new, subject.seed}, object);
  }
  if (reading && complete) {
    text += read_spec(*reading, bounds.emission(), prompts, result.graph, object);
  }
  object["cpuSeconds"] = cpu_seconds() - begin;
  if (!subject.out.empty()) {
    write_files(subject.out, identity, result, files.tokenizer, reading ? &*reading : nullptr,
                object);
  }
  text += "  " + std::to_string(result.work.states) + " suffix states bounded, " +
          fixed(cpu_seconds() - begin, 1) + " CPU-s" + progress_text(result);
  const bool is_stopped = !complete || result.unfinished.has_value();
  const ExitCode code = is_stopped && interrupted() ? ExitCode::interrupted
                        : !complete                 ? ExitCode::unknown
                        : reading                   ? verify::closed_code(reading->properties)
                                                    : ExitCode::ok;
  session.finish(code, text, object);
}

}  // namespace assay::cli
