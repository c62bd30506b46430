// Speed of the closed suffix machine's bounds: states of three known tokens, every edge decided
// under a decoder, older tokens free; beside it the per-suffix path of `assay prove` (NEURON-RANGE
// and TOKEN-OUT one suffix and one token at a time) on some of the same states.
//   bench_closure MODEL DECODER [STATES [SLOPE_STEPS [PROVED_SUFFIXES]]]
// States are trigrams drawn uniformly from runs of the model from "any one token". Prints one
// line of JSON: states a CPU-second, edges by how they were decided, the ratio of the two paths.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <set>

#include "../src/bounds/one_layer.hpp"
#include "../src/bounds/prover.hpp"
#include "assay/automata/sampler.hpp"
#include "assay/automata/suffix_bounds.hpp"
#include "assay/bounds/attack.hpp"

using namespace assay;

namespace {

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

std::vector<automata::WindowCode> drawn_states(const Transformer& model,
                                               const automata::WindowCodes& codes,
                                               std::size_t count) {
  const automata::Sampler sampler(model);
  const Decoder decoder = make_decoder("1/100", "3", "after");
  Random random(1);
  std::set<automata::WindowCode> met;
  for (int run = 0; met.size() < count && run < 100000; ++run) {
    const std::vector<TokenId> prompt{TokenId(random.below(model.config.d_vocab))};
    const std::vector<TokenId> tokens = sampler.run(decoder, prompt, 40, random);
    for (std::size_t i = 3; i <= tokens.size() && met.size() < count; ++i) {
      met.insert(codes.encode(std::span(tokens).subspan(i - 3, 3)));
    }
  }
  return {met.begin(), met.end()};
}

/// CPU seconds of the per-suffix path for one suffix, every token refuted or tried.
double prove_seconds(const bounds::OneLayer& layer, const std::vector<TokenId>& suffix) {
  const double begin = cpu_seconds();
  bounds::SuffixWork work{bounds::Suffix(layer, suffix), std::nullopt, std::nullopt};
  const bounds::AttackPool pool(work.suffix, {});
  for (std::uint32_t t = 0; t < layer.tables().vocab; ++t) {
    bounds::Claim claim;
    claim.kind = bounds::ClaimKind::token_out;
    claim.suffix = suffix;
    claim.target = t;
    (void)bounds::token_out(work, pool, claim);
  }
  return cpu_seconds() - begin;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 6) {
    std::fprintf(stderr,
                 "usage: bench_closure MODEL DECODER [STATES [SLOPE_STEPS [PROVED_SUFFIXES]]]\n");
    return 2;
  }
  const auto number = [&](int i, std::size_t otherwise) {
    return argc > i ? std::strtoul(argv[i], nullptr, 10) : otherwise;
  };
  const Transformer model = load_transformer(argv[1]);
  const automata::SuffixBounds suffix_bounds(model, automata::Emission::parse(argv[2]));
  const std::vector<automata::WindowCode> states =
      drawn_states(model, suffix_bounds.codes(), number(3, 4000));
  std::vector<automata::SuffixBounds::Query> queries;
  queries.reserve(states.size());
  for (const automata::WindowCode state : states) {
    queries.push_back({state, nullptr, nullptr});
  }
  std::vector<automata::Edge> edges(queries.size() * suffix_bounds.vocabulary());
  automata::SuffixOptions options;
  options.slope_steps = number(4, 0);
  const double begin = cpu_seconds();
  const automata::SuffixWork work = suffix_bounds.decide(queries, options, edges);
  const double seconds = cpu_seconds() - begin;
  const std::size_t proved = std::min<std::size_t>(number(5, 3), states.size());
  const bounds::OneLayer layer(model);
  double slow = 0;
  for (std::size_t i = 0; i < proved; ++i) {
    slow += prove_seconds(layer,
                          suffix_bounds.codes().decode(states[i * (states.size() - 1) / proved]));
  }
  const double n = static_cast<double>(std::max<std::size_t>(work.states, 1));
  std::printf(
      "{\"states\":%zu,\"cpu_seconds\":%.3f,\"states_per_second\":%.0f,"
      "\"screened_edges\":%zu,\"folded_edges\":%zu,\"witnessed_edges\":%zu,"
      "\"open_edges\":%zu,\"contexts\":%zu,\"degree_possible\":%.3f,"
      "\"degree_witnessed\":%.3f,\"radius\":%.2e,\"per_suffix_seconds\":%.3f,"
      "\"ratio\":%.0f}\n",
      work.states, seconds, n / seconds, work.screened, work.folded, work.witnessed, work.open,
      work.contexts, static_cast<double>(work.witnessed + work.open) / n,
      static_cast<double>(work.witnessed) / n, suffix_bounds.radius(),
      proved == 0 ? 0.0 : slow / static_cast<double>(proved),
      proved == 0 ? 0.0 : slow / static_cast<double>(proved) / (seconds / n));
  return 0;
}
