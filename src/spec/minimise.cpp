#include <algorithm>
#include <limits>
#include <utility>

#include "assay/spec/dfa.hpp"

namespace assay::spec {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// The reachable part, numbered breadth-first in the order of the letters.
Dfa renumbered(const Dfa& dfa) {
  const std::size_t letters = dfa.letters();
  std::vector<std::uint32_t> number(dfa.states, kNone);
  std::vector<std::uint32_t> order{0};
  number[0] = 0;
  Dfa out;
  out.atoms = dfa.atoms;
  for (std::size_t i = 0; i < order.size(); ++i) {
    out.bad.push_back(dfa.bad[order[i]]);
    for (std::size_t a = 0; a < letters; ++a) {
      const std::uint32_t to = dfa.table[order[i] * letters + a];
      if (number[to] == kNone) {
        number[to] = static_cast<std::uint32_t>(order.size());
        order.push_back(to);
      }
      out.table.push_back(number[to]);
    }
  }
  out.states = order.size();
  return out;
}

/// Hopcroft 1971: refine {bad, not bad} by the predecessors of one block and one letter at a
/// time, always re-queueing the smaller half.
class Hopcroft {
 public:
  explicit Hopcroft(const Dfa& dfa)
      : dfa_(dfa), block_(dfa.states), before_(dfa.states * dfa.letters()) {
    const std::size_t letters = dfa.letters();
    for (std::size_t s = 0; s < dfa.states; ++s) {
      for (std::size_t a = 0; a < letters; ++a) {
        before_[dfa.table[s * letters + a] * letters + a].push_back(static_cast<std::uint32_t>(s));
      }
    }
    blocks_.resize(2);
    for (std::size_t s = 0; s < dfa.states; ++s) {
      block_[s] = dfa.bad[s] ? 1 : 0;
      blocks_[block_[s]].push_back(static_cast<std::uint32_t>(s));
    }
    if (blocks_[1].empty()) {
      blocks_.pop_back();
    }
  }

  std::vector<std::uint32_t> run() {
    std::vector<std::uint32_t> work;
    for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
      work.push_back(b);
    }
    queued_.assign(blocks_.size(), true);
    while (!work.empty()) {
      const std::uint32_t splitter = work.back();
      work.pop_back();
      queued_[splitter] = false;
      const std::vector<std::uint32_t> members = blocks_[splitter];
      for (std::size_t a = 0; a < dfa_.letters(); ++a) {
        split(members, a, work);
      }
    }
    return block_;
  }

 private:
  void split(const std::vector<std::uint32_t>& members, std::size_t letter,
             std::vector<std::uint32_t>& work) {
    std::vector<std::uint32_t> touched;
    hit_.resize(blocks_.size());
    for (const std::uint32_t to : members) {
      for (const std::uint32_t from : before_[to * dfa_.letters() + letter]) {
        if (hit_[block_[from]].empty()) {
          touched.push_back(block_[from]);
        }
        hit_[block_[from]].push_back(from);
      }
    }
    for (const std::uint32_t b : touched) {
      std::vector<std::uint32_t> inside = std::move(hit_[b]);
      hit_[b].clear();
      if (inside.size() < blocks_[b].size()) {
        detach(b, inside, work);
      }
    }
  }

  void detach(std::uint32_t b, std::vector<std::uint32_t>& inside,
              std::vector<std::uint32_t>& work) {
    const auto fresh = static_cast<std::uint32_t>(blocks_.size());
    for (const std::uint32_t s : inside) {
      block_[s] = fresh;
    }
    std::vector<std::uint32_t> rest;
    for (const std::uint32_t s : blocks_[b]) {
      if (block_[s] == b) {
        rest.push_back(s);
      }
    }
    blocks_[b] = std::move(rest);
    blocks_.push_back(std::move(inside));
    queued_.push_back(false);
    const std::uint32_t smaller = blocks_[b].size() < blocks_[fresh].size() ? b : fresh;
    const std::uint32_t chosen = queued_[b] ? fresh : smaller;
    queued_[chosen] = true;
    work.push_back(chosen);
  }

  const Dfa& dfa_;
  std::vector<std::uint32_t> block_;
  std::vector<std::vector<std::uint32_t>> before_, blocks_, hit_;
  std::vector<bool> queued_;
};

}  // namespace

Dfa minimised(const Dfa& dfa) {
  const Dfa reachable = renumbered(dfa);
  const std::vector<std::uint32_t> block = Hopcroft(reachable).run();
  const std::size_t count = 1 + *std::max_element(block.begin(), block.end());
  const std::size_t letters = reachable.letters();
  // the initial state's block must come first
  std::vector<std::uint32_t> number(count);
  for (std::uint32_t b = 0; b < count; ++b) {
    number[b] = b == block[0] ? 0 : b < block[0] ? b + 1 : b;
  }
  Dfa quotient;
  quotient.atoms = reachable.atoms;
  quotient.states = count;
  quotient.bad.assign(count, false);
  quotient.table.assign(count * letters, 0);
  for (std::size_t s = 0; s < reachable.states; ++s) {
    const std::size_t q = number[block[s]];
    quotient.bad[q] = reachable.bad[s];
    for (std::size_t a = 0; a < letters; ++a) {
      quotient.table[q * letters + a] = number[block[reachable.table[s * letters + a]]];
    }
  }
  return renumbered(quotient);
}

}  // namespace assay::spec
