#include "predecessor_sets.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"

namespace assay::automata {

constexpr std::size_t kKnown = SuffixBounds::kKnown;

PredecessorSets::PredecessorSets(const ClosedGraph& graph, const std::vector<PromptEnd>& prompts,
                                 std::size_t vocabulary, std::size_t far_positions)
    : graph_(graph),
      words_(FarTokens::words(vocabulary)),
      far_(far_positions),
      width_(far_ * words_),
      sets_(graph.size() * width_, 0),
      length_(graph.size(), static_cast<std::uint32_t>(far_ + kKnown)) {
  require(graph.complete(), "PredecessorSets: a graph that is not closed");
  from_prompts(prompts);
  lengths();
  along_edges();
  for (const std::uint32_t n : length_) {
    surely_.push_back(n > kKnown ? n - static_cast<std::uint32_t>(kKnown) : 0);
  }
}

/// An initial state takes the older tokens of every prompt end that it fits.
void PredecessorSets::from_prompts(const std::vector<PromptEnd>& prompts) {
  std::vector<std::uint32_t> back(graph_.codes().window());
  for (const PromptEnd& end : prompts) {
    const std::size_t n = end.size(), known = std::min(n, graph_.codes().window());
    std::vector<std::uint64_t> allowed(n * words_, 0), older(width_, 0);
    for (std::size_t j = 0; j < n; ++j) {  // j tokens back
      for (const TokenId t : end[n - 1 - j]) {
        allowed[j * words_ + t.at() / 64] |= std::uint64_t{1} << (t.at() % 64);
      }
    }
    if (n > kKnown) {
      std::copy_n(allowed.begin() + static_cast<std::ptrdiff_t>(kKnown * words_),
                  std::min((n - kKnown) * words_, width_), older.begin());
    }
    for (std::size_t s = 0; s < graph_.initial(); ++s) {
      const std::size_t count =
          graph_.codes().back(graph_.state(static_cast<ClosedGraph::Index>(s)), back.data());
      bool fits = count == known;
      for (std::size_t j = 0; fits && j < known; ++j) {
        fits = ((allowed[j * words_ + back[j] / 64] >> (back[j] % 64)) & 1U) != 0;
      }
      if (fits) {
        length_[s] = std::min(length_[s], static_cast<std::uint32_t>(n));
        for (std::size_t k = 0; k < width_; ++k) {
          sets_[s * width_ + k] |= older[k];
        }
      }
    }
  }
}

/// Shortest first, so that each state's edges are looked at once with its final length.
void PredecessorSets::lengths() {
  for (std::uint32_t n = 1; n < far_ + kKnown; ++n) {
    for (std::size_t s = 0; s < graph_.size(); ++s) {
      if (length_[s] != n) {
        continue;
      }
      for (const ClosedGraph::Edge e : graph_.edges(static_cast<ClosedGraph::Index>(s))) {
        std::uint32_t& to = length_[graph_.target(static_cast<ClosedGraph::Index>(s), e >> 1U)];
        to = std::min(to, n + 1);
      }
    }
  }
}

/// Position j+1 of a state depends on position j of its predecessors only: one pass a position.
void PredecessorSets::along_edges() {
  std::vector<std::uint32_t> back(graph_.codes().window());
  for (std::size_t j = 0; j < far_; ++j) {
    for (std::size_t s = 0; s < graph_.size(); ++s) {
      const auto from = static_cast<ClosedGraph::Index>(s);
      if (graph_.codes().back(graph_.state(from), back.data()) < kKnown) {
        continue;
      }
      for (const ClosedGraph::Edge e : graph_.edges(from)) {
        std::uint64_t* to = sets_.data() + graph_.target(from, e >> 1U) * width_ + j * words_;
        if (j == 0) {
          to[back[kKnown - 1] / 64] |= std::uint64_t{1} << (back[kKnown - 1] % 64);
          continue;
        }
        const std::uint64_t* older = sets_.data() + s * width_ + (j - 1) * words_;
        for (std::size_t k = 0; k < words_; ++k) {
          to[k] |= older[k];
        }
      }
    }
  }
}

void PredecessorSets::move_to(ClosedGraph& to) const {
  to.far_words_ = width_;
  to.far_sets_.resize(to.size() * width_);
  to.surely_.resize(to.size());
  for (std::size_t s = 0; s < to.size(); ++s) {
    const FarTokens far = of(*graph_.find(to.states_[s]));
    std::copy(far.sets.begin(), far.sets.end(),
              to.far_sets_.begin() + static_cast<std::ptrdiff_t>(s * width_));
    to.surely_[s] = far.surely;
  }
}

}  // namespace assay::automata
