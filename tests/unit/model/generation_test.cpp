#include "assay/model/generation.hpp"

#include <catch.hpp>

#include "assay/base/counter_random.hpp"
#include "assay/base/errors.hpp"
#include "naive_model.hpp"

using namespace assay;
using naive::random_model;

namespace {

Block block_of(const Transformer& m) {
  Block b{m.W_Q,  m.W_K,  m.W_V,   m.W_O,   m.b_Q,   m.b_K,   m.b_V,   m.b_O,  m.rel_bias,
          m.W_in, m.b_in, m.W_out, m.b_out, m.ln1_w, m.ln1_b, m.ln2_w, m.ln2_b};
  const auto& c = m.config;
  for (Tensor* t : {&b.b_Q, &b.b_K, &b.b_V}) {
    *t = t->data.empty() ? zeros({c.n_heads, c.d_head}) : *t;
  }
  b.b_O = b.b_O.data.empty() ? zeros({c.d_model}) : b.b_O;
  b.b_in = b.b_in.data.empty() ? zeros({c.d_mlp}) : b.b_in;
  b.b_out = b.b_out.data.empty() ? zeros({c.d_model}) : b.b_out;
  return b;
}

DeepModel deep_of(const Transformer& m) {
  DeepModel d;
  d.config = m.config;
  d.W_E = m.W_E;
  d.W_pos = m.W_pos;
  d.W_U = m.W_U;
  d.b_U = m.b_U.data.empty() ? zeros({m.config.d_vocab_out}) : m.b_U;
  d.ln_final_w = m.ln_final_w;
  d.ln_final_b = m.ln_final_b;
  d.blocks = {block_of(m)};
  return d;
}

/// Two blocks that differ.
DeepModel two_layers() {
  DeepModel d = deep_of(
      random_model(PosKind::standard, ActFn::gelu_tanh, NormKind::layer_norm, true, 0, false, 3));
  d.blocks.push_back(block_of(
      random_model(PosKind::standard, ActFn::gelu_tanh, NormKind::layer_norm, true, 0, false, 4)));
  d.config.n_layers = 2;
  return d;
}

std::vector<TokenId> tokens_of(std::size_t n, std::size_t vocabulary, std::uint64_t seed) {
  const CounterRandom random(seed);
  std::vector<TokenId> out;
  for (std::size_t i = 0; i < n; ++i) {
    out.emplace_back(random.below(vocabulary, CounterRandom::Stream::prompt, i, 0));
  }
  return out;
}

}  // namespace

TEST_CASE("one layer token by token gives the reference forward pass of every family") {
  for (const PosKind positions :
       {PosKind::standard, PosKind::relative, PosKind::rotary, PosKind::none}) {
    for (const ActFn act : {ActFn::relu, ActFn::gelu_erf, ActFn::gelu_tanh}) {
      for (const auto& [norm, affine] : {std::pair{NormKind::none, true},
                                         {NormKind::layer_norm, true},
                                         {NormKind::layer_norm, false}}) {
        for (const std::size_t window : {0, 3}) {
          const Transformer m = random_model(positions, act, norm, affine, window, window == 0, 11);
          const DeepModel deep = deep_of(m);
          const std::vector<TokenId> tokens = tokens_of(7, m.config.d_vocab, 2);
          const Matrix reference = forward(m, tokens).logits;
          Generation one(deep, 1);
          for (std::size_t i = 0; i < tokens.size(); ++i) {
            const std::size_t row = 0;
            const Matrix logits = one.append(std::span(&row, 1), std::span(&tokens[i], 1));
            for (std::size_t t = 0; t < m.config.d_vocab_out; ++t) {
              REQUIRE(logits.at(0, t) == Approx(reference.at(i, t)).margin(1e-11));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("a second block of zeros changes nothing, another one does") {
  DeepModel deep = two_layers();
  const std::vector<TokenId> tokens = tokens_of(6, deep.config.d_vocab, 5);
  const std::vector<double> whole = next_logits(deep, tokens);
  DeepModel first = deep;
  first.blocks.pop_back();
  const std::vector<double> alone = next_logits(first, tokens);
  CHECK(whole != alone);
  for (Tensor* t :
       {&deep.blocks[1].W_O, &deep.blocks[1].b_O, &deep.blocks[1].W_out, &deep.blocks[1].b_out}) {
    *t = zeros(t->shape);
  }
  CHECK(next_logits(deep, tokens) == alone);
}

TEST_CASE("RMSNorm takes no mean off") {
  DeepModel deep = deep_of(
      random_model(PosKind::standard, ActFn::relu, NormKind::layer_norm, false, 0, false, 9));
  const std::vector<TokenId> tokens = tokens_of(4, deep.config.d_vocab, 6);
  const std::vector<double> layer = next_logits(deep, tokens);
  deep.rms = true;
  CHECK(next_logits(deep, tokens) != layer);
  // A stream without a mean is the same under both: weights into the stream whose columns add to 0, row by row.
  const auto centre = [&](Tensor& t) {
    const std::size_t d = deep.config.d_model;
    for (std::size_t r = 0; r < t.data.size() / d; ++r) {
      double sum = 0;
      for (std::size_t i = 0; i < d; ++i) {
        sum += static_cast<double>(t.data[r * d + i]);
      }
      for (std::size_t i = 0; i < d; ++i) {
        t.data[r * d + i] -= static_cast<float>(sum / static_cast<double>(d));
      }
    }
  };
  Block& b = deep.blocks[0];
  for (Tensor* t : {&deep.W_E, &deep.W_pos, &b.W_O, &b.b_O, &b.W_out, &b.b_out}) {
    centre(*t);
  }
  const std::vector<double> rms = next_logits(deep, tokens);
  deep.rms = false;
  const std::vector<double> again = next_logits(deep, tokens);
  for (std::size_t t = 0; t < rms.size(); ++t) {
    CHECK(rms[t] == Approx(again[t]).margin(1e-5));
  }
}

TEST_CASE("a sequence's bits do not depend on those beside it") {
  const DeepModel deep = two_layers();
  Generation many(deep, 9);
  std::vector<Matrix> last(9);
  std::vector<std::vector<TokenId>> texts;
  for (std::size_t r = 0; r < 9; ++r) {
    texts.push_back(tokens_of(3 + r % 4, deep.config.d_vocab, r));
  }
  for (std::size_t i = 0; i < 6; ++i) {
    std::vector<std::size_t> rows;
    std::vector<TokenId> next;
    for (std::size_t r = 0; r < 9; ++r) {
      if (i < texts[r].size()) {
        rows.push_back(r);
        next.push_back(texts[r][i]);
      }
    }
    const Matrix logits = many.append(rows, next);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      last[rows[k]] = {1, logits.cols, {logits.row(k).begin(), logits.row(k).end()}};
    }
  }
  for (std::size_t r = 0; r < 9; ++r) {
    CHECK(last[r].data == next_logits(deep, texts[r]));
  }
}

TEST_CASE("a position or token beyond the model is refused") {
  const DeepModel deep = two_layers();
  CHECK(deep.longest() == deep.config.n_ctx);
  CHECK_THROWS_AS(next_logits(deep, tokens_of(deep.config.n_ctx + 1, deep.config.d_vocab, 1)),
                  Error);
  CHECK_THROWS_AS(next_logits(deep, std::vector<TokenId>{TokenId(deep.config.d_vocab)}), Error);
}
