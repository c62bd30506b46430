#include "assay/bounds/float_error.hpp"

#include <algorithm>
#include <catch.hpp>
#include <cmath>
#include <cstdlib>
#include <map>

#include "assay/bounds/bound.hpp"
#include "family_model.hpp"
#include "float32_runner.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

/// Rounds of every family; ASSAY_PROPERTY_SCALE multiplies them (scripts/nightly).
std::size_t rounds(std::size_t normal) {
  const char* scale = std::getenv("ASSAY_PROPERTY_SCALE");
  return normal *
         std::max<std::uint64_t>(1, scale == nullptr ? 1 : std::strtoull(scale, nullptr, 10));
}

const char* const kHooks[] = {kHookResidMid, kHookMlpPost, kHookMlpOut, kHookResidPost};

std::vector<std::vector<std::uint32_t>> random_sets(Random& r, std::size_t V, std::size_t length) {
  std::vector<std::vector<std::uint32_t>> sets(length);
  for (auto& set : sets) {
    for (std::uint32_t u = 0; u < V; ++u) {
      if (r.below(2) == 0) {
        set.push_back(u);
      }
    }
    if (set.empty()) {
      set.push_back(static_cast<std::uint32_t>(r.below(V)));
    }
  }
  return sets;
}

/// E over the largest deviation seen, the points looked at, and the answers without a bound.
struct Seen {
  double loosest = 0, tightest = HUGE_VAL;
  std::size_t points = 0, unknown = 0, known = 0;
};

void look(const Transformer& m, const Sae& sae, const std::vector<std::vector<std::uint32_t>>& sets,
          std::uint64_t seed, std::size_t runs, Seen& seen) {
  Bounder bounder(m, &sae);
  const Domain domain = fixed_domain(sets);
  const auto contexts = fixture::contexts_of(sets);
  Random r(seed);
  for (const Quantity& q : fixture::quantities_of(m, &sae, seed)) {
    CAPTURE(q.text(), seed);
    const FloatError e = bounder.float_error(domain, q, {});
    if (!e.is_known()) {
      ++seen.unknown;
      continue;
    }
    ++seen.known;
    fixture::Float32Runner runner(m, &sae, seed, e.any_shift);
    double worst = 0;
    for (std::size_t i = 0; i < runs; ++i) {
      const auto& context = contexts[r.below(contexts.size())];
      const double real = replay(m, &sae, q, context);
      const double off = std::fabs(static_cast<double>(runner.value(q, context)) - real);
      // The reference is double: its own error is far below a millionth of E.
      REQUIRE(off <= e.error * (1 + 1e-6));
      worst = std::max(worst, off);
      ++seen.points;
    }
    seen.loosest = std::max(seen.loosest, worst > 0 ? e.error / worst : 0);
    seen.tightest = std::min(seen.tightest, worst > 0 ? e.error / worst : HUGE_VAL);
  }
}

}  // namespace

TEST_CASE("FLOAT32-ANY-ORDER: no order, bracketing, shift or library leaves its error",
          "[property]") {
  std::uint64_t seed = 9000;
  Seen all;
  std::string table;
  for (const fixture::Family& family : fixture::families()) {
    Seen seen;
    for (std::size_t round = 0; round < rounds(12); ++round) {
      CAPTURE(family.name);
      Random r(++seed);
      const std::size_t V = 4 + r.below(2);
      const Transformer m = fixture::family_model(family, seed, V, round % 4 == 3 ? 3.0 : 1.0);
      const char* hook = family.attn_only ? kHookResidMid : kHooks[seed % 4];
      const Sae sae = fixture::random_sae(
          seed, hook, std::string(hook) == kHookMlpPost ? m.config.d_mlp : m.config.d_model);
      // Rotary tables need a longest context: within the window, lengths are all known.
      const std::size_t length = 1 + r.below(5);
      look(m, sae, random_sets(r, V, length), seed, 300, seen);
    }
    table += std::string(family.name) + ": E / largest error seen " +
             std::to_string(seen.tightest) + " … " + std::to_string(seen.loosest) + "\n";
    CHECK(seen.known > 0);
    all.points += seen.points;
    all.tightest = std::min(all.tightest, seen.tightest);
  }
  WARN(table << "points: " << all.points << ", tightest " << all.tightest);
  CHECK(all.points > 200000);
  CHECK(all.tightest < 100);  // the bound is not idle
}

TEST_CASE("FLOAT32-ANY-ORDER: large and small weights have a true bound or none", "[property]") {
  std::uint64_t seed = 12000;
  Seen seen;
  for (const fixture::Family& family : fixture::families()) {
    for (const float size : {1e-30F, 1e-12F, 1e-4F, 8.0F, 100.0F, 1e8F, 1e30F}) {
      for (Tensor Transformer::*const which :
           {&Transformer::W_E, &Transformer::W_Q, &Transformer::W_V, &Transformer::W_O,
            &Transformer::W_in, &Transformer::W_U}) {
        CAPTURE(family.name, size);
        Random r(++seed);
        Transformer m = fixture::family_model(family, seed, 4);
        for (float& w : (m.*which).data) {
          w *= size;
        }
        const Sae sae = fixture::random_sae(seed, kHookResidMid, m.config.d_model);
        look(m, sae, random_sets(r, 4, 1 + r.below(4)), seed, 20, seen);
      }
    }
  }
  CHECK(seen.unknown > 0);
  CHECK(seen.known > 1000);
}

TEST_CASE("FLOAT32-ANY-ORDER: more ulps, a larger error; a wider domain, a larger error") {
  for (const fixture::Family& family : fixture::families()) {
    CAPTURE(family.name);
    const Transformer m = fixture::family_model(family, 77, 4);
    Bounder bounder(m, nullptr);
    Quantity q;
    q.kind = QuantityKind::logit;
    const Domain narrow = fixed_domain({{1}, {0, 2}, {3}});
    const Domain wide = fixed_domain({{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}});
    const double base = bounder.float_error(narrow, q, {}).error;
    CHECK(bounder.float_error(narrow, q, {.exp_ulps = 40, .act_ulps = 40}).error > base);
    CHECK(bounder.float_error(wide, q, {}).error >= base);
  }
}

TEST_CASE("FLOAT32-ANY-ORDER: no bound is said where none is shown") {
  const fixture::Family rotary{.name = "rotary, window", .positions = PosKind::rotary, .window = 3};
  const Transformer m = fixture::family_model(rotary, 5, 4);
  Bounder bounder(m, nullptr);
  const FloatError any = bounder.float_error(any_length_domain(m, {1}), {}, {});
  CHECK_FALSE(any.is_known());
  CHECK(any.reason.find("rotary") != std::string::npos);
  Transformer large = fixture::family_model({.name = "absolute"}, 6, 4);
  for (float& w : large.W_out.data) {
    w *= 1e37F;
  }
  Bounder over(large, nullptr);
  Quantity q;
  q.kind = QuantityKind::logit;
  const FloatError e = over.float_error(fixed_domain({{0, 1}, {2}}), q, {});
  CHECK_FALSE(e.is_known());
  CHECK(e.reason.find("overflow") != std::string::npos);
}
