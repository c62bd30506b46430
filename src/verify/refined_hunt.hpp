#pragma once

#include "assay/spec/spec.hpp"
#include "refined_walks.hpp"

namespace assay::verify {

/// Looks for a run that violates one formula: guided walks, then ascent along short bad words. What is met in double is
/// replayed in intervals, and only a replayed run is an answer.
class RefinedHunt {
 public:
  /// `property`: the formula that the run violates. Keeps references.
  RefinedHunt(const RefinedInput& input, const Atoms& atoms, const RefinedLetters& letters,
              const spec::Dfa& dfa, const spec::Property& property, ContextAttack& attack);

  [[nodiscard]] std::optional<ExactViolated> quick();
  /// Harder, with at most `contexts` contexts evaluated: the walks get a quarter of them at most.
  [[nodiscard]] std::optional<ExactViolated> longer(std::size_t contexts);

 private:
  [[nodiscard]] std::optional<ExactViolated> walk(std::size_t contexts);
  [[nodiscard]] std::optional<ExactViolated> climb(std::size_t paths, std::size_t starts,
                                                   std::size_t sweeps, std::size_t until);
  [[nodiscard]] std::optional<ExactViolated> replayed(const MetRun& run);
  void find_paths();

  const RefinedInput& input_;
  const Atoms& atoms_;
  const RefinedLetters& letters_;
  const spec::Dfa& dfa_;
  const spec::Property& property_;
  ContextAttack& attack_;
  RunWalks walks_;
  std::vector<std::vector<RunStep>> paths_;  ///< short words into a bad state
};

}  // namespace assay::verify
