#pragma once

#include <optional>
#include <span>
#include <vector>

#include "assay/automata/exact_forward.hpp"
#include "assay/verify/exact.hpp"
#include "assay/verify/exact_state.hpp"
#include "atoms.hpp"

namespace assay::verify {

/// A feature's encoder pre-activation or a readout's value, as an affine functional of its hook.
[[nodiscard]] automata::Probe probe_of(const CheckInput& input, const spec::Atom& atom);

/// The exact machine: its states are windows, its edges the tokens that the decoder may emit
/// after them. Windows are numbered as they are met and evaluated on demand.
///
///   EXACT   t not absent after u, decided on logits enclosed for u   |-  every step of the model
///           from a context that ends in u is one of u's edges
class WindowMachine {
 public:
  using Index = std::uint32_t;
  /// An edge: token * 2 + (open ? 1 : 0).
  using Edge = std::uint16_t;

  /// @param atoms the atoms whose letters are wanted; `state`: what was evaluated before, or null. Throws as ExactForward.
  WindowMachine(const ExactInput& input, std::uint64_t atoms, const StateUse* state = nullptr);

  [[nodiscard]] const automata::WindowCodes& codes() const { return forward_.codes(); }
  [[nodiscard]] std::size_t vocabulary() const { return forward_.vocabulary(); }
  [[nodiscard]] Index intern(automata::WindowCode code);
  [[nodiscard]] std::optional<Index> find(automata::WindowCode code) const;
  [[nodiscard]] automata::WindowCode code(Index i) const { return windows_[i]; }
  [[nodiscard]] std::size_t size() const { return windows_.size(); }
  [[nodiscard]] std::size_t evaluated() const { return evaluated_; }
  [[nodiscard]] std::size_t by_intervals() const { return by_intervals_; }
  [[nodiscard]] std::size_t edge_count() const { return pool_.size(); }
  [[nodiscard]] std::size_t open_count() const { return open_; }
  [[nodiscard]] std::size_t bytes() const;

  [[nodiscard]] bool is_evaluated(Index i) const { return begin_[i] != kNotYet; }
  /// Evaluates those of the windows that are not yet, on the given number of threads; the result
  /// does not depend on that number.
  void evaluate(std::span<const Index> windows, std::size_t threads);
  /// For a state file; `begin` is not set. @pre evaluated.
  [[nodiscard]] EvaluatedWindows::Window evaluated_window(Index i) const;
  /// @pre evaluated.
  [[nodiscard]] std::span<const Edge> edges(Index i) const {
    return {pool_.data() + begin_[i], degree_[i]};
  }
  /// The letter read at the window's last token. @pre evaluated, or !reads_values().
  [[nodiscard]] Decided letter(Index i) const;
  /// Letters depend on features or readouts, so on evaluation.
  [[nodiscard]] bool reads_values() const { return !measured_.empty(); }

 private:
  static constexpr std::uint64_t kNotYet = UINT64_MAX;
  struct Outcome;  ///< of a run of windows
  struct Bits {
    std::uint32_t must = 0, may = 0;  ///< bit i speaks of measured_[i]
  };
  [[nodiscard]] static std::vector<automata::Probe> probes_of(const CheckInput& input,
                                                              std::uint64_t atoms,
                                                              std::vector<std::size_t>& measured);
  void evaluate_run(std::span<const automata::WindowCode> windows, Outcome& out) const;
  /// Takes what an earlier run left of these windows; the others.
  [[nodiscard]] std::vector<Index> not_resumed(const std::vector<Index>& wanted);
  void store(Index i, std::span<const Edge> edges, Bits bits, bool by_intervals);
  void read_row(automata::WindowCode window, const double* logits, const double* probes,
                Outcome& out) const;
  void read_in_intervals(automata::WindowCode window, Bits& bits, Outcome& out) const;
  [[nodiscard]] Bits measured_bits(const double* probes) const;
  void grow();

  const ExactInput& input_;
  const StateUse* state_;
  Atoms atoms_;
  std::vector<std::size_t> measured_;  ///< atoms about features and readouts
  std::uint64_t measured_mask_ = 0;
  automata::ExactForward forward_;
  std::vector<double> margin_;                ///< [V], what the double pass must separate by
  std::vector<std::uint64_t> token_letters_;  ///< [V], atoms about tokens

  std::vector<automata::WindowCode> windows_;
  std::vector<std::uint64_t> begin_;  ///< of the edges in pool_
  std::vector<std::uint16_t> degree_;
  std::vector<Bits> bits_;  ///< empty unless reads_values()
  std::vector<Edge> pool_;
  std::vector<bool> by_intervals_of_;
  std::vector<Index> slots_;  ///< open addressing; kFree
  std::size_t evaluated_ = 0, by_intervals_ = 0, open_ = 0;
};

}  // namespace assay::verify
