#include <algorithm>

#include "assay/bounds/concrete.hpp"
#include "assay/bounds/prove.hpp"
#include "assay/model/forward.hpp"
#include "bounds_fixture.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

/// Feature-off for each feature and token-out for each token, after one suffix.
Request every_claim(const std::vector<TokenId>& suffix, std::size_t features, std::size_t tokens) {
  std::vector<Claim> claims;
  for (std::uint32_t i = 0; i < features; ++i) {
    claims.push_back({"f" + std::to_string(i), ClaimKind::feature_off, i, suffix, {}, {}});
  }
  for (std::uint32_t u = 0; u < tokens; ++u) {
    claims.push_back({"t" + std::to_string(u), ClaimKind::token_out, u, suffix, {}, {}});
  }
  return make_request(make_decoder("1/10", "2", "before"), claims);
}

long double value(const Claim& claim, const Sae& sae, const fixture::Naive& run) {
  if (claim.kind == ClaimKind::feature_off) {
    return fixture::naive_feature(sae, claim.target, run);
  }
  long double rival = -1e300L;
  for (std::size_t y = 0; y < run.logits.size(); ++y) {
    rival = y == claim.target ? rival : std::max(rival, run.logits[y]);
  }
  return run.logits[claim.target] - rival;
}

bool contains(Interval i, long double x) {
  return i.lo <= x && x <= i.hi;
}

}  // namespace

TEST_CASE(
    "FEATURE-OFF, FEATURE-OFF-MLP, TOKEN-OUT: bounds are above, attacks at most, the brute-force "
    "maximum") {
  std::size_t held = 0;
  std::size_t violated = 0;
  for (std::uint64_t seed = 1; seed <= 16; ++seed) {
    const Transformer model = fixture::random_model(seed);
    const bool mlp = seed % 2 == 0;
    const Sae sae = fixture::random_sae(seed, mlp ? kHookMlpPost : kHookResidMid, mlp ? 6 : 4);
    std::vector<TokenId> suffix{TokenId(seed % 5), TokenId((seed / 2) % 5), TokenId(3)};
    suffix.erase(suffix.begin(), suffix.begin() + static_cast<std::ptrdiff_t>(seed % 3));
    const ProofRun run = prove(model, &sae, every_claim(suffix, 3, 5), {});
    const auto contexts = fixture::all_contexts(model, suffix);
    for (const ClaimResult& r : run.results) {
      long double truth = -1e300L;
      for (const auto& context : contexts) {
        truth = std::max(truth, value(r.claim, sae, fixture::naive(model, context)));
      }
      CAPTURE(seed, r.claim.id);
      REQUIRE(r.bound);
      REQUIRE(static_cast<long double>(*r.bound) >= truth);
      REQUIRE(r.attack_enclosure.lo <= truth);
      REQUIRE(static_cast<long double>(*r.attack) <= truth + 1e-9L);
      held += r.status == Status::holds ? 1 : 0;
      violated += r.status == Status::violated ? 1 : 0;
      if (r.status == Status::holds) {
        REQUIRE(truth <= *r.threshold);
      }
      if (r.status == Status::violated) {
        REQUIRE(truth >= *r.threshold);
      }
    }
  }
  REQUIRE(held >= 10);
  REQUIRE(violated >= 10);
}

TEST_CASE("sampled contexts, also longer than the window, stay inside each bound") {
  const fixture::Size size{.V = 12, .d = 8, .H = 2, .dh = 4, .f = 16, .w = 6};
  const Transformer model = fixture::random_model(21, size);
  const Sae sae = fixture::random_sae(21, kHookMlpPost, 16);
  const std::vector<TokenId> suffix{TokenId(7), TokenId(1)};
  const ProofRun run = prove(model, &sae, every_claim(suffix, 3, 12), {});
  Random random(4);
  for (int i = 0; i < 10000; ++i) {
    std::vector<TokenId> context;
    const std::size_t free = random.below(8);
    for (std::size_t j = 0; j < free; ++j) {
      context.emplace_back(random.below(12));
    }
    context.insert(context.end(), suffix.begin(), suffix.end());
    const auto values = fixture::naive(model, context);
    for (const ClaimResult& r : run.results) {
      REQUIRE(value(r.claim, sae, values) <= static_cast<long double>(*r.bound));
    }
  }
}

TEST_CASE("ENCLOSE: one context's enclosure contains the long double values and the forward pass") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Transformer model = fixture::random_model(seed);
    Random random(seed);
    std::vector<TokenId> context;
    for (std::size_t i = 0; i < 1 + seed % 7; ++i) {
      context.emplace_back(random.below(5));
    }
    const ConcreteValues values = enclose(model, context);
    const auto truth = fixture::naive(model, context);
    const std::vector<double> forward_logits = next_logits(model, context);
    for (std::size_t i = 0; i < 4; ++i) {
      REQUIRE(contains(values.resid_mid[i], truth.mid[i]));
    }
    for (std::size_t j = 0; j < 6; ++j) {
      REQUIRE(contains(values.mlp_post[j], truth.post[j]));
    }
    for (std::size_t y = 0; y < 5; ++y) {
      REQUIRE(contains(values.logits[y], truth.logits[y]));
      REQUIRE(values.logits[y].width() < 1e-10);
      REQUIRE(std::abs(forward_logits[y] - values.logits[y].lo) < 1e-9);
    }
  }
}
