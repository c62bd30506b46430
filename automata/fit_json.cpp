#include <cmath>
#include <cstdlib>

#include "assay/automata/fit.hpp"
#include "automaton_json.hpp"

namespace assay::automata {
namespace {

using Json = nlohmann::ordered_json;

Json ids(const std::vector<StateId>& states) {
  Json out = Json::array();
  for (const StateId s : states) {
    out.push_back(s.at());
  }
  return out;
}

Json id_lists(const std::vector<std::vector<StateId>>& lists) {
  Json out = Json::array();
  for (const auto& list : lists) {
    out.push_back(ids(list));
  }
  return out;
}

Json shapes_json(const Shapes& shapes) {
  Json cycles = Json::array();
  for (const auto& [s, t] : shapes.two_cycles) {
    cycles.push_back({s.at(), t.at()});
  }
  return {{"frequent", "share at least 1/10 and count at least 5"},
          {"selfLoops", ids(shapes.self_loops)},
          {"twoCycles", cycles},
          {"chains", id_lists(shapes.chains)},
          {"components", id_lists(shapes.components)},
          {"frequentComponents", id_lists(shapes.frequent_components)}};
}

/// [from, to, visits, taken, "lo", "hi"] a row, in the order of `edges`.
Json first_visits_json(const FitResult& r) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < r.first_visits.size(); ++i) {
    const FirstVisits& f = r.first_visits[i];
    const FittedEdge& e = r.automaton.edges[i];
    rows.push_back({e.from.at(), e.to.at(), f.visits, f.taken, millionths(f.interval.lo),
                    millionths(f.interval.hi)});
  }
  return {{"confidence", "95/100 per edge, Clopper-Pearson, first visit of each run"},
          {"edges", rows}};
}

/// "-0.123457": six decimals of a number of magnitude below 4000.
std::string signed_millionths(double x) {
  const auto n = static_cast<std::int64_t>(std::llround(x * 1e6));
  return (n < 0 ? "-" : "") + millionths(static_cast<std::uint32_t>(std::abs(n)));
}

/// Edges: [from feature, to feature, "K", [[token, "its part"], …]].
Json causal_json(const CausalGraph& graph) {
  const auto features = [&graph](const std::vector<std::size_t>& indices) {
    Json out = Json::array();
    for (const std::size_t i : indices) {
      out.push_back(graph.features[i].at());
    }
    return out;
  };
  const auto lists = [&features](const std::vector<std::vector<std::size_t>>& all) {
    Json out = Json::array();
    for (const auto& one : all) {
      out.push_back(features(one));
    }
    return out;
  };
  Json edges = Json::array(), cycles = Json::array(), contexts = Json::array();
  for (const CausalEdge& edge : graph.edges) {
    Json through = Json::array();
    for (const CausalToken& token : edge.through) {
      through.push_back({token.token.at(), signed_millionths(token.weight)});
    }
    edges.push_back({graph.features[edge.from].at(), graph.features[edge.to].at(),
                     signed_millionths(edge.weight), through});
  }
  for (const auto& [a, b] : graph.two_cycles) {
    cycles.push_back(features({a, b}));
  }
  for (std::size_t i = 0; i < graph.features.size(); ++i) {
    contexts.push_back({graph.features[i].at(), graph.contexts[i]});
  }
  return {{"definition",
           "mean over contexts with the source on of the change of probability, by ablating it, of "
           "the tokens after which the target is on"},
          {"sampledContexts", graph.sampled},
          {"leastWeight", signed_millionths(kCausal)},
          {"leftOut", signed_millionths(graph.left_out)},
          {"contexts", contexts},
          {"edges", edges},
          {"selfLoops", features(graph.self_loops)},
          {"twoCycles", cycles},
          {"chains", lists(graph.chains)},
          {"components", lists(graph.components)}};
}

}  // namespace

std::string fit_json(const FitResult& r) {
  Json root = core_json(r.automaton);
  Json blocks = Json::array(), features = Json::array();
  for (const auto& block : r.blocks) {
    Json tokens = Json::array();
    for (const TokenId token : block.tokens) {
      tokens.push_back(token.at());
    }
    blocks.push_back({{"name", block.name}, {"tokens", tokens}});
  }
  for (const StateFeature& f : r.features) {
    features.push_back({{"feature", f.feature.at()}, {"name", f.name}});
  }
  root["level"] = "OBSERVED";
  root["model"] = r.model.hex();
  root["sae"] = r.sae.hex();
  root["text"] = r.text.hex();
  root["blocks"] = blocks;
  root["features"] = features;
  root["mergedFeatures"] = r.merged_features;
  root["firstVisits"] = first_visits_json(r);
  root["shapes"] = shapes_json(r.shapes);
  if (r.causal.sampled != 0) {
    root["causal"] = causal_json(r.causal);
  }
  return layout(root);
}

std::string samples_jsonl(const FittedAutomaton& automaton) {
  std::string text;
  for (std::size_t i = 0; i < automaton.samples.size(); ++i) {
    const std::size_t prompt = automaton.sample_prompts[i];
    Json tokens = Json::array();
    for (std::size_t t = automaton.prompts[prompt].size(); t < automaton.samples[i].size(); ++t) {
      tokens.push_back(automaton.samples[i][t].at());
    }
    text += Json{{"prompt", prompt}, {"tokens", tokens}}.dump() + "\n";
  }
  return text;
}

}  // namespace assay::automata
