#include "rule_chain_pairs.hpp"

#include <algorithm>

#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxPairs = 4'000'000, kMaxEdges = 40'000'000;

/// Edges to one state become one: its probability is their sum.
std::vector<ChanceEdge> merged(std::vector<ChanceEdge> row) {
  std::sort(row.begin(), row.end(),
            [](const ChanceEdge& a, const ChanceEdge& b) { return a.to < b.to; });
  std::vector<ChanceEdge> out;
  for (const ChanceEdge& e : row) {
    if (!out.empty() && out.back().to == e.to) {
      out.back().lo += e.lo;
      out.back().hi = std::min(kWhole, out.back().hi + e.hi);
    } else {
      out.push_back(e);
    }
  }
  return out;
}

}  // namespace

PairChain::PairChain(Session& session, const Step& step, const DfaFact& event)
    : windows_(session.windows()), step_(step), event_(event), settled_(settled_states(event)) {
  add_trap(kReached);
  add_trap(kSettled);
}

std::uint32_t PairChain::state_of(std::uint64_t window, std::size_t q) {
  if (event_.bad[q]) {
    return kReached;
  }
  if (settled_[q]) {
    return kSettled;
  }
  const auto [at, fresh] = number_.try_emplace(Pair{window, q}, pairs_.size() + 2);
  if (fresh) {
    if (pairs_.size() >= kMaxPairs) {
      refuse(step_, "more pairs than are checked");
    }
    pairs_.push_back({window, q});
  }
  return static_cast<std::uint32_t>(at->second);
}

void PairChain::close(std::size_t levels) {
  for (std::size_t level = 0; rows_.size() < states(); ++level) {
    const std::size_t end = states();
    for (std::size_t s = rows_.size(); s < end; ++s) {
      if (level < levels) {
        add_row(pairs_[s - 2]);
      } else {
        add_trap(kSettled);  // the horizon ends here: this row is not read
      }
    }
  }
}

void PairChain::rows_only() {
  const std::size_t end = states();
  for (std::size_t s = rows_.size(); s < end; ++s) {
    add_row(pairs_[s - 2]);
  }
}

void PairChain::add_row(Pair from) {
  std::vector<ChanceEdge> row;
  std::vector<std::uint32_t> to;
  const std::vector<TokenChance> chances = windows_.at(from.window, step_).chances;
  for (const TokenChance& c : chances) {
    const std::uint64_t next = windows_.append(from.window, c.token);
    const Letter letter = windows_.letter(next, step_);
    const std::size_t must = gathered_letter(letter.must, event_.atoms);
    const std::size_t free = gathered_letter(letter.may, event_.atoms) & ~must;
    to.clear();
    for (std::size_t part = free;; part = (part - 1) & free) {
      to.push_back(state_of(next, event_.next(from.q, must | part)));
      if (part == 0) {
        break;
      }
    }
    std::sort(to.begin(), to.end());
    to.erase(std::unique(to.begin(), to.end()), to.end());
    for (const std::uint32_t t : to) {  // one token, several letters: each may have none of it
      row.push_back({t, to.size() == 1 ? c.lo : 0, c.hi});
    }
  }
  rows_.add(merged(std::move(row)), step_.rule);
  if (rows_.edges() > kMaxEdges) {
    refuse(step_, "more edges than are checked");
  }
}

}  // namespace assay_check
