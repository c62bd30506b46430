#pragma once

#include <random>

#include "refined_attack.hpp"

namespace assay::verify {

/// Real runs, many at once, sampled under the decoder in double and drawn to letters that bring the monitor nearer to a
/// bad state. What they meet is replayed; what they do not meet may still exist.
class RunWalks {
 public:
  RunWalks(const RefinedInput& input, const RefinedLetters& letters, const spec::Dfa& dfa,
           ContextAttack& attack);

  /// False if no letters of tokens lead to a bad state.
  [[nodiscard]] bool can_turn_bad() const;
  /// Runs into a bad state, as they were met, until `contexts` more contexts are evaluated or `most` runs are met.
  /// @pre can_turn_bad().
  [[nodiscard]] std::vector<MetRun> met(std::size_t contexts, std::size_t most);

 private:
  struct Walk {
    std::vector<TokenId> prompt, tokens;
    automata::WindowCode window = 0;
    std::uint32_t spec = 0;
    bool is_uniform = false;  ///< draws from the support without looking at probabilities
  };
  void measure();
  void start(Walk& walk);
  [[nodiscard]] std::size_t letter_of(const Walk& walk, const double* probes) const;
  void step(Walk& walk, const double* logits);
  [[nodiscard]] double cutoff(const double* logits);

  const RefinedInput& input_;
  const RefinedLetters& letters_;
  const spec::Dfa& dfa_;
  ContextAttack& attack_;
  std::vector<std::size_t> distance_;           ///< [states], letters to a bad state at best
  std::vector<std::vector<std::size_t>> near_;  ///< [states][V]: after this token, at best
  std::vector<Walk> walks_;
  std::vector<double> weight_, sorted_;
  std::size_t started_ = 0;
  std::mt19937_64 random_{29};
};

}  // namespace assay::verify
