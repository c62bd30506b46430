#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "assay/automata/fit.hpp"

namespace assay::automata {

/// What makes two positions the same state.
struct StateKey {
  std::size_t block = 0;      ///< of the token partition
  std::int64_t feature = -1;  ///< index of the dominant candidate, -1 for none
  Letter letter;
  auto operator<=>(const StateKey&) const = default;
};
using Trace = std::vector<StateKey>;

/// Reads the states along a run. All arguments must outlive the reader.
class TraceReader {
 public:
  TraceReader(const Transformer& model, const Sae& sae, const AtomReader& atoms,
              const std::vector<features::NamedTokens>& blocks,
              const std::vector<StateFeature>& candidates);

  /// One key per token from position `first` on.
  [[nodiscard]] Trace read(std::span<const TokenId> tokens, std::size_t first) const;

 private:
  /// The candidate with the largest value / p99 among those that are on; the first of equals.
  [[nodiscard]] std::int64_t dominant(std::span<const double> pre) const;

  const Transformer& model_;
  const Sae& sae_;
  const AtomReader& atoms_;
  const std::vector<StateFeature>& candidates_;
  std::vector<std::size_t> block_of_;
};

}  // namespace assay::automata
