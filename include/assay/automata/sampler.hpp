#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/base/random.hpp"
#include "assay/model/decoder.hpp"
#include "assay/model/transformer.hpp"

namespace assay::automata {

/// Next-token logits, fast. In a one-layer model without LayerNorm, rotary or absolute
/// positions, a key's score and value depend on the query token, the key token and the distance
/// alone, so they are tabulated once; every other model goes through assay::next_logits.
/// The model must outlive the sampler.
class Sampler {
 public:
  explicit Sampler(const Transformer& model);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// [d_vocab_out]; equals assay::next_logits up to double rounding.
  /// @pre the context is not empty, every token is below d_vocab.
  [[nodiscard]] std::vector<double> next_logits(std::span<const TokenId> context) const;

  /// The prompt and `max_new` tokens sampled after it. Throws InputError when the prompt is
  /// empty, has an unknown token, or the run would not fit into n_ctx of a model that needs it.
  [[nodiscard]] std::vector<TokenId> run(const Decoder& decoder, std::span<const TokenId> prompt,
                                         std::size_t max_new, Random& random) const;

 private:
  struct Tables;
  const Transformer& model_;
  std::unique_ptr<const Tables> tables_;  ///< null: the slow path
};

}  // namespace assay::automata
