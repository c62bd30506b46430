#include "assay/automata/search.hpp"

#include <algorithm>
#include <limits>

#include "assay/base/errors.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kNoParent = std::numeric_limits<std::size_t>::max();

/// Breadth-first over pairs; a pair's parent and the letter that led into it are kept.
class Search {
 public:
  explicit Search(const Product& product) : p_(product), seen_(product.size()) {}

  SearchResult run() {
    for (const auto& [state, count] : p_.automaton->initial) {
      enter(state, 0, kNoParent);
    }
    for (std::size_t i = 0; i < queue_.size(); ++i) {
      const ProductState here = queue_[i].at;
      if (p_.dfa->bad[here.spec]) {
        first_bad_ = std::min(first_bad_, i);
        continue;
      }
      for (const StateId to : p_.after[here.state.at()]) {
        enter(to, here.spec, i);
      }
    }
    return result();
  }

 private:
  struct Entry {
    ProductState at;
    std::size_t letter;
    std::size_t parent;
  };

  void enter(StateId state, std::uint32_t q, std::size_t parent) {
    for (const std::size_t letter : p_.letters[state.at()]) {
      const std::uint32_t to = p_.dfa->next(q, letter);
      if (const std::size_t index = p_.index(state, to); !seen_[index]) {
        seen_[index] = true;
        queue_.push_back({{state, to}, letter, parent});
      }
    }
  }

  SearchResult result() {
    SearchResult out;
    if (first_bad_ != kNoParent) {
      for (std::size_t i = first_bad_; i != kNoParent; i = queue_[i].parent) {
        out.path.push_back({queue_[i].at.state, queue_[i].letter, queue_[i].at.spec});
      }
      std::reverse(out.path.begin(), out.path.end());
    }
    for (const Entry& entry : queue_) {
      out.reached.push_back(entry.at);
    }
    std::sort(out.reached.begin(), out.reached.end());
    return out;
  }

  const Product& p_;
  std::vector<bool> seen_;
  std::vector<Entry> queue_;
  std::size_t first_bad_ = kNoParent;
};

}  // namespace

SearchResult search(const Product& product) {
  return Search(product).run();
}

std::vector<std::uint32_t> distances_to_bad(const Product& product) {
  const std::size_t states = product.letters.size();
  std::vector<std::uint32_t> distance(product.size(), kUnreachable);
  std::vector<std::vector<std::size_t>> before(product.size());
  std::vector<std::size_t> queue;
  for (std::size_t s = 0; s < states; ++s) {
    for (std::uint32_t q = 0; q < product.dfa->states; ++q) {
      const std::size_t from = product.index(StateId(s), q);
      if (product.dfa->bad[q]) {
        distance[from] = 0;
        queue.push_back(from);
        continue;
      }
      for (const StateId to : product.after[s]) {
        for (const std::size_t letter : product.letters[to.at()]) {
          before[product.index(to, product.dfa->next(q, letter))].push_back(from);
        }
      }
    }
  }
  for (std::size_t i = 0; i < queue.size(); ++i) {
    for (const std::size_t from : before[queue[i]]) {
      if (distance[from] == kUnreachable) {
        distance[from] = distance[queue[i]] + 1;
        queue.push_back(from);
      }
    }
  }
  return distance;
}

}  // namespace assay::automata
