#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/erase/concept.hpp"
#include "assay/erase/leace.hpp"
#include "assay/erase/residual.hpp"
#include "assay/model/corpus.hpp"
#include "assay/model/tokenizer.hpp"
#include "assay/model/transformer.hpp"

namespace assay::erase {

/// Documents with their part and one label a byte. The part is that of the original document,
/// also where `text` is a copy with planted addresses.
struct LabelledText {
  std::vector<Document> documents;
  std::vector<Part> parts;
  std::vector<std::vector<std::uint8_t>> labels;
};
[[nodiscard]] LabelledText label_text(const Concept& labelled, std::vector<Document> documents,
                                      const std::vector<Document>& originals);

/// `length` tokens of a document from `begin`; the model sees nothing before them but its BOS.
struct Window {
  std::size_t document = 0;
  std::size_t begin = 0;
  std::size_t length = 0;
};

/// Windows of n_ctx tokens (256 when the config has none, at most 512), cut from the start of
/// every document of the part, ordered by a hash of (seed, document, place); the first ones up
/// to `max_tokens`, in document order. Deterministic. Throws Refusal when the part has no text.
[[nodiscard]] std::vector<Window> choose_windows(const LabelledText& text, Part part,
                                                 const Transformer& model, std::size_t max_tokens,
                                                 std::uint64_t seed);

/// The window's tokens behind the model's BOS, if it has one.
[[nodiscard]] std::vector<TokenId> window_tokens(const Transformer& model,
                                                 const Tokenizer& tokenizer,
                                                 const LabelledText& text, const Window& window);

/// Rows x [n,d] of a site, float32 as stored in evidence, with labels and document of each.
struct Rows {
  std::size_t d = 0;
  std::vector<float> x;
  std::vector<std::uint8_t> z;
  std::vector<std::size_t> document;

  [[nodiscard]] std::size_t n() const { return z.size(); }
  [[nodiscard]] std::size_t positive() const;
  [[nodiscard]] std::size_t documents() const;
  [[nodiscard]] std::span<const float> row(std::size_t i) const {
    return std::span(x).subspan(i * d, d);
  }
};

/// The site's activations on the windows, by the reference forward pass, rounded to float32.
/// Throws InputError for an unknown hook and UsageError when one token is not one byte.
[[nodiscard]] Rows collect_rows(const Transformer& model, const Tokenizer& tokenizer,
                                const std::string& hook, const LabelledText& text,
                                std::span<const Window> windows);

[[nodiscard]] Moments moments_of(const Rows& rows);
/// Deployed bits of every row. Throws Refusal when the grid is left.
[[nodiscard]] GridRows deploy_rows(const Eraser& eraser, const Rows& rows);

/// Mean next-token cross-entropy in nats, clean and with the deployed eraser at the site.
struct Cost {
  std::size_t tokens = 0;
  double clean = 0;
  double erased = 0;
};
[[nodiscard]] Cost measure_cost(const Transformer& model, const Tokenizer& tokenizer,
                                const LabelledText& text, std::span<const Window> windows,
                                const Eraser& eraser);

}  // namespace assay::erase
