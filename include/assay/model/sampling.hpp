#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/model/decoder_rule.hpp"
#include "assay/model/forward.hpp"

namespace assay {

/// Computes next-token logits of sequences that grow token by token.
class TokenEngine {
 public:
  virtual ~TokenEngine() = default;
  /// Appends tokens[i] to sequence rows[i], each row at most once; [rows, d_vocab_out].
  [[nodiscard]] virtual Matrix append(std::span<const std::size_t> rows,
                                      std::span<const TokenId> tokens) = 0;
  /// The same logits of one context computed alone, where `append` may round them otherwise beside
  /// other sequences; empty: append's bits depend on the sequence alone.
  [[nodiscard]] virtual std::vector<double> alone(std::span<const TokenId> context) = 0;
};

/// A run of the model: the prompt and what was drawn after it.
struct SampledRun {
  std::vector<TokenId> prompt, tokens;
  bool is_over = false;  ///< nothing could come after its last token
  double slack = 1;      ///< the least of its draws (decoder_rule.hpp)
  bool operator==(const SampledRun&) const = default;
};

/// What a run's tokens are a function of, beside the model and the prompt.
struct DrawPlan {
  DecoderRule rule;
  std::uint64_t seed = 1;
  std::size_t max_new = 64;
  std::size_t d_vocab = 0;  ///< an output that cannot be read back in ends a run
};

/// Runs number begin, begin + 1, … of the plan, side by side on an engine without sequences: token i of run r is drawn by
/// the number (seed, r, i) of CounterRandom. A near tie is drawn again from the context alone. @pre no prompt is empty
[[nodiscard]] std::vector<SampledRun> draw_side_by_side(TokenEngine& engine, const DrawPlan& plan,
                                                        std::size_t begin,
                                                        std::vector<std::vector<TokenId>> prompts);

/// One JSON object a line: {"over":BOOL,"prompt":[IDS],"slack":X,"tokens":[IDS]}; the slack is left out unless asked for.
[[nodiscard]] std::string runs_jsonl(const std::vector<SampledRun>& runs, bool slack = false);
/// Throws InputError with the line.
[[nodiscard]] std::vector<SampledRun> parse_runs_jsonl(const std::string& text,
                                                       const std::string& file,
                                                       std::size_t vocabulary);

}  // namespace assay
