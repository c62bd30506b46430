#pragma once

#include <functional>

#include "assay/automata/exact_forward.hpp"
#include "assay/verify/refined.hpp"
#include "refined_letters.hpp"

namespace assay::verify {

/// One step of a run that is looked for: the tokens that may come, and what the measured aps must show there.
struct RunStep {
  std::vector<std::uint32_t> tokens;
  std::vector<std::pair<std::size_t, bool>> shows;  ///< index into `measured`, truth
};
/// A run that the search met, in double.
struct MetRun {
  double lead = 0;  ///< above 0: every step is taken, by this much at least
  std::vector<TokenId> prompt, tokens;
};

/// Coordinate ascent over contexts, many at once, in double: what it meets proves nothing, and what it does not meet
/// may still exist.
class ContextAttack {
 public:
  ContextAttack(const RefinedInput& input, const std::vector<RefinedLetters::Measured>& measured);

  struct Met {
    double lead =
        -1e300;  ///< nats beyond the decoder's cut, or the value beyond the atom's threshold
    std::vector<TokenId> context;  ///< oldest first
    std::vector<double> mean;      ///< next-token probabilities over the contexts at hand, [V]
  };
  /// The context of the box after which the token is emitted most surely.
  [[nodiscard]] Met emits(const ViewBox& box, std::uint32_t token);
  /// The context of the box whose last token shows the atom's truth most surely. `which`: index into `measured`.
  [[nodiscard]] Met shows(const ViewBox& box, std::size_t which, bool truth);
  /// Runs from a prompt of the set along the steps, the best first.
  [[nodiscard]] std::vector<MetRun> runs(const std::vector<RunStep>& steps, std::size_t starts,
                                         std::size_t sweeps);

  [[nodiscard]] std::size_t evaluated() const { return evaluated_; }
  [[nodiscard]] const automata::WindowCodes& codes() const { return forward_.codes(); }
  /// Calls `read(row, logits, probes)` for each context.
  void evaluate(const std::vector<automata::WindowCode>& windows,
                const std::function<void(std::size_t, const double*, const double*)>& read);
  /// How far the value is beyond the threshold, on the side where the atom has this truth.
  [[nodiscard]] double atom_lead(std::size_t which, bool truth, double value) const;

 private:
  using Genome = std::vector<std::uint32_t>;  ///< oldest first
  using Choices = std::vector<std::vector<std::uint32_t>>;
  using Objective = std::function<std::vector<double>(const std::vector<Genome>&)>;
  struct Climbed {
    std::vector<Genome> genomes;
    std::vector<double> leads;
  };
  [[nodiscard]] std::vector<automata::WindowCode> windows_of(
      const std::vector<Genome>& genomes) const;
  Climbed climb(const Choices& choices, const Objective& objective, std::size_t starts,
                std::size_t sweeps);
  [[nodiscard]] double lead(const double* logits, std::uint32_t token) const;
  Met best_of(const ViewBox& box, const Objective& objective);
  std::vector<double> run_leads(const std::vector<Genome>& genomes, std::size_t prompt,
                                const std::vector<RunStep>& steps);

  const RefinedInput& input_;
  std::vector<RefinedLetters::Measured> measured_;
  automata::ExactForward forward_;
  automata::ExactForward::Scratch scratch_;
  std::size_t evaluated_ = 0;
};

}  // namespace assay::verify
