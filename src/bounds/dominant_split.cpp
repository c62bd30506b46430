#include "dominant_split.hpp"

#include <algorithm>
#include <iterator>

namespace assay::bounds {

TokenSet others(const TokenSet& all, const TokenSet& part) {
  TokenSet out;
  std::set_difference(all.begin(), all.end(), part.begin(), part.end(), std::back_inserter(out));
  return out;
}

Split dominant_split(const Box& box, const std::vector<SlotScores>& slots, double T) {
  Split split{Split::By::dominant, 0, {}, 0, {}};
  for (const auto& [slot, score] : slots) {
    const TokenSet& tokens = *box.back[slot];
    TokenSet high;
    for (std::size_t e = 0; e < tokens.size(); ++e) {
      if (score(index(e)) >= T) {
        high.push_back(tokens[e]);
      }
    }
    if (!high.empty() && high.size() < tokens.size()) {
      split.slots.push_back(slot);
      split.sets.push_back(std::move(high));
    }
  }
  return split.slots.size() < 2 ? Split{} : split;
}

void add_dominant_splits(const Box& box, const std::vector<SlotScores>& slots,
                         std::vector<Split>& all) {
  std::vector<double> ranked;
  for (const SlotScores& s : slots) {
    ranked.insert(ranked.end(), s.score.begin(), s.score.end());
  }
  std::sort(ranked.begin(), ranked.end());
  for (const std::size_t sixteenths : {4U, 8U, 12U, 14U, 15U}) {
    Split split = dominant_split(box, slots, ranked[ranked.size() * sixteenths / 16]);
    if (split.by == Split::By::dominant) {
      all.push_back(std::move(split));
    }
  }
}

}  // namespace assay::bounds
