#include "exact_live.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kBlock = 16384;  ///< pairs expanded before limits are looked at again

std::size_t hashed(std::uint64_t window, std::uint64_t state) {
  std::uint64_t z = window * 0x9e3779b97f4a7c15ULL + state * 0xc2b2ae3d27d4eb4fULL;
  z = (z ^ (z >> 29U)) * 0xbf58476d1ce4e5b9ULL;
  return static_cast<std::size_t>(z ^ (z >> 32U));
}

}  // namespace

LiveProduct::LiveProduct(const ExactInput& input, WindowMachine& machine,
                         const spec::Buchi& against)
    : input_(input), machine_(machine), against_(against), slots_(1024, kNone) {}

bool LiveProduct::within_limits() {
  const std::size_t bytes =
      machine_.bytes() + window_.capacity() * sizeof(WindowMachine::Index) +
      state_.capacity() * sizeof(std::uint16_t) +
      (slots_.capacity() + graph_.to.capacity() + 4 * window_.size()) * sizeof(PairId) +
      graph_.begin.capacity() * sizeof(std::uint64_t) + sure_.capacity() / 8;
  const std::size_t budget = input_.limits.states;
  if (interrupted()) {
    stopped_ = "interrupted by the user";
  } else if (machine_.size() > budget || window_.size() > budget) {
    stopped_ = "the budget of " + std::to_string(budget) + " states (--states) is used up";
  } else if (bytes > input_.limits.bytes) {
    stopped_ =
        "the memory limit of " + std::to_string(input_.limits.bytes >> 20U) + " MiB is reached";
  }
  return stopped_.empty();
}

LiveProduct::PairId LiveProduct::number(WindowMachine::Index window, std::uint32_t state) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hashed(window, state) & mask;
  for (; slots_[at] != kNone; at = (at + 1) & mask) {
    if (window_[slots_[at]] == window && state_[slots_[at]] == state) {
      return slots_[at];
    }
  }
  require(window_.size() < kNone, "LiveProduct: 2^32 pairs");
  const auto pair = static_cast<PairId>(window_.size());
  slots_[at] = pair;
  window_.push_back(window);
  state_.push_back(static_cast<std::uint16_t>(state));
  if (window_.size() * 10 > slots_.size() * 7) {
    grow();
  }
  return pair;
}

void LiveProduct::grow() {
  slots_.assign(slots_.size() * 2, kNone);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t p = 0; p < window_.size(); ++p) {
    std::size_t at = hashed(window_[p], state_[p]) & mask;
    while (slots_[at] != kNone) {
      at = (at + 1) & mask;
    }
    slots_[at] = static_cast<PairId>(p);
  }
}

void LiveProduct::start() {
  input_.prompts.for_each_window(machine_.codes(), machine_.vocabulary(),
                                 [this](automata::WindowCode code) {
                                   for (const std::uint32_t state : against_.initial) {
                                     initial_.push_back(number(machine_.intern(code), state));
                                   }
                                   return window_.size() % kBlock != 0 || within_limits();
                                 });
}

/// Every edge that is not absent, with every letter that its end may show.
void LiveProduct::expand(PairId pair) {
  const automata::WindowCode from = machine_.code(window_[pair]);
  for (const WindowMachine::Edge edge : machine_.edges(window_[pair])) {
    const WindowMachine::Index to = machine_.intern(machine_.codes().append(from, edge >> 1U));
    const Decided letter = machine_.letter(to);
    const std::size_t must = against_.project(letter.must), may = against_.project(letter.may);
    const std::size_t free = may & ~must;
    for (std::size_t part = free;; part = (part - 1) & free) {
      for (const std::uint32_t next : against_.next(state_[pair], must | part)) {
        graph_.to.push_back(number(to, next));
        sure_.push_back((edge & 1U) == 0 && free == 0);
      }
      if (part == 0) {
        break;
      }
    }
  }
  graph_.end_node();
}

void LiveProduct::expand_block(std::size_t begin, std::size_t end) {
  machine_.evaluate(std::span(window_).subspan(begin, end - begin), input_.limits.threads);
  if (machine_.reads_values()) {
    std::vector<WindowMachine::Index> targets;
    for (std::size_t p = begin; p < end; ++p) {
      const automata::WindowCode from = machine_.code(window_[p]);
      for (const WindowMachine::Edge edge : machine_.edges(window_[p])) {
        targets.push_back(machine_.intern(machine_.codes().append(from, edge >> 1U)));
      }
    }
    machine_.evaluate(targets, input_.limits.threads);
  }
  for (std::size_t p = begin; p < end; ++p) {
    expand(static_cast<PairId>(p));
  }
}

bool LiveProduct::explore() {
  start();
  Progress progress("pairs", input_.limits.states);
  for (std::size_t begin = 0; begin < window_.size() && within_limits();) {
    const std::size_t end = std::min(begin + kBlock, window_.size());
    expand_block(begin, end);
    begin = end;
    progress.update(window_.size(), std::to_string(window_.size()) + " pairs, " +
                                        std::to_string(graph_.to.size()) + " edges");
  }
  return within_limits();
}

std::vector<bool> LiveProduct::accepting() const {
  std::vector<bool> out;
  for (const std::uint16_t state : state_) {
    out.push_back(against_.accepting[state]);
  }
  return out;
}

std::optional<std::vector<ExactEndless::Pair>> LiveProduct::ranked() const {
  const auto ranks = ranks_of(graph_, accepting());
  if (!ranks) {
    return std::nullopt;
  }
  std::vector<ExactEndless::Pair> out;
  for (std::size_t p = 0; p < window_.size(); ++p) {
    out.push_back({machine_.code(window_[p]), state_[p], (*ranks)[p]});
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<LiveProduct::SureLasso> LiveProduct::sure_lasso() const {
  const auto lasso = lasso_of(graph_, initial_, accepting(),
                              [this](std::uint64_t edge) { return bool(sure_[edge]); });
  if (!lasso) {
    return std::nullopt;
  }
  SureLasso out;
  for (const auto* part : {&lasso->stem, &lasso->loop}) {
    for (const PairId pair : *part) {
      out.windows.push_back(window_[pair]);
    }
  }
  out.loop = lasso->loop.size();
  return out;
}

std::vector<WindowMachine::Index> LiveProduct::windows() const {
  std::vector<WindowMachine::Index> out = window_;
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace assay::verify
