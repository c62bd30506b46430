#include <cmath>

#include "assay/automata/exact_forward.hpp"
#include "assay/bounds/concrete.hpp"
#include "catch.hpp"
#include "random_subject.hpp"

using namespace assay;

namespace {

std::vector<TokenId> random_window(std::size_t V, std::size_t w, Random& random) {
  std::vector<TokenId> out;
  for (std::size_t n = 1 + random.below(w); n > 0; --n) {
    out.emplace_back(random.below(V));
  }
  return out;
}

/// Every value of the double pass lies within its radius of the interval pass.
void compare(const Transformer& model, std::size_t windows, Random& random, double& widest) {
  const std::size_t V = model.config.d_vocab, d = model.config.d_model;
  automata::Probe mid{kHookResidMid, std::vector<double>(d, 0.5), Interval(0.25)};
  automata::Probe resid{kHookResidPost, std::vector<double>(d, -1.5), Interval(1.0)};
  const automata::ExactForward fast(model, {mid, resid});
  auto scratch = fast.make_scratch();
  std::vector<automata::WindowCode> codes;
  std::vector<std::vector<TokenId>> contexts;
  for (std::size_t i = 0; i < windows; ++i) {
    contexts.push_back(random_window(V, model.config.attention_window, random));
    codes.push_back(fast.codes().encode(contexts.back()));
  }
  fast.evaluate(codes, scratch);
  for (std::size_t i = 0; i < windows; ++i) {
    const bounds::ConcreteValues values = bounds::enclose(model, contexts[i]);
    for (std::size_t t = 0; t < V; ++t) {
      const double r = fast.logit_radius()[t], x = scratch.logits[i * fast.stride() + t];
      CHECK(x + r >= values.logits[t].lo);
      CHECK(x - r <= values.logits[t].hi);
      widest = std::max(widest, r);
    }
    for (std::size_t p = 0; p < 2; ++p) {
      Interval exact(p == 0 ? 0.25 : 1.0);
      for (std::size_t k = 0; k < d; ++k) {
        exact +=
            (p == 0 ? values.resid_mid[k] : values.resid_post[k]) * Interval(p == 0 ? 0.5 : -1.5);
      }
      CHECK(scratch.probes[i * 2 + p] + fast.probe_radius()[p] >= exact.lo);
      CHECK(scratch.probes[i * 2 + p] - fast.probe_radius()[p] <= exact.hi);
    }
  }
}

}  // namespace

TEST_CASE("exact forward: within its radius of the interval pass, and the radius is small") {
  Random random(5);
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Transformer model = test::random_model(3 + seed, 1 + seed % 5, 8 + 2 * (seed % 3), seed);
    double widest = 0;
    compare(model, 1 + random.below(64), random, widest);
    CHECK(widest < 1e-8);
  }
}

TEST_CASE("exact forward: scores of hundreds, and attention without an MLP") {
  Random random(6);
  Transformer model = test::random_model(5, 3, 8, 2);
  for (float& x : model.W_Q.data) {
    x *= 40;
  }
  double widest = 0;
  compare(model, 40, random, widest);
  Transformer alone = test::random_model(5, 3, 8, 4);
  alone.config.attn_only = true;
  alone.W_in = alone.b_in = alone.W_out = alone.b_out = Tensor{};
  compare(alone, 40, random, widest);
}

TEST_CASE("exact forward: an error that cannot be bounded is infinite") {
  Transformer model = test::random_model(4, 2, 8, 1);
  model.W_U.data[3] = std::nanf("");
  const automata::ExactForward broken(model, {});
  CHECK(std::isinf(broken.logit_radius()[3]));
  model = test::random_model(4, 2, 8, 1);
  for (float& x : model.W_K.data) {
    x *= 1e6F;  // weights below every normal number
  }
  const automata::ExactForward steep(model, {});
  CHECK(std::isinf(steep.logit_radius()[0]));
}

TEST_CASE("window codes: back and forth, short windows apart from long ones") {
  const automata::WindowCodes codes(3, 4);
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    std::vector<TokenId> window = random_window(3, 4, random);
    const auto code = codes.encode(window);
    CHECK(codes.decode(code) == window);
    window.emplace_back(2U);
    if (window.size() > 4) {
      window.erase(window.begin());
    }
    CHECK(codes.append(code, 2) == codes.encode(window));
  }
  CHECK_THROWS_AS(automata::WindowCodes(4000, 6), UsageError);
}
