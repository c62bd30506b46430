#include "chain_windows.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"

namespace assay::verify {
namespace {

using automata::ChainEdge;
using automata::Chance;
using automata::ExactForward;
using automata::Grid;
using automata::kGridOne;

/// As in exact_machine.cpp: what the double pass separates, a checker separates too.
constexpr double kRoom = 0x1p-34;
constexpr std::size_t kMaxEdges = 60'000'000;

/// Chances of the tokens after windows, from the double pass and its error bound.
class WindowChances {
 public:
  WindowChances(const ExactInput& input, const WindowMachine& machine)
      : machine_(machine),
        forward_(*input.subject.model, {}),
        chances_(input.emission),
        scratch_(forward_.make_scratch()),
        lo_(forward_.vocabulary()),
        hi_(forward_.vocabulary()),
        kinds_(forward_.vocabulary()) {}

  /// Calls `use(i, chances)` for each window of the list.
  template <class Use>
  void each(const std::vector<WindowMachine::Index>& windows, const Use& use) {
    std::vector<automata::WindowCode> codes;
    for (std::size_t at = 0; at < windows.size(); at += ExactForward::kBatch) {
      const std::size_t n = std::min(ExactForward::kBatch, windows.size() - at);
      codes.clear();
      for (std::size_t r = 0; r < n; ++r) {
        codes.push_back(machine_.code(windows[at + r]));
      }
      forward_.evaluate(codes, scratch_);
      for (std::size_t r = 0; r < n; ++r) {
        read(windows[at + r], scratch_.logits.data() + r * forward_.stride());
        use(at + r, out_);
      }
    }
  }

 private:
  void read(WindowMachine::Index window, const double* logits) {
    for (std::size_t t = 0; t < lo_.size(); ++t) {
      const double margin = round_up(forward_.logit_radius()[t] + kRoom);
      lo_[t] = round_down(logits[t] - margin);
      hi_[t] = round_up(logits[t] + margin);
    }
    std::fill(kinds_.begin(), kinds_.end(), automata::Edge::absent);
    for (const WindowMachine::Edge e : machine_.edges(window)) {
      kinds_[e >> 1U] = (e & 1U) != 0 ? automata::Edge::open : automata::Edge::witnessed;
    }
    chances_.read(lo_, hi_, kinds_, out_);
  }

  const WindowMachine& machine_;
  ExactForward forward_;
  automata::EmissionChances chances_;
  ExactForward::Scratch scratch_;
  std::vector<double> lo_, hi_;
  std::vector<automata::Edge> kinds_;
  std::vector<Chance> out_;
};

/// Edges to one state become one: its probability is their sum.
void merge(std::vector<ChainEdge>& row) {
  std::sort(row.begin(), row.end(),
            [](const ChainEdge& a, const ChainEdge& b) { return a.to < b.to; });
  std::size_t n = 0;
  for (const ChainEdge& e : row) {
    if (n > 0 && row[n - 1].to == e.to) {
      row[n - 1].lo += e.lo;
      row[n - 1].hi = std::min(row[n - 1].hi + e.hi, kGridOne);
    } else {
      row[n++] = e;
    }
  }
  row.resize(n);
}

}  // namespace

WindowChain::WindowChain(const ExactInput& input, const WindowMachine& machine,
                         const spec::Dfa& event, const ExactSearch& search)
    : machine_(machine), event_(event), can_be_reached_(can_turn_bad(event)) {
  // Pairs by window, so that a window is evaluated once.
  struct Met {
    WindowMachine::Index window = 0;
    std::uint32_t spec = 0;
    bool read = false;  ///< a run may go on from here: not where the horizon ends
    bool operator<(const Met& other) const {
      return std::pair(window, spec) < std::pair(other.window, other.spec);
    }
  };
  std::vector<Met> met;
  for (std::size_t p = 0; p < search.pairs(); ++p) {
    const auto id = static_cast<ExactSearch::PairId>(p);
    if (!event.bad[search.spec(id)]) {
      met.push_back(
          {search.window(id), search.spec(id), !input.max_new || search.step(id) < *input.max_new});
    }
  }
  std::sort(met.begin(), met.end());
  std::vector<WindowMachine::Index> windows;
  std::vector<std::size_t> first;  // pair of each window that is read
  for (std::size_t i = 0; i < met.size(); ++i) {
    pairs_.push_back({machine.code(met[i].window), met[i].spec, 0});
    state_.emplace(std::uint64_t{met[i].window} * event.states + met[i].spec,
                   static_cast<std::uint32_t>(i + 2));
    if (met[i].read && (windows.empty() || windows.back() != met[i].window)) {
      windows.push_back(met[i].window);
      first.push_back(i);
    }
  }
  const ChainEdge stay_reached{kReached, kGridOne, kGridOne};
  const ChainEdge stay_settled{kSettled, kGridOne, kGridOne};
  chain_.add_row(std::span(&stay_reached, 1));
  chain_.add_row(std::span(&stay_settled, 1));
  WindowChances chances(input, machine);
  std::size_t next = 0;  // pair whose row is due
  const auto skip_to = [&](std::size_t pair) {
    for (; next < pair; ++next) {  // the horizon ends here: this row is not read
      chain_.add_row(std::span(&stay_settled, 1));
    }
  };
  chances.each(windows, [&](std::size_t i, const std::vector<Chance>& of_tokens) {
    for (skip_to(first[i]); next < met.size() && met[next].window == windows[i]; ++next) {
      if (!met[next].read) {
        chain_.add_row(std::span(&stay_settled, 1));
        continue;
      }
      add_row(met[next].window, met[next].spec, of_tokens);
      if (chain_.edges() > kMaxEdges) {
        throw UsageError("expected an interval chain of at most 60,000,000 edges, found more");
      }
    }
  });
  skip_to(met.size());
}

std::uint32_t WindowChain::state_of(WindowMachine::Index window, std::uint32_t spec) const {
  if (event_.bad[spec]) {
    return kReached;
  }
  if (!can_be_reached_[spec]) {
    return kSettled;
  }
  const auto found = state_.find(std::uint64_t{window} * event_.states + spec);
  require(found != state_.end(), "WindowChain: a pair that the search did not meet");
  return found->second;
}

std::uint32_t WindowChain::initial(automata::WindowCode window) const {
  const auto index = machine_.find(window);
  if (!index) {
    require(!can_be_reached_[0], "WindowChain: a prompt that the search did not meet");
    return kSettled;
  }
  return state_of(*index, 0);
}

std::vector<bool> WindowChain::marked() const {
  std::vector<bool> out(chain_.states(), false);
  out[kReached] = true;
  return out;
}

void WindowChain::add_row(WindowMachine::Index window, std::uint32_t spec,
                          const std::vector<Chance>& chances) {
  row_.clear();
  std::vector<std::uint32_t> targets;
  for (const WindowMachine::Edge edge : machine_.edges(window)) {
    const std::size_t t = edge >> 1U;
    const auto to = machine_.find(machine_.codes().append(machine_.code(window), t));
    require(to.has_value(), "WindowChain: a successor that the search did not meet");
    const Decided letter = machine_.letter(*to);
    const std::size_t must = event_.project(letter.must);
    const std::size_t free = event_.project(letter.may) & ~must;
    targets.clear();
    for (std::size_t part = free;; part = (part - 1) & free) {
      targets.push_back(state_of(*to, event_.next(spec, must | part)));
      if (part == 0) {
        break;
      }
    }
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    for (const std::uint32_t target : targets) {
      row_.push_back({target, targets.size() == 1 ? chances[t].lo : 0, chances[t].hi});
    }
  }
  merge(row_);
  chain_.add_row(row_);
}

}  // namespace assay::verify
