#pragma once
// A small random model, SAE and text for tests: every run of a test sees the same bits.

#include <cmath>
#include <string>
#include <vector>

#include "assay/base/random.hpp"
#include "assay/model/corpus.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/tokenizer.hpp"
#include "assay/model/transformer.hpp"

namespace assay::test {

inline Tensor random_tensor(std::vector<std::size_t> shape, double scale, Random& random) {
  Tensor t = zeros(std::move(shape));
  for (float& x : t.data) {
    x = static_cast<float>(scale * (2 * random.unit() - 1));
  }
  return t;
}

/// One layer, window `window` (0: full, then n_ctx bounds the length), relative bias, ReLU.
inline Transformer random_model(std::size_t vocabulary, std::size_t window = 4, std::size_t d = 8,
                                std::uint64_t seed = 7) {
  Random random(seed);
  Transformer m;
  auto& c = m.config;
  c.d_model = d;
  c.n_ctx = 16;
  c.n_heads = 2;
  c.d_head = d / 2;
  c.d_mlp = 2 * d;
  c.d_vocab = c.d_vocab_out = vocabulary;
  c.attention_window = window;
  c.relative_bias = true;
  const std::size_t h = c.n_heads, dh = c.d_head, f = c.d_mlp;
  m.W_E = random_tensor({vocabulary, d}, 1, random);
  m.W_Q = random_tensor({h, d, dh}, 0.7, random);
  m.W_K = random_tensor({h, d, dh}, 0.7, random);
  m.W_V = random_tensor({h, d, dh}, 0.7, random);
  m.W_O = random_tensor({h, dh, d}, 0.7, random);
  m.b_Q = random_tensor({h, dh}, 0.1, random);
  m.b_K = random_tensor({h, dh}, 0.1, random);
  m.b_V = random_tensor({h, dh}, 0.1, random);
  m.b_O = random_tensor({d}, 0.1, random);
  m.rel_bias = random_tensor({h, window == 0 ? c.n_ctx : window}, 0.5, random);
  m.W_in = random_tensor({d, f}, 0.7, random);
  m.b_in = random_tensor({f}, 0.1, random);
  m.W_out = random_tensor({f, d}, 0.5, random);
  m.b_out = random_tensor({d}, 0.1, random);
  m.W_U = random_tensor({d, vocabulary}, 1, random);
  m.b_U = random_tensor({vocabulary}, 0.1, random);
  m.weights_digest = sha256("random model");
  return m;
}

/// hook_resid_mid -> hook_mlp_out.
inline Sae random_transcoder(const Transformer& model, std::size_t features = 12,
                             std::uint64_t seed = 9) {
  Random random(seed);
  Sae s;
  s.architecture = "jumprelu_transcoder";
  s.apply_b_dec_to_input = false;
  s.hook_name = kHookResidMid;
  s.hook_name_out = kHookMlpOut;
  s.d_in = s.d_out = model.config.d_model;
  s.d_sae = features;
  s.W_enc = random_tensor({s.d_in, features}, 1, random);
  s.b_enc = random_tensor({features}, 0.3, random);
  s.W_dec = random_tensor({features, s.d_out}, 1, random);
  s.b_dec = random_tensor({s.d_out}, 0.1, random);
  s.threshold = zeros({features});
  for (float& t : s.threshold.data) {
    t = static_cast<float>(0.5 + random.unit());
  }
  s.weights_digest = sha256("random transcoder");
  return s;
}

/// Markup-like documents of 200 to 400 characters.
inline std::vector<Document> random_documents(std::size_t n, std::uint64_t seed = 3) {
  static const char* kPieces[] = {"<a href=\"", "\">", "</a>", "<b>",  "</b>", "word ",
                                  "x1 ",        "42",  "\n",   "Name", "= ",   "."};
  Random random(seed);
  std::vector<Document> documents;
  for (std::size_t i = 0; i < n; ++i) {
    std::string text;
    const std::size_t length = 200 + random.below(200);
    while (text.size() < length) {
      text += kPieces[random.below(std::size(kPieces))];
    }
    documents.push_back({"doc" + std::to_string(i), text});
  }
  return documents;
}

inline std::string all_text(const std::vector<Document>& documents) {
  std::string text;
  for (const Document& document : documents) {
    text += document.text;
  }
  return text;
}

}  // namespace assay::test
