// One state's upper bounds of every feature: contexts of any length that end in three given tokens.
//   bench_feature_bounds MODEL SAE [FEATURES [STATES]]
// MODEL: relative or no positions and an attention window; SAE: reads hook_resid_mid. Features beyond
// the dictionary's repeat its columns (each is bounded anew). Tables of the model, nu of every
// (feature, head, token), are made once and timed apart. Of a state: the weights of its query
// token, its case, and per feature and head ATTN-MAX with its outward-rounded check F(L) <= 0, for
//   LINEAR   const0 + <g0, x_c + b_O> + sum_h L_h
// Times are CPU time of the one thread. The first bounds of every state are compared with the Bounder's.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include "../src/bounds/ready_case.hpp"
#include "../src/bounds/target.hpp"
#include "assay/base/random.hpp"
#include "assay/bounds/bound.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

constexpr std::size_t kCompared = 8;  // features of a state, against the Bounder

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Feature {
  FoldTarget target;
  std::vector<Ball> nu;  ///< [heads]
};

std::vector<Feature> tables(const Places& places, const Sae& sae, std::size_t count) {
  std::vector<Feature> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    Quantity q;
    q.kind = QuantityKind::feature;
    q.index = static_cast<std::uint32_t>(i % sae.d_sae);
    all[i].target = make_target(places.net(), &sae, q).fold;
    for (std::size_t h = 0; h < places.net().heads; ++h) {
      all[i].nu.push_back(places.along(h, to_direction(all[i].target.g0)));
    }
  }
  return all;
}

std::vector<double> state_bounds(const Places& places, const SetRef& any,
                                 const std::vector<TokenId>& suffix,
                                 const std::vector<Feature>& features) {
  const std::size_t window = places.net().window;
  Box box{suffix.size(), std::max(suffix.size(), window), {}};
  for (std::size_t j = 0; j < box.max_length; ++j) {
    box.back.push_back(j < suffix.size()
                           ? std::make_shared<const TokenSet>(1, suffix[suffix.size() - 1 - j])
                           : any);
  }
  const ReadyCase ready(std::make_shared<const QueryWeights>(places, suffix.back(), 0), box);
  std::vector<double> hi;
  hi.reserve(features.size());
  for (const Feature& f : features) {
    Interval sum = f.target.const0 + ready.base(f.target.g0);
    for (std::size_t h = 0; h < f.nu.size(); ++h) {
      sum += Interval(ready.maximum(h, f.nu[h].mid.data(), f.nu[h].radius.data()).L);
    }
    hi.push_back(sum.hi);
  }
  return hi;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 5) {
    std::fprintf(stderr, "usage: bench_feature_bounds MODEL SAE [FEATURES [STATES]]\n");
    return 2;
  }
  const Transformer model = load_transformer(argv[1]);
  const Sae sae = load_sae(argv[2]);
  const std::size_t count = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : sae.d_sae;
  const std::size_t states = argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 100;
  if (sae.hook_name != kHookResidMid || sae.d_in != model.config.d_model || count == 0 ||
      states == 0) {
    std::fprintf(stderr, "bench_feature_bounds: a dictionary of hook_resid_mid, numbers from 1\n");
    return 2;
  }
  Domain domain = any_length_domain(model, {0});
  domain.last = {domain.rest};
  const double start = cpu_seconds();
  const Network net(model);
  const Places places(net, domain);
  const std::vector<Feature> features = tables(places, sae, count);
  const double once = cpu_seconds() - start;

  const auto any = std::make_shared<const TokenSet>(domain.rest);
  Bounder bounder(model, &sae);
  Random random(1);
  std::vector<double> seconds;
  double furthest = 0;
  for (std::size_t s = 0; s < states; ++s) {
    std::vector<std::uint32_t> suffix(3);
    std::vector<TokenId> tokens;
    for (std::uint32_t& t : suffix) {
      t = static_cast<std::uint32_t>(random.below(net.vocab));
      tokens.emplace_back(std::size_t{t});
    }
    const double begin = cpu_seconds();
    const std::vector<double> hi = state_bounds(places, any, tokens, features);
    seconds.push_back(cpu_seconds() - begin);
    for (std::uint32_t i = 0; i < std::min({kCompared, count, sae.d_sae}); ++i) {
      Quantity q;
      q.kind = QuantityKind::feature;
      q.index = i;
      const BoundResult r =
          bounder.bound(any_length_domain(model, suffix), q, {.nodes = 1, .enumerate = 0});
      furthest = std::max(furthest, std::fabs(r.hi - hi[i]));
    }
  }
  std::sort(seconds.begin(), seconds.end());
  double total = 0;
  for (const double x : seconds) {
    total += x;
  }
  std::printf(
      "features %zu (of %zu), heads %zu, window %zu, vocabulary %zu: tables %.1f ms once; "
      "%zu states, CPU ms a state: mean %.2f, median %.2f, largest %.2f; "
      "furthest from the Bounder's bound %.1e\n",
      count, sae.d_sae, net.heads, net.window, net.vocab, 1e3 * once, states,
      1e3 * total / static_cast<double>(states), 1e3 * seconds[states / 2], 1e3 * seconds.back(),
      furthest);
  return furthest <= 1e-9 ? 0 : 1;
}
