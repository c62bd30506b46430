#include "interval_chain_components.hpp"

#include <algorithm>
#include <unordered_map>

#include "interval_chain_row.hpp"

namespace assay::automata {
namespace {

constexpr std::uint32_t kUnseen = UINT32_MAX;

/// Tarjan's algorithm without recursion, over the states 0 … n−1 and `next(s, i)`: the i-th
/// successor of s, kUnseen for one that does not count; `degree(s)` of them.
template <class Degree, class Next>
class Tarjan {
 public:
  Tarjan(std::size_t n, Degree degree, Next next)
      : degree_(degree), next_(next), index_(n, kUnseen), low_(n, 0), on_stack_(n, false) {}

  void from(std::uint32_t root, std::vector<std::vector<std::uint32_t>>& out) {
    if (index_[root] != kUnseen) {
      return;
    }
    enter(root);
    while (!calls_.empty()) {
      auto& [s, i] = calls_.back();
      if (i < degree_(s)) {
        const std::uint32_t t = next_(s, i++);
        if (t == kUnseen) {
          continue;
        }
        if (index_[t] == kUnseen) {
          enter(t);
        } else if (on_stack_[t]) {
          low_[s] = std::min(low_[s], index_[t]);
        }
        continue;
      }
      leave(s, out);
    }
  }

 private:
  void enter(std::uint32_t s) {
    index_[s] = low_[s] = counter_++;
    stack_.push_back(s);
    on_stack_[s] = true;
    calls_.emplace_back(s, 0);
  }
  void leave(std::uint32_t s, std::vector<std::vector<std::uint32_t>>& out) {
    calls_.pop_back();
    if (!calls_.empty()) {
      const std::uint32_t parent = calls_.back().first;
      low_[parent] = std::min(low_[parent], low_[s]);
    }
    if (low_[s] != index_[s]) {
      return;
    }
    out.emplace_back();
    for (std::uint32_t t = kUnseen; t != s;) {
      t = stack_.back();
      stack_.pop_back();
      on_stack_[t] = false;
      out.back().push_back(t);
    }
  }

  Degree degree_;
  Next next_;
  std::vector<std::uint32_t> index_, low_;
  std::vector<bool> on_stack_;
  std::vector<std::uint32_t> stack_;
  std::vector<std::pair<std::uint32_t, std::size_t>> calls_;
  std::uint32_t counter_ = 0;
};

/// Takes out, until nothing changes, states at which nature cannot stay inside.
void drop_leaving(const IntervalChain& chain, const std::vector<std::uint32_t>& component,
                  std::unordered_map<std::uint32_t, bool>& inside) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const std::uint32_t s : component) {
      if (inside.at(s) && surely_enters(chain.row(s), [&inside](std::uint32_t t) {
            const auto at = inside.find(t);
            return at == inside.end() || !at->second;
          })) {
        inside[s] = false;
        changed = true;
      }
    }
  }
}

}  // namespace

std::vector<std::vector<std::uint32_t>> components_of(const IntervalChain& chain,
                                                      const std::vector<bool>& skip) {
  std::vector<std::vector<std::uint32_t>> out;
  Tarjan tarjan(
      chain.states(), [&](std::uint32_t s) { return chain.row(s).size(); },
      [&](std::uint32_t s, std::size_t i) {
        const ChainEdge& e = chain.row(s)[i];
        return e.hi == 0 || skip[e.to] ? kUnseen : e.to;
      });
  for (std::uint32_t s = 0; s < chain.states(); ++s) {
    if (!skip[s]) {
      tarjan.from(s, out);
    }
  }
  return out;
}

Predecessors::Predecessors(const IntervalChain& chain) : begin_(chain.states() + 1, 0) {
  const std::size_t n = chain.states();
  for (std::size_t s = 0; s < n; ++s) {
    for (const ChainEdge& e : chain.row(s)) {
      begin_[e.to + 1] += e.hi > 0 ? 1 : 0;
    }
  }
  for (std::size_t s = 0; s < n; ++s) {
    begin_[s + 1] += begin_[s];
  }
  from_.resize(begin_[n]);
  std::vector<std::size_t> at(begin_.begin(), begin_.end() - 1);
  for (std::uint32_t s = 0; s < n; ++s) {
    for (const ChainEdge& e : chain.row(s)) {
      if (e.hi > 0) {
        from_[at[e.to]++] = s;
      }
    }
  }
}

std::vector<bool> can_reach(const IntervalChain& chain, const std::vector<bool>& marked) {
  const Predecessors predecessors(chain);
  std::vector<bool> out = marked;
  std::vector<std::uint32_t> open;
  for (std::uint32_t s = 0; s < chain.states(); ++s) {
    if (marked[s]) {
      open.push_back(s);
    }
  }
  while (!open.empty()) {
    const std::uint32_t s = open.back();
    open.pop_back();
    for (const std::uint32_t p : predecessors.of(s)) {
      if (!out[p]) {
        out[p] = true;
        open.push_back(p);
      }
    }
  }
  return out;
}

std::vector<std::vector<std::uint32_t>> end_components(
    const IntervalChain& chain, const std::vector<std::uint32_t>& component) {
  std::vector<std::vector<std::uint32_t>> open{component}, out;
  while (!open.empty()) {
    const std::vector<std::uint32_t> candidate = std::move(open.back());
    open.pop_back();
    std::unordered_map<std::uint32_t, bool> inside;
    for (const std::uint32_t s : candidate) {
      inside.emplace(s, true);
    }
    drop_leaving(chain, candidate, inside);
    std::vector<std::uint32_t> left;
    std::unordered_map<std::uint32_t, std::uint32_t> local;
    for (const std::uint32_t s : candidate) {
      if (inside.at(s)) {
        local.emplace(s, static_cast<std::uint32_t>(left.size()));
        left.push_back(s);
      }
    }
    std::vector<std::vector<std::uint32_t>> parts;
    Tarjan tarjan(
        left.size(), [&](std::uint32_t s) { return chain.row(left[s]).size(); },
        [&](std::uint32_t s, std::size_t i) {
          const ChainEdge& e = chain.row(left[s])[i];
          const auto to = local.find(e.to);
          return e.hi == 0 || to == local.end() ? kUnseen : to->second;
        });
    for (std::uint32_t s = 0; s < left.size(); ++s) {
      tarjan.from(s, parts);
    }
    for (std::vector<std::uint32_t>& part : parts) {
      for (std::uint32_t& s : part) {
        s = left[s];
      }
      std::sort(part.begin(), part.end());
      if (parts.size() == 1 && part.size() == left.size()) {
        out.push_back(std::move(part));
      } else {
        open.push_back(std::move(part));
      }
    }
  }
  return out;
}

}  // namespace assay::automata
