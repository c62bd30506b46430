#pragma once

#include <utility>
#include <vector>

#include "suffix_heads.hpp"

namespace assay::automata {

/// Rivals of a token and their shares, multiples of 2^-16 that sum to 1.
struct SuffixMixture {
  std::vector<std::pair<std::uint32_t, double>> shares;
  /// The largest shares, rounded. @pre one share at least, of positive sum.
  [[nodiscard]] static SuffixMixture of(std::vector<std::pair<std::uint32_t, double>> shares);
};

/// Where a state's neurons and direct logits lie: [blocks * kBlock], widened by their errors.
struct SuffixRanges {
  std::vector<double> lo, hi;
  /// [padded_f] slopes to begin with, where κ > 0 and elsewhere.
  std::vector<double> rising, falling;
  void set_slopes(std::size_t neurons, std::size_t padded);
};

/// MLP-FOLD of l_t − <q, l> for many (state, token, mixture) at once.
class SuffixFold {
 public:
  struct Row {
    const SuffixHeads* heads = nullptr;
    const SuffixRanges* ranges = nullptr;
    std::uint32_t token = 0;
    SuffixMixture mixture;
    double hi = 0;  ///< Û; add the radius
  };
  explicit SuffixFold(const SuffixBounds::Tables& tables) : t_(tables) {}

  /// Bounds the rows with slopes 1 or 0 where a neuron has one sign or κ < 0, else the area rule.
  void run(std::vector<Row>& rows);
  /// One step from the last run's maximisers: slopes by subgradient, the mixture towards the
  /// winner there; then bounds again.
  void step(std::vector<Row>& rows, std::size_t number);
  /// Keeps these rows only, by rising index, with what `step` needs of them.
  void keep(const std::vector<std::size_t>& rows);
  /// The shared context that the last run's directions like best, to first order: tokens of the
  /// unknown positions, nearest first.
  [[nodiscard]] std::vector<std::uint32_t> best_context(const Row& row, std::size_t index) const;

 private:
  void set_kappa(const std::vector<Row>& rows);
  void bound(std::vector<Row>& rows);
  void move_slopes(const Row& row, const double* pre, std::size_t r, double rate);
  [[nodiscard]] const double* nu(std::size_t head, std::size_t row) const {
    return nu_.data() + (head * capacity_ + row) * t_.padded_V;
  }

  const SuffixBounds::Tables& t_;
  std::size_t capacity_ = 0;
  std::vector<double> kappa_, folded_, G_, constant_, nu_;
  std::vector<double> slopes_;
  std::vector<std::uint32_t> at_;  ///< [rows, H, places_]
  std::size_t places_ = 1;
};

}  // namespace assay::automata
