#pragma once

#include <vector>

#include "branch.hpp"

namespace assay::bounds {

/// Divisions of a case by the position that dominates a head.
///
/// DOMINANT   B_j = S_j + R_j, disjoint, for positions j_1 … j_r
///   |-   every context has a first j_i whose token is in S_{j_i} (those before it are in R), or all its tokens are in R
///
/// S_j are the tokens whose weight for one head is at least T: part i is "j_i is the first position with a weight of at least T",
/// the last part "no position has", to be divided again at a lower T. Each part is a box, and the parts are a chain
/// of parts by token: S_{j_1}, or else R_{j_1} and of that S_{j_2}, and so on. No weight is believed: only the sets count.
struct SlotScores {
  std::size_t slot = 0;
  Row score;  ///< [tokens of the slot]
};

/// What is left of a set without a part of it.
[[nodiscard]] TokenSet others(const TokenSet& all, const TokenSet& part);

/// S_j = the tokens with a score of at least T, at the positions where that is neither none nor all. By none when fewer than two are.
[[nodiscard]] Split dominant_split(const Box& box, const std::vector<SlotScores>& slots, double T);
/// The same at several T: ranks of the scores.
void add_dominant_splits(const Box& box, const std::vector<SlotScores>& slots,
                         std::vector<Split>& all);

}  // namespace assay::bounds
