// Bounds against brute force on a model small enough to enumerate, or nearly.
//   bench_brute_force MODEL FREE QUERY [NODES…] [--neurons N] [--differences N]
// Domain: every position but the last has the tokens 0 … FREE-1, the last the token QUERY. The truth
// is the reference forward pass on every context, up to 10^7 contexts; beyond, its time is
// extrapolated from 2000 contexts (and called so). Methods: enumeration of cases off, NODES cases a
// quantity (2, 32 and 256 unless given; 2 is no split), then, with two free positions and no
// NODES given, enumeration.
// Prints, for all neurons and 64 logit differences (or the first N of either), violations, the mean slack of an end over the
// true range and over the range that the bound's own attack attained, and CPU seconds over those of
// the forward passes.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/bounds/bound.hpp"
#include "assay/model/forward.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

constexpr double kMostEnumerated = 1e7;
constexpr std::size_t kTimed = 2000;

/// CPU seconds of this one thread: other work on the machine does not count.
double now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Range {
  double lo = INFINITY, hi = -INFINITY;
  void add(double x) {
    lo = std::min(lo, x);
    hi = std::max(hi, x);
  }
  /// Mean distance of the two ends of a bound from this range, over its width.
  [[nodiscard]] double slack(const BoundResult& r) const {
    return (r.hi - hi + lo - r.lo) / 2 / (hi - lo);
  }
};

struct Truth {
  std::vector<Range> neurons, logits;  ///< empty ranges when not enumerated
  double contexts = 0, seconds = 0;
  bool is_measured = false;
};

/// 64 pairs of distinct logits, the same on every run.
std::vector<Quantity> some_differences(std::size_t vocabulary, std::size_t count) {
  Random random(1);
  std::vector<Quantity> all(std::min<std::size_t>(count, 64));
  for (Quantity& q : all) {
    q.kind = QuantityKind::logit_difference;
    q.index = static_cast<std::uint32_t>(random.below(vocabulary));
    q.other = static_cast<std::uint32_t>((q.index + 1 + random.below(vocabulary - 1)) % vocabulary);
  }
  return all;
}

class Contexts {
 public:
  Contexts(std::size_t free, std::size_t positions, std::uint32_t query)
      : free_(free), tokens_(positions, TokenId(0)) {
    tokens_.emplace_back(std::size_t{query});
  }
  [[nodiscard]] const std::vector<TokenId>& tokens() const { return tokens_; }
  bool next() {
    for (std::size_t p = tokens_.size() - 1; p-- > 0;) {
      if (tokens_[p].at() + 1 < free_) {
        tokens_[p] = TokenId(tokens_[p].at() + 1);
        return true;
      }
      tokens_[p] = TokenId(0);
    }
    return false;
  }
  void draw(Random& random) {
    for (std::size_t p = 0; p + 1 < tokens_.size(); ++p) {
      tokens_[p] = TokenId(random.below(free_));
    }
  }

 private:
  std::size_t free_;
  std::vector<TokenId> tokens_;
};

void add(const Transformer& model, const std::vector<TokenId>& context,
         const std::vector<Quantity>& differences, Truth& truth) {
  static const std::vector<std::string> hooks{kHookMlpPre};
  const ForwardPass pass = forward(model, context, hooks);
  const auto z = pass.hooks.at(kHookMlpPre).row(context.size() - 1);
  const auto l = pass.logits.row(context.size() - 1);
  for (std::size_t j = 0; j < truth.neurons.size(); ++j) {
    truth.neurons[j].add(z[j]);
  }
  for (std::size_t i = 0; i < truth.logits.size(); ++i) {
    truth.logits[i].add(l[differences[i].index] - l[differences[i].other]);
  }
}

Truth forward_passes(const Transformer& model, std::size_t free, std::uint32_t query,
                     std::size_t neurons, const std::vector<Quantity>& differences) {
  Truth truth{std::vector<Range>(std::min<std::size_t>(neurons, model.config.d_mlp)),
              std::vector<Range>(differences.size())};
  const std::size_t positions = model.config.n_ctx - 1;
  truth.contexts = std::pow(static_cast<double>(free), static_cast<double>(positions));
  truth.is_measured = truth.contexts <= kMostEnumerated;
  Contexts contexts(free, positions, query);
  Random random(1);
  const double start = now();
  if (truth.is_measured) {
    do {
      add(model, contexts.tokens(), differences, truth);
    } while (contexts.next());
    truth.seconds = now() - start;
    return truth;
  }
  for (std::size_t i = 0; i < kTimed; ++i) {
    contexts.draw(random);
    add(model, contexts.tokens(), differences, truth);
  }
  truth.seconds = (now() - start) / static_cast<double>(kTimed) * truth.contexts;
  return truth;
}

void report(const char* what, const std::string& method, const std::vector<Range>& ranges,
            const std::vector<BoundResult>& results, const Truth& truth, double seconds) {
  double slack = 0, attack_slack = 0, nodes = 0;
  std::size_t violations = 0;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const BoundResult& r = results[i];
    // Drawn contexts are in the domain too: a value outside its bound is a violation all the same.
    violations += r.lo > ranges[i].lo || r.hi < ranges[i].hi ? 1 : 0;
    slack += ranges[i].slack(r);
    attack_slack += Range{r.attained_lo, r.attained_hi}.slack(r);
    nodes += static_cast<double>(r.nodes);
  }
  const auto n = static_cast<double>(ranges.size());
  std::printf("%-17s %-12s violations %zu  mean slack", what, method.c_str(), violations);
  if (truth.is_measured) {
    std::printf(" %.4f of the true range,", slack / n);
  }
  std::printf(" %.4f of the attacked  nodes %.1f  seconds %.2f  of the forward passes' %.3f\n",
              attack_slack / n, nodes / n, seconds, seconds / truth.seconds);
  std::fflush(stdout);
}

void compare(const Transformer& model, const Domain& domain, const BoundOptions& options,
             const std::vector<Quantity>& differences, const Truth& truth) {
  const std::string method = options.enumerate > 0 ? "enumeration"
                             : options.nodes <= 2  ? "no split"
                                                   : std::to_string(options.nodes) + " nodes";
  for (const bool is_neuron : {true, false}) {
    const std::vector<Range>& ranges = is_neuron ? truth.neurons : truth.logits;
    if (ranges.empty()) {
      continue;
    }
    Bounder bounder(model, nullptr);
    std::vector<BoundResult> results;
    const double begin = now();
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      Quantity q;
      q.index = static_cast<std::uint32_t>(i);
      results.push_back(bounder.bound(domain, is_neuron ? q : differences[i], options));
    }
    report(is_neuron ? "neurons" : "logit differences", method, ranges, results, truth,
           now() - begin);
  }
}

struct Options {
  std::vector<std::size_t> nodes;
  std::size_t neurons = SIZE_MAX, differences = SIZE_MAX;
};

void run(const Transformer& model, std::size_t free, std::uint32_t query, const Options& options) {
  if (free < 2 || free > model.config.d_vocab || query >= model.config.d_vocab ||
      model.config.n_ctx < 2) {
    throw InputError("brute force: FREE is from 2 to the vocabulary, QUERY in it, two positions");
  }
  const std::size_t positions = model.config.n_ctx - 1;
  std::vector<std::uint32_t> any;
  for (std::uint32_t u = 0; u < free; ++u) {
    any.push_back(u);
  }
  std::vector<std::vector<std::uint32_t>> sets(positions, any);
  sets.push_back({query});
  const Domain domain = fixed_domain(sets);
  const std::vector<Quantity> differences =
      some_differences(model.config.d_vocab_out, options.differences);
  const Truth truth = forward_passes(model, free, query, options.neurons, differences);
  std::printf("%zu free positions, %.4g contexts, forward passes %.2f s (%s)\n", positions,
              truth.contexts, truth.seconds,
              truth.is_measured ? "measured" : "extrapolated from 2000");
  std::fflush(stdout);
  const std::vector<std::size_t> usual{2, 32, 256};
  for (const std::size_t nodes : options.nodes.empty() ? usual : options.nodes) {
    compare(model, domain, {.nodes = nodes, .enumerate = 0}, differences, truth);
  }
  if (positions == 2 && options.nodes.empty()) {
    compare(model, domain, {.nodes = 100000, .enumerate = 65536}, differences, truth);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(
        stderr,
        "usage: bench_brute_force MODEL FREE QUERY [NODES…] [--neurons N] [--differences N]\n");
    return 2;
  }
  Options options;
  for (int i = 4; i < argc; ++i) {
    const std::string word = argv[i];
    if (i + 1 < argc && (word == "--neurons" || word == "--differences")) {
      (word == "--neurons" ? options.neurons : options.differences) =
          std::strtoul(argv[++i], nullptr, 10);
    } else {
      options.nodes.push_back(std::strtoul(argv[i], nullptr, 10));
    }
  }
  try {
    run(load_transformer(argv[1]), std::strtoul(argv[2], nullptr, 10),
        static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10)), options);
  } catch (const Error& e) {
    std::fprintf(stderr, "bench_brute_force: %s\n", e.what());
    return 2;
  }
  return 0;
}
