#include "assay/automata/causal.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/random.hpp"
#include "shape_search.hpp"

namespace assay::automata {
namespace {

std::vector<double> softmax(std::span<const double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p;
  double total = 0;
  for (const double l : logits) {
    p.push_back(std::exp(l - largest));
    total += p.back();
  }
  for (double& x : p) {
    x /= total;
  }
  return p;
}

/// A part to take away from the last row of a site.
struct Part {
  double value = 0;
  const float* direction = nullptr;
};
void take_away(Matrix& site, const void* context) {
  const auto* part = static_cast<const Part*>(context);
  for (std::size_t c = 0; c < site.cols; ++c) {
    site.at(site.rows - 1, c) -= part->value * static_cast<double>(part->direction[c]);
  }
}

class CausalSums {
 public:
  CausalSums(const Transformer& model, const Sae& sae, CausalGraph& graph)
      : model_(model), sae_(sae), graph_(graph), left_out_(graph.features.size(), 0) {}

  void look_at(std::vector<TokenId> context) {
    cut(context);
    const ForwardPass pass = forward(model_, context, std::vector{sae_.hook_name});
    const std::vector<double> values = values_of(pass);
    const std::vector<double> p = softmax(pass.logits.row(context.size() - 1));
    std::map<std::size_t, std::vector<bool>> after;  // features on after c·v, made once a token
    for (std::size_t i = 0; i < graph_.features.size(); ++i) {
      if (values[graph_.features[i].at()] > 0) {
        ++graph_.contexts[i];
        ablate(i, context, values[graph_.features[i].at()], p, after);
      }
    }
  }

  void finish() {
    for (const auto& [pair, tokens] : sums_) {
      const std::size_t n = graph_.contexts[pair.first];
      if (n >= kCausalContexts) {
        add_edge(pair.first, pair.second, tokens, static_cast<double>(n));
      }
    }
    for (std::size_t i = 0; i < left_out_.size(); ++i) {
      if (graph_.contexts[i] >= kCausalContexts) {
        graph_.left_out =
            std::max(graph_.left_out, left_out_[i] / static_cast<double>(graph_.contexts[i]));
      }
    }
  }

 private:
  /// What lies before the attention window is not read.
  void cut(std::vector<TokenId>& context) const {
    const std::size_t w = model_.config.attention_window;
    if (w != 0 && context.size() > w && model_.config.positions != PosKind::standard) {
      context.erase(context.begin(), context.end() - static_cast<std::ptrdiff_t>(w));
    }
  }

  /// Feature values after the last token.
  [[nodiscard]] std::vector<double> values_of(const ForwardPass& pass) const {
    const Matrix& site = pass.hooks.at(sae_.hook_name);
    const std::span<const double> last = site.row(site.rows - 1);
    Matrix row{1, site.cols, {last.begin(), last.end()}};
    Matrix values = pre_activations(sae_, row);
    apply_activation(sae_, values);
    return values.data;
  }

  const std::vector<bool>& on_after(const std::vector<TokenId>& context, std::size_t token,
                                    std::map<std::size_t, std::vector<bool>>& after) const {
    const auto [found, fresh] = after.try_emplace(token);
    if (fresh) {
      std::vector<TokenId> next = context;
      next.emplace_back(token);
      cut(next);
      const std::vector<double> values =
          values_of(forward(model_, next, std::vector{sae_.hook_name}));
      for (const FeatureId feature : graph_.features) {
        found->second.push_back(values[feature.at()] > 0);
      }
    }
    return found->second;
  }

  void ablate(std::size_t i, const std::vector<TokenId>& context, double value,
              const std::vector<double>& p, std::map<std::size_t, std::vector<bool>>& after) {
    const Part part{value, &sae_.W_dec.data[graph_.features[i].at() * sae_.d_out]};
    const Splice splice{sae_.hook_name_out, take_away, &part};
    const Matrix logits = forward(model_, context, {}, &splice).logits;
    const std::vector<double> without = softmax(logits.row(logits.rows - 1));
    for (std::size_t v = 0; v < p.size(); ++v) {
      const double change = p[v] - without[v];
      if (std::max(p[v], without[v]) < kCausalToken || v >= model_.config.d_vocab) {
        left_out_[i] += std::abs(change);
        continue;
      }
      const std::vector<bool>& on = on_after(context, v, after);
      for (std::size_t j = 0; j < on.size(); ++j) {
        if (on[j]) {
          sums_[{i, j}][v] += change;
        }
      }
    }
  }

  void add_edge(std::size_t from, std::size_t to, const std::map<std::size_t, double>& tokens,
                double contexts) {
    CausalEdge edge{from, to, 0, {}};
    for (const auto& [token, sum] : tokens) {
      edge.weight += sum / contexts;
      edge.through.push_back({TokenId(token), sum / contexts});
    }
    if (!(std::abs(edge.weight) >= kCausal)) {
      return;
    }
    std::stable_sort(edge.through.begin(), edge.through.end(),
                     [](const CausalToken& a, const CausalToken& b) {
                       return std::abs(a.weight) > std::abs(b.weight);
                     });
    edge.through.resize(std::min<std::size_t>(edge.through.size(), 3));
    graph_.edges.push_back(std::move(edge));
  }

  const Transformer& model_;
  const Sae& sae_;
  CausalGraph& graph_;
  std::map<std::pair<std::size_t, std::size_t>, std::map<std::size_t, double>> sums_;
  std::vector<double> left_out_;  ///< [features], summed over contexts
};

void find_causal_shapes(CausalGraph& graph) {
  EdgeSet positive;
  std::vector<double> strongest(graph.features.size(), 0);
  Successor next(graph.features.size());
  for (const CausalEdge& edge : graph.edges) {
    if (edge.weight <= 0) {
      continue;
    }
    positive.insert({edge.from, edge.to});
    if (edge.from == edge.to) {
      graph.self_loops.push_back(edge.from);
    } else if (edge.weight > strongest[edge.from]) {
      strongest[edge.from] = edge.weight;
      next[edge.from] = edge.to;
    }
  }
  for (const auto& [from, to] : positive) {
    if (from < to && positive.contains({to, from})) {
      graph.two_cycles.emplace_back(from, to);
    }
  }
  graph.chains = find_chains(next);
  graph.components = cyclic_components(graph.features.size(), positive);
}

}  // namespace

bool can_ablate(const Sae& sae) {
  return sae.hook_name_out == kHookResidMid || sae.hook_name_out == kHookMlpPost ||
         sae.hook_name_out == kHookMlpOut;
}

CausalGraph causal_graph(const FittedAutomaton& automaton, const Transformer& model, const Sae& sae,
                         std::vector<FeatureId> features, std::size_t most, std::uint64_t seed) {
  require(can_ablate(sae), "causal_graph: the dictionary's output site cannot be changed");
  CausalGraph graph;
  graph.contexts.assign(features.size(), 0);
  graph.features = std::move(features);
  CausalSums sums(model, sae, graph);
  Progress progress("ablated contexts", std::min(most, automaton.samples.size()));
  Random random(seed);
  for (std::size_t r = 0; r < automaton.samples.size() && graph.sampled < most; ++r) {
    if (interrupted()) {
      throw Error(ExitCode::interrupted, "automaton: stopped by the user");
    }
    const std::vector<TokenId>& run = automaton.samples[r];
    const std::size_t prompt = automaton.prompts[automaton.sample_prompts[r]].size();
    const std::size_t end = prompt + random.below(run.size() - prompt + 1);
    sums.look_at(
        {run.begin(), run.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(end, 1))});
    progress.update(++graph.sampled);
  }
  sums.finish();
  find_causal_shapes(graph);
  return graph;
}

}  // namespace assay::automata
