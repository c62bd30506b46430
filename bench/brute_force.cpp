// Bounds against brute force on a model small enough to enumerate.
//   bench_brute_force MODEL FREE QUERY [NODES [DIFFERENCES]]
// Domain: two positions with the tokens 0 … FREE-1 each, then the query token QUERY. The truth is
// the reference forward pass on every context. Prints, for all neurons and 64 logit differences,
// (with NODES: of that budget alone, enumeration off; DIFFERENCES of the 64, then no neurons)
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

struct Truth {
  std::vector<Range> neurons, logits;
  double seconds = 0;
};

/// 64 pairs of distinct logits, the same on every run.
std::vector<Quantity> some_differences(std::size_t vocabulary) {
  Random random(1);
  std::vector<Quantity> all(64);
  for (Quantity& q : all) {
    q.kind = QuantityKind::logit_difference;
    q.index = static_cast<std::uint32_t>(random.below(vocabulary));
    q.other = static_cast<std::uint32_t>((q.index + 1 + random.below(vocabulary - 1)) % vocabulary);
  }
  return all;
}

Truth enumerate(const Transformer& model, const std::vector<std::uint32_t>& any,
                std::uint32_t query, const std::vector<Quantity>& differences) {
  Truth truth{std::vector<Range>(model.config.d_mlp), std::vector<Range>(differences.size())};
  const std::vector<std::string> hooks{kHookMlpPre};
  const double start = now();
  for (const std::uint32_t a : any) {
    for (const std::uint32_t b : any) {
      const std::vector<TokenId> context{TokenId(std::size_t{a}), TokenId(std::size_t{b}),
                                         TokenId(std::size_t{query})};
      const ForwardPass pass = forward(model, context, hooks);
      const auto z = pass.hooks.at(kHookMlpPre).row(2);
      const auto l = pass.logits.row(2);
      for (std::size_t j = 0; j < truth.neurons.size(); ++j) {
        truth.neurons[j].add(z[j]);
      }
      for (std::size_t i = 0; i < truth.logits.size(); ++i) {
        truth.logits[i].add(l[differences[i].index] - l[differences[i].other]);
      }
    }
  }
  truth.seconds = now() - start;
  return truth;
}

struct Method {
  const char* name;
  std::size_t nodes;
  std::uint64_t enumerate;
};

void compare(const Transformer& model, const Domain& domain, const Method& method,
             const std::vector<Quantity>& differences, const Truth& truth, bool is_neuron) {
  Bounder bounder(model, nullptr);
  BoundOptions options;
  options.nodes = method.nodes;
  options.enumerate = method.enumerate;
  const double begin = now();
  std::vector<BoundResult> results;
  for (std::size_t i = 0; i < (is_neuron ? truth.neurons : truth.logits).size(); ++i) {
    Quantity q;
    q.index = static_cast<std::uint32_t>(i);
    results.push_back(bounder.bound(domain, is_neuron ? q : differences[i], options));
  }
  report(is_neuron ? "neurons" : "logit differences", method.name,
         is_neuron ? truth.neurons : truth.logits, results, truth.seconds, now() - begin);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc > 6) {
    std::fprintf(stderr, "usage: bench_brute_force MODEL FREE QUERY [NODES [DIFFERENCES]]\n");
    return 2;
  }
  const Transformer model = load_transformer(argv[1]);
  const auto free = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
  const auto query = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  std::vector<std::uint32_t> any;
  for (std::uint32_t u = 0; u < free; ++u) {
    any.push_back(u);
  }
  std::vector<Quantity> differences = some_differences(model.config.d_vocab_out);
  if (argc > 5) {
    differences.resize(
        std::min<std::size_t>(differences.size(), std::strtoul(argv[5], nullptr, 10)));
  }
  const Truth truth = enumerate(model, any, query, differences);
  const Domain domain = fixed_domain({any, any, {query}});
  std::vector<Method> methods{{"relaxation", 2, 0},
                              {"splits, 32 nodes", 32, 0},
                              {"splits, 256 nodes", 256, 0},
                              {"enumeration", 100000, 65536}};
  if (argc > 4) {
    methods = {{"splits", std::strtoul(argv[4], nullptr, 10), 0}};
  }
  for (const Method& m : methods) {
    if (argc < 6) {
      compare(model, domain, m, differences, truth, true);
    }
    compare(model, domain, m, differences, truth, false);
  }
  return 0;
}
