#include "assay/automata/search.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <span>

#include "assay/base/errors.hpp"

namespace assay::automata {
namespace {

constexpr std::uint32_t kNoParent = std::numeric_limits<std::uint32_t>::max();

/// The product as flat tables: states with the same letters are of one kind, and a kind says which spec states follow
/// a spec state.
class Tables {
 public:
  explicit Tables(const Product& p) : spec_states(p.dfa->states) {
    std::map<std::vector<std::size_t>, std::uint32_t> kinds;
    std::vector<std::uint32_t> kind_of;
    kind_of.reserve(p.letters.size());
    for (std::size_t s = 0; s < p.letters.size(); ++s) {
      const bool repeats = s > 0 && p.letters[s] == p.letters[s - 1];
      kind_of.push_back(repeats ? kind_of[s - 1] : kind(p, p.letters[s], kinds));
    }
    edge_begin.reserve(p.after.size() + 1);
    for (const std::vector<StateId>& after : p.after) {
      for (const StateId to : after) {
        edges.push_back({static_cast<std::uint32_t>(to.at()), kind_of[to.at()]});
      }
      edge_begin.push_back(edges.size());
    }
    for (const auto& [state, count] : p.automaton->initial) {
      initial.push_back({static_cast<std::uint32_t>(state.at()), kind_of[state.at()]});
    }
  }

  struct Edge {
    std::uint32_t to, kind;
  };
  /// The spec states after q by the letters of a kind, each once, by the first letter that leads there.
  [[nodiscard]] std::span<const std::uint32_t> next(std::uint32_t kind, std::uint32_t q) const {
    const std::uint32_t* row = next_begin_.data() + kind * spec_states + q;
    return {next_.data() + row[0], next_.data() + row[1]};
  }

  std::size_t spec_states;
  std::vector<Edge> edges, initial;
  std::vector<std::size_t> edge_begin{0};

 private:
  std::uint32_t kind(const Product& p, const std::vector<std::size_t>& letters,
                     std::map<std::vector<std::size_t>, std::uint32_t>& kinds) {
    const auto [at, fresh] = kinds.emplace(letters, static_cast<std::uint32_t>(kinds.size()));
    for (std::uint32_t q = 0; fresh && q < spec_states; ++q) {
      const std::size_t begin = next_.size();
      for (const std::size_t letter : letters) {
        const std::uint32_t to = p.dfa->next(q, letter);
        if (std::find(next_.begin() + static_cast<std::ptrdiff_t>(begin), next_.end(), to) ==
            next_.end()) {
          next_.push_back(to);
        }
      }
      require(next_.size() < kNoParent, "search: 2^32 - 1 spec states after letters");
      next_begin_.push_back(static_cast<std::uint32_t>(next_.size()));
    }
    return at->second;
  }

  std::vector<std::uint32_t> next_;
  std::vector<std::uint32_t> next_begin_{0};
};

/// Breadth-first over pairs, each a number (Product::index); a pair's parent is kept.
class Search {
 public:
  explicit Search(const Product& product) : p_(product), tables_(product), seen_(product.size()) {}

  SearchResult run() {
    queue_.reserve(p_.size());
    for (const Tables::Edge initial : tables_.initial) {
      enter(initial, 0, kNoParent);
    }
    const std::size_t spec_states = tables_.spec_states;
    for (std::uint32_t i = 0; i < queue_.size(); ++i) {
      const std::size_t state = queue_[i].pair / spec_states;
      const auto q = static_cast<std::uint32_t>(queue_[i].pair % spec_states);
      if (p_.dfa->bad[q]) {
        first_bad_ = std::min(first_bad_, i);
        continue;
      }
      for (std::size_t e = tables_.edge_begin[state]; e < tables_.edge_begin[state + 1]; ++e) {
        enter(tables_.edges[e], q, i);
      }
    }
    return result();
  }

 private:
  struct Entry {
    std::uint32_t pair, parent;
  };

  void enter(Tables::Edge edge, std::uint32_t q, std::uint32_t parent) {
    for (const std::uint32_t to : tables_.next(edge.kind, q)) {
      const std::size_t pair = edge.to * tables_.spec_states + to;
      if (!seen_[pair]) {
        seen_[pair] = true;
        queue_.push_back({static_cast<std::uint32_t>(pair), parent});
      }
    }
  }

  [[nodiscard]] ProductState at(std::size_t pair) const {
    return {StateId(pair / tables_.spec_states),
            static_cast<std::uint32_t>(pair % tables_.spec_states)};
  }

  /// The first letter of the state that leads from the spec state before to the one after.
  [[nodiscard]] ProductStep step(std::uint32_t i) const {
    const ProductState here = at(queue_[i].pair);
    const std::uint32_t before =
        queue_[i].parent == kNoParent ? 0 : at(queue_[queue_[i].parent].pair).spec;
    const std::vector<std::size_t>& letters = p_.letters[here.state.at()];
    const auto letter = std::find_if(letters.begin(), letters.end(), [&](std::size_t l) {
      return p_.dfa->next(before, l) == here.spec;
    });
    require(letter != letters.end(), "search: a pair that no letter leads to");
    return {here.state, *letter, here.spec};
  }

  SearchResult result() {
    SearchResult out;
    for (std::uint32_t i = first_bad_; i != kNoParent; i = queue_[i].parent) {
      out.path.push_back(step(i));
    }
    std::reverse(out.path.begin(), out.path.end());
    out.reached.reserve(queue_.size());
    for (std::size_t state = 0; state < p_.letters.size(); ++state) {
      for (std::uint32_t q = 0; q < tables_.spec_states; ++q) {
        if (seen_[state * tables_.spec_states + q]) {
          out.reached.push_back({StateId(state), q});
        }
      }
    }
    return out;
  }

  const Product& p_;
  Tables tables_;
  std::vector<bool> seen_;
  std::vector<Entry> queue_;
  std::uint32_t first_bad_ = kNoParent;
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
