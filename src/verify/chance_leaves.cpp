#include "chance_leaves.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "exact_search.hpp"
#include "refined_box.hpp"

namespace assay::verify {

using automata::Grid;
using automata::kGridOne;

LeafChain::LeafChain(const std::vector<ChanceLeaf>& leaves, const RefinedLetters& letters,
                     const spec::Dfa& event)
    : leaves_(leaves), event_(event), V_(letters.vocabulary()), settled_(can_turn_bad(event)) {
  settled_.flip();
  std::vector<std::optional<ViewBox>> before;
  for (const ChanceLeaf& leaf : leaves) {
    before.push_back(
        predecessor(leaf.box, static_cast<std::uint32_t>(leaf.box.back[0].tokens()[0].at())));
  }
  std::vector<std::vector<std::uint32_t>> into(V_);
  begin_.push_back(0);
  for (const ChanceLeaf& leaf : leaves) {
    std::vector<automata::ChainEdge>& row = rows_.emplace_back();
    for (auto& list : into) {
      list.clear();
    }
    for (std::uint32_t r = 0; r < leaves.size(); ++r) {
      if (before[r] && meets(leaf.box, *before[r])) {
        for (const TokenId t : leaves[r].box.back[0].tokens()) {
          into[t.at()].push_back(r);
        }
      }
    }
    for (std::uint32_t t = 0; t < V_; ++t) {
      links_.insert(links_.end(), into[t].begin(), into[t].end());
      begin_.push_back(links_.size());
      if (leaf.most[t] > 0) {
        row.push_back({t, 0, leaf.most[t]});
      }
    }
  }
  for (std::uint32_t q = 0; q < event.states; ++q) {
    auto& of_state = targets_.emplace_back();
    for (std::size_t t = 0; t < V_; ++t) {
      auto& to = of_state.emplace_back();
      for (const std::size_t letter : letters.of(t)) {
        to.push_back(event.next(q, letter));
      }
      std::sort(to.begin(), to.end());
      to.erase(std::unique(to.begin(), to.end()), to.end());
    }
  }
}

void LeafChain::after(std::size_t leaf, std::size_t q, const std::vector<std::vector<Grid>>& now,
                      bool upper, std::vector<Grid>& of_token,
                      std::vector<std::pair<std::uint32_t, std::uint32_t>>* to) const {
  for (const automata::ChainEdge& e : rows_[leaf]) {
    bool any = false;
    Grid best = 0;
    std::pair<std::uint32_t, std::uint32_t> at;
    const auto take = [&](Grid u, std::uint32_t state, std::uint32_t next) {
      if (!any || (upper ? u > best : u < best)) {
        any = true;
        best = u;
        at = {state, next};
      }
    };
    for (const std::uint32_t state : targets_[q][e.to]) {
      if (!is_open(state)) {
        take(event_.bad[state] ? kGridOne : 0, state, 0);
        continue;
      }
      const std::size_t first = leaf * V_ + e.to;
      for (std::size_t i = begin_[first]; i < begin_[first + 1]; ++i) {
        take(now[state][links_[i]], state, links_[i]);
      }
    }
    require(any, "LeafChain: a token after which no leaf is left");
    of_token[e.to] = best;
    if (to != nullptr) {
      (*to)[e.to] = at;
    }
  }
}

bool LeafChain::ends(std::size_t q, std::size_t token) const {
  return std::any_of(targets_[q][token].begin(), targets_[q][token].end(),
                     [this](std::uint32_t to) { return event_.bad[to]; });
}

std::vector<std::vector<bool>> LeafChain::reached(const std::vector<bool>& initial) const {
  std::vector<std::vector<bool>> out(event_.states, std::vector<bool>(leaves_.size(), false));
  std::vector<std::pair<std::uint32_t, std::uint32_t>> open;
  const auto meet = [&](std::uint32_t q, std::uint32_t leaf) {
    if (is_open(q) && !out[q][leaf]) {
      out[q][leaf] = true;
      open.emplace_back(q, leaf);
    }
  };
  for (std::uint32_t l = 0; l < leaves_.size(); ++l) {
    if (initial[l]) {
      meet(0, l);
    }
  }
  while (!open.empty()) {
    const auto [q, leaf] = open.back();
    open.pop_back();
    for (const automata::ChainEdge& e : rows_[leaf]) {
      const std::size_t first = leaf * V_ + e.to;
      for (const std::uint32_t to : targets_[q][e.to]) {
        for (std::size_t i = begin_[first]; i < begin_[first + 1]; ++i) {
          meet(to, links_[i]);
        }
      }
    }
  }
  return out;
}

LeafChain::Values LeafChain::values(std::size_t steps, bool upper) const {
  Values out{{event_.states, std::vector<Grid>(leaves_.size(), 0)}};
  std::vector<Grid> of_token(V_, 0);
  for (std::size_t n = 0; n < steps; ++n) {
    std::vector<std::vector<Grid>> next = out.back();
    for (std::size_t q = 0; q < event_.states; ++q) {
      for (std::size_t l = 0; l < leaves_.size() && is_open(q); ++l) {
        after(l, q, out.back(), upper, of_token);
        next[q][l] = upper ? automata::worst_mean(rows_[l], of_token)
                           : automata::best_mean(rows_[l], of_token);
      }
    }
    out.push_back(std::move(next));
  }
  return out;
}

}  // namespace assay::verify
