#pragma once

#include "assay/automata/exact_forward.hpp"
#include "assay/base/random.hpp"
#include "assay/verify/refined.hpp"
#include "refined_letters.hpp"

namespace assay::verify {

/// Next-token logits and the decoder's distribution in double: for estimates and sampled runs; no part of a proof.
class ChanceForward {
 public:
  explicit ChanceForward(const RefinedInput& input);

  [[nodiscard]] const automata::WindowCodes& codes() const { return forward_.codes(); }
  [[nodiscard]] std::size_t vocabulary() const { return forward_.vocabulary(); }
  /// [windows, V]
  [[nodiscard]] std::vector<double> logits(const std::vector<automata::WindowCode>& windows);
  /// e^{l/τ} over what the decoder keeps, normalised.
  void distribution(const double* logits, std::vector<double>& out) const;

 private:
  const automata::Emission& emission_;
  automata::ExactForward forward_;
  automata::ExactForward::Scratch scratch_;
  double temperature_;
};

/// Runs from the worst prompt that was met, with the exact interval of the event's rate.
struct ChanceSample {
  std::vector<TokenId> prompt;
  std::size_t runs = 0, hits = 0;
};
/// Looks for a prompt by coordinate ascent on the probability that the event comes with the next token, from random
/// prompts and from `starts` as well; then draws fresh runs from the one whose short runs met the event most often
/// (`largest`) or least often.
[[nodiscard]] ChanceSample sample_chance(const RefinedInput& input, const RefinedLetters& letters,
                                         const spec::Dfa& event, std::size_t horizon, bool largest,
                                         const std::vector<automata::WindowCode>& starts);

}  // namespace assay::verify
