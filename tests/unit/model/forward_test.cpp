#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/model/forward.hpp"
#include "catch.hpp"
#include "naive_model.hpp"

using namespace assay;

namespace {

std::vector<TokenId> random_tokens(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<TokenId> tokens;
  for (std::size_t i = 0; i < n; ++i) {
    tokens.emplace_back(random.below(11));
  }
  return tokens;
}

struct Variant {
  PosKind positions;
  ActFn act;
  NormKind norm;
  bool affine;
  std::size_t window;
  bool attn_only;
};

std::vector<Variant> every_variant() {
  std::vector<Variant> variants;
  for (const auto positions :
       {PosKind::standard, PosKind::relative, PosKind::rotary, PosKind::none}) {
    for (const auto act : {ActFn::relu, ActFn::gelu_erf, ActFn::gelu_tanh}) {
      for (const int norm : {0, 1, 2}) {
        for (const std::size_t window : {std::size_t{0}, std::size_t{3}}) {
          for (const bool attn_only : {false, true}) {
            variants.push_back({positions, act, norm == 0 ? NormKind::none : NormKind::layer_norm,
                                norm != 2, window, attn_only});
          }
        }
      }
    }
  }
  return variants;
}

Transformer build(const Variant& v, std::uint64_t seed) {
  return naive::random_model(v.positions, v.act, v.norm, v.affine, v.window, v.attn_only, seed);
}

}  // namespace

TEST_CASE("the forward pass agrees with a scalar rewriting, for every kind of model") {
  std::uint64_t seed = 1;
  for (const Variant& v : every_variant()) {
    const Transformer model = build(v, ++seed);
    const auto tokens = random_tokens(12, seed);
    const ForwardPass pass = forward(model, tokens);
    REQUIRE(pass.logits.rows == tokens.size());
    REQUIRE(pass.logits.cols == model.config.d_vocab_out);
    for (std::size_t n = 0; n < tokens.size(); ++n) {
      const auto expected = naive::logits(model, tokens, n);
      for (std::size_t j = 0; j < expected.size(); ++j) {
        REQUIRE(pass.logits.at(n, j) == Approx(expected[j]).epsilon(1e-11).margin(1e-11));
      }
    }
  }
}

TEST_CASE("next_logits has the bits of the forward pass's last row") {
  std::uint64_t seed = 100;
  for (const Variant& v : every_variant()) {
    const Transformer model = build(v, ++seed);
    const auto tokens = random_tokens(12, seed);
    for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{12}}) {
      const std::span<const TokenId> context(tokens.data(), n);
      const ForwardPass pass = forward(model, context);
      const auto last = pass.logits.row(n - 1);
      REQUIRE(next_logits(model, context) == std::vector<double>(last.begin(), last.end()));
    }
  }
}

TEST_CASE("a later token changes no earlier logits, and no token beyond the window any") {
  for (const auto positions : {PosKind::standard, PosKind::relative, PosKind::rotary}) {
    const Transformer model =
        naive::random_model(positions, ActFn::relu, NormKind::layer_norm, true, 3, false, 7);
    auto tokens = random_tokens(10, 3);
    const Matrix before = forward(model, tokens).logits;
    const std::size_t changed = 5;
    tokens[changed] = TokenId((tokens[changed].at() + 1) % 11);
    const Matrix after = forward(model, tokens).logits;
    for (std::size_t n = 0; n < tokens.size(); ++n) {
      bool same = true;
      for (std::size_t j = 0; j < before.cols; ++j) {
        same = same && before.at(n, j) == after.at(n, j);
      }
      REQUIRE(same == (n < changed || n >= changed + 3));
    }
  }
}

TEST_CASE("with a window and relative positions a sequence may be longer than n_ctx") {
  const Transformer windowed =
      naive::random_model(PosKind::relative, ActFn::relu, NormKind::none, true, 3, false, 9);
  REQUIRE(forward(windowed, random_tokens(50, 1)).logits.rows == 50);
  const Transformer full =
      naive::random_model(PosKind::relative, ActFn::relu, NormKind::none, true, 0, false, 9);
  REQUIRE_THROWS_AS(forward(full, random_tokens(13, 1)), InputError);
  const Transformer absolute =
      naive::random_model(PosKind::standard, ActFn::relu, NormKind::none, true, 3, false, 9);
  REQUIRE_THROWS_AS(forward(absolute, random_tokens(13, 1)), InputError);
  REQUIRE_THROWS_AS(next_logits(absolute, random_tokens(13, 1)), InputError);
}

TEST_CASE("hooks hold the values between the sublayers") {
  const Transformer model =
      naive::random_model(PosKind::standard, ActFn::relu, NormKind::none, true, 0, false, 4);
  const std::vector<std::string> hooks = {kHookResidPre, kHookAttnOut, kHookResidMid, kHookMlpPre,
                                          kHookMlpPost,  kHookMlpOut,  kHookResidPost};
  const auto pass = forward(model, random_tokens(5, 2), hooks);
  REQUIRE(pass.hooks.size() == hooks.size());
  const auto& at = pass.hooks;
  for (std::size_t r = 0; r < 5; ++r) {
    for (std::size_t i = 0; i < 7; ++i) {
      REQUIRE(at.at(kHookResidMid).at(r, i) ==
              at.at(kHookResidPre).at(r, i) + at.at(kHookAttnOut).at(r, i));
      REQUIRE(at.at(kHookResidPost).at(r, i) ==
              at.at(kHookResidMid).at(r, i) + at.at(kHookMlpOut).at(r, i));
    }
    for (std::size_t i = 0; i < 9; ++i) {
      REQUIRE(at.at(kHookMlpPost).at(r, i) == std::fmax(at.at(kHookMlpPre).at(r, i), 0));
    }
  }
  const std::vector<std::string> unknown = {"blocks.1.hook_resid_pre"};
  REQUIRE_THROWS_AS(forward(model, random_tokens(5, 2), unknown), UsageError);
}

TEST_CASE("a splice replaces its site and the model goes on from there") {
  const Transformer model =
      naive::random_model(PosKind::relative, ActFn::relu, NormKind::none, true, 3, false, 4);
  const auto zero = [](Matrix& value, const void* /*context*/) {
    std::fill(value.data.begin(), value.data.end(), 0.0);
  };
  const std::vector<std::string> hooks = {kHookResidMid, kHookResidPost, kHookMlpOut};
  const Splice splice{kHookMlpOut, zero, nullptr};
  const auto pass = forward(model, random_tokens(6, 2), hooks, &splice);
  REQUIRE(pass.hooks.at(kHookResidPost).data == pass.hooks.at(kHookResidMid).data);

  const Splice mid{kHookResidMid, zero, nullptr};
  const auto cut = forward(model, random_tokens(6, 2), hooks, &mid);
  REQUIRE(cut.hooks.at(kHookResidPost).data == cut.hooks.at(kHookMlpOut).data);
  REQUIRE(cut.logits.row(0)[0] == cut.logits.row(5)[0]);
}

TEST_CASE("a token outside the vocabulary and an empty sequence are refused") {
  const Transformer model =
      naive::random_model(PosKind::relative, ActFn::relu, NormKind::none, true, 3, false, 4);
  const std::vector<TokenId> bad = {TokenId(0), TokenId(11)};
  REQUIRE_THROWS_AS(forward(model, bad), InputError);
  REQUIRE_THROWS_AS(next_logits(model, bad), InputError);
  REQUIRE_THROWS_AS(forward(model, std::vector<TokenId>{}), InputError);
  REQUIRE_THROWS_AS(next_logits(model, std::vector<TokenId>{}), InputError);
}
