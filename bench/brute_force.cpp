// Bounds against brute force on a model small enough to enumerate.
//   bench_brute_force MODEL FREE QUERY
// Domain: two positions with the tokens 0 … FREE-1 each, then the query token QUERY. The truth is
// the reference forward pass on every context. Prints, for all neurons and 64 logit differences,
// violations, the mean slack of an end over the true range, and seconds beside those of the truth.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "assay/base/random.hpp"
#include "assay/bounds/bound.hpp"
#include "assay/model/forward.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Range {
  double lo = INFINITY, hi = -INFINITY;
  void add(double x) {
    lo = std::min(lo, x);
    hi = std::max(hi, x);
  }
};

void report(const char* what, const char* method, const std::vector<Range>& truth,
            const std::vector<BoundResult>& results, double truth_seconds, double seconds) {
  double slack = 0;
  std::size_t violations = 0;
  std::size_t nodes = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const BoundResult& r = results[i];
    violations += r.lo > truth[i].lo || r.hi < truth[i].hi ? 1 : 0;
    slack += (r.hi - truth[i].hi + truth[i].lo - r.lo) / 2 / (truth[i].hi - truth[i].lo);
    nodes += r.nodes;
  }
  const auto n = static_cast<double>(truth.size());
  std::printf(
      "%-17s %-28s violations %zu  mean slack %.4f  nodes %.1f  seconds %.2f  "
      "(forward passes %.2f s, ratio %.2f)\n",
      what, method, violations, slack / n, static_cast<double>(nodes) / n, seconds, truth_seconds,
      seconds / truth_seconds);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_brute_force MODEL FREE QUERY\n");
    return 2;
  }
  const Transformer model = load_transformer(argv[1]);
  const auto free = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
  const auto query = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  std::vector<std::uint32_t> any;
  for (std::uint32_t u = 0; u < free; ++u) {
    any.push_back(u);
  }
  Random random(1);
  std::vector<Quantity> differences(64);
  for (Quantity& q : differences) {
    q.kind = QuantityKind::logit_difference;
    q.index = static_cast<std::uint32_t>(random.below(model.config.d_vocab_out));
    q.other = static_cast<std::uint32_t>(
        (q.index + 1 + random.below(model.config.d_vocab_out - 1)) % model.config.d_vocab_out);
  }
  std::vector<Range> neurons(model.config.d_mlp);
  std::vector<Range> logits(differences.size());
  const std::vector<std::string> hooks{kHookMlpPre};
  const double start = now();
  for (const std::uint32_t a : any) {
    for (const std::uint32_t b : any) {
      const std::vector<TokenId> context{TokenId(std::size_t{a}), TokenId(std::size_t{b}),
                                         TokenId(std::size_t{query})};
      const ForwardPass pass = forward(model, context, hooks);
      const auto z = pass.hooks.at(kHookMlpPre).row(2);
      const auto l = pass.logits.row(2);
      for (std::size_t j = 0; j < neurons.size(); ++j) {
        neurons[j].add(z[j]);
      }
      for (std::size_t i = 0; i < logits.size(); ++i) {
        logits[i].add(l[differences[i].index] - l[differences[i].other]);
      }
    }
  }
  const double truth_seconds = now() - start;
  const Domain domain = fixed_domain({any, any, {query}});
  struct Method {
    const char* name;
    std::size_t nodes, neuron_nodes;
    std::uint64_t enumerate;
  };
  for (const Method& m :
       {Method{"relaxation", 2, 2, 0}, Method{"splits, 32 nodes", 32, 32, 0},
        Method{"splits, 256 nodes", 256, 256, 0}, Method{"splits, 2048 nodes", 0, 2048, 0},
        Method{"enumeration", 100000, 100000, 65536}}) {
    for (const bool is_neuron : {true, false}) {
      const std::size_t nodes = is_neuron ? m.neuron_nodes : m.nodes;
      if (nodes == 0) {
        continue;
      }
      Bounder bounder(model, nullptr);
      BoundOptions options;
      options.nodes = nodes;
      options.enumerate = m.enumerate;
      const double begin = now();
      std::vector<BoundResult> results;
      for (std::size_t i = 0; i < (is_neuron ? neurons.size() : logits.size()); ++i) {
        Quantity q;
        q.index = static_cast<std::uint32_t>(i);
        results.push_back(bounder.bound(domain, is_neuron ? q : differences[i], options));
      }
      report(is_neuron ? "neurons" : "logit differences", m.name, is_neuron ? neurons : logits,
             results, truth_seconds, now() - begin);
    }
  }
  return 0;
}
