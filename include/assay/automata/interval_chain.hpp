#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace assay::automata {

/// A probability, or a bound of one, in units of 2^-40.
using Grid = std::uint64_t;
inline constexpr Grid kGridOne = Grid{1} << 40U;

/// "0.000965520544": twelve decimals, rounded up or down.
enum class Rounding { down, up };
[[nodiscard]] std::string grid_text(Grid value, Rounding rounding);

struct ChainEdge {
  std::uint32_t to = 0;
  Grid lo = 0, hi = 0;
  bool operator==(const ChainEdge&) const = default;
};

/// An interval Markov chain. Nature, who may know the whole history, picks at every visit of a
/// state any distribution p with lo <= p <= hi on that state's row.
class IntervalChain {
 public:
  /// The row of the next state. Throws InputError, naming the state, for lo > hi, hi > 1, a
  /// target that comes twice, and a row without a distribution: Σ lo > 1 or Σ hi < 1.
  void add_row(std::span<const ChainEdge> row);

  [[nodiscard]] std::size_t states() const { return begin_.size() - 1; }
  [[nodiscard]] std::size_t edges() const { return edges_.size(); }
  [[nodiscard]] std::span<const ChainEdge> row(std::size_t s) const {
    return std::span(edges_).subspan(begin_[s], begin_[s + 1] - begin_[s]);
  }
  /// Every edge leads to a state that has a row. Throws InputError naming one that does not.
  void require_closed() const;

 private:
  std::vector<std::size_t> begin_{0};
  std::vector<ChainEdge> edges_;
  std::uint32_t largest_target_ = 0;
};

/// max and min over nature of Σ p(t) v(t), in units of 2^-40, rounded up and down; exact integers.
[[nodiscard]] Grid worst_mean(std::span<const ChainEdge> row, const std::vector<Grid>& v);
[[nodiscard]] Grid best_mean(std::span<const ChainEdge> row, const std::vector<Grid>& v);

/// The probability of ever reaching a marked state, bounded for every state at once.
struct ChainBound {
  std::vector<Grid> value;
  /// Of lower bounds: kNoRank where the value is 0 and nature may keep away for ever.
  std::vector<std::uint32_t> rank;
  std::size_t sweeps = 0;
  std::size_t end_components = 0;  ///< in which nature may stay for ever, met on the way
};
inline constexpr std::uint32_t kNoRank = UINT32_MAX;

struct ChainLimits {
  std::size_t sweeps = 20000;  ///< of one component
  std::size_t rounds = 100;    ///< of leaving end components
  Grid still = 4;              ///< a sweep that moves no value by more ends the iteration
};

/// UPPER   u = 1 where marked, u(s) >= max over nature of Σ p u elsewhere   |-  P(reach) <= u
/// by iteration from above: every iterate is such a u, so a limit only makes it weaker.
[[nodiscard]] ChainBound reach_at_most(const IntervalChain& chain, const std::vector<bool>& marked,
                                       const ChainLimits& limits = {});
/// LOWER   l(s) <= min over nature of Σ p l; a state with l > 0 has a rank; and whatever nature does
///         leads from a ranked state with positive probability to a lower rank, marked ones lowest
///         |-  P(reach) >= l
[[nodiscard]] ChainBound reach_at_least(const IntervalChain& chain, const std::vector<bool>& marked,
                                        const ChainLimits& limits = {});
/// WITHIN  the same in at most `steps` steps: exact Bellman steps on the grid, rounded outward.
[[nodiscard]] ChainBound reach_at_most_within(const IntervalChain& chain,
                                              const std::vector<bool>& marked, std::size_t steps);
[[nodiscard]] ChainBound reach_at_least_within(const IntervalChain& chain,
                                               const std::vector<bool>& marked, std::size_t steps);

/// Whether the premises of UPPER and LOWER hold, in one pass; nothing for yes, else a state where
/// they do not.
[[nodiscard]] std::optional<std::size_t> refuted_upper(const IntervalChain& chain,
                                                       const std::vector<bool>& marked,
                                                       const std::vector<Grid>& u);
[[nodiscard]] std::optional<std::size_t> refuted_lower(const IntervalChain& chain,
                                                       const std::vector<bool>& marked,
                                                       const std::vector<Grid>& l,
                                                       const std::vector<std::uint32_t>& rank);

}  // namespace assay::automata
