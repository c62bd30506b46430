#include "assay/automata/causal.hpp"

#include <cmath>

#include "assay/automata/fit.hpp"
#include "assay/base/progress.hpp"
#include "assay/features/encode.hpp"
#include "catch.hpp"
#include "random_subject.hpp"

using namespace assay;
using namespace assay::automata;

namespace {

std::vector<double> softmax(const Matrix& logits, std::size_t row) {
  std::vector<double> p;
  double total = 0;
  for (std::size_t v = 0; v < logits.cols; ++v) {
    p.push_back(std::exp(logits.at(row, v)));
    total += p.back();
  }
  for (double& x : p) {
    x /= total;
  }
  return p;
}

struct Change {
  std::size_t row;
  std::vector<double> by;
};
void change_row(Matrix& site, const void* context) {
  const auto* change = static_cast<const Change*>(context);
  for (std::size_t c = 0; c < site.cols; ++c) {
    site.at(change->row, c) -= change->by[c];
  }
}

/// K_ij by its definition on whole contexts, every token looked at.
double weight_by_definition(const Transformer& model, const Sae& sae,
                            const std::vector<std::vector<TokenId>>& contexts, std::size_t i,
                            std::size_t j) {
  double sum = 0;
  std::size_t n = 0;
  for (const auto& context : contexts) {
    const std::size_t last = context.size() - 1;
    const double value = features::feature_values(model, sae, context).at(last, i);
    if (value <= 0) {
      continue;
    }
    ++n;
    Change change{last, {}};
    for (std::size_t c = 0; c < sae.d_out; ++c) {
      change.by.push_back(value * static_cast<double>(sae.W_dec.at(i, c)));
    }
    const Splice splice{sae.hook_name_out, change_row, &change};
    const auto p = softmax(forward(model, context).logits, last);
    const auto without = softmax(forward(model, context, {}, &splice).logits, last);
    for (std::size_t v = 0; v < p.size(); ++v) {
      std::vector<TokenId> next = context;
      next.emplace_back(v);
      if (features::feature_values(model, sae, next).at(last + 1, j) > 0) {
        sum += p[v] - without[v];
      }
    }
  }
  return n == 0 ? 0 : sum / static_cast<double>(n);
}

}  // namespace

TEST_CASE("causal weights are those of the definition") {
  set_progress(false);
  const std::size_t V = 9;
  Transformer model = test::random_model(V, 5, 8, 3);
  Sae sae = test::random_transcoder(model);
  for (float& x : sae.W_dec.data) {
    x *= 3;
  }
  // Every sample is its prompt alone, so that the cut is at its end.
  FittedAutomaton automaton;
  Random random(7);
  for (std::size_t r = 0; r < 40; ++r) {
    std::vector<TokenId> run;
    for (std::size_t n = 1 + random.below(9); n > 0; --n) {
      run.emplace_back(random.below(V));
    }
    automaton.prompts.push_back(run);
    automaton.sample_prompts.push_back(r);
    automaton.samples.push_back(run);
  }
  std::vector<FeatureId> features;
  for (std::size_t i = 0; i < std::min<std::size_t>(sae.d_sae, 6); ++i) {
    features.emplace_back(i);
  }
  const CausalGraph graph = causal_graph(automaton, model, sae, features, 40, 1);
  CHECK(graph.sampled == 40);
  REQUIRE_FALSE(graph.edges.empty());
  std::size_t seen = 0;
  for (std::size_t i = 0; i < features.size(); ++i) {
    for (std::size_t j = 0; j < features.size(); ++j) {
      const double K = weight_by_definition(model, sae, automaton.samples, i, j);
      const auto edge = std::find_if(graph.edges.begin(), graph.edges.end(),
                                     [&](const auto& e) { return e.from == i && e.to == j; });
      if (edge != graph.edges.end()) {
        ++seen;
        CHECK(std::abs(edge->weight - K) <= graph.left_out + 1e-12);
        CHECK(edge->through.size() <= 3);
      } else if (graph.contexts[i] >= kCausalContexts) {
        CHECK(std::abs(K) <= kCausal + graph.left_out);
      }
    }
  }
  CHECK(seen == graph.edges.size());
  CHECK(graph.left_out < 0.05);
}

TEST_CASE("causal graph: a site that cannot be changed is told") {
  set_progress(false);
  Transformer model = test::random_model(9, 5, 8, 3);
  Sae sae = test::random_transcoder(model);
  CHECK(can_ablate(sae));
  sae.hook_name_out = kHookResidPost;
  CHECK_FALSE(can_ablate(sae));
}
