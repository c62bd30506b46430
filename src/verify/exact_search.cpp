#include "exact_search.hpp"

#include <algorithm>

#include "assay/base/progress.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kBlock = 16384;  ///< pairs expanded before limits are looked at again

}  // namespace

ExactSearch::ExactSearch(const ExactInput& input, WindowMachine& machine, const spec::Dfa& dfa,
                         Edges edges)
    : input_(input),
      machine_(machine),
      dfa_(dfa),
      edges_(edges),
      can_turn_bad_(can_turn_bad(dfa)) {}

bool ExactSearch::within_limits() {
  stopped_ = pairs_.stopped(input_, machine_, parent_.capacity() * sizeof(PairId));
  return stopped_.empty();
}

bool ExactSearch::insert(WindowMachine::Index window, std::uint32_t spec, PairId parent) {
  const bool is_new = pairs_.number(window, spec).second;
  if (is_new) {
    parent_.push_back(parent);
  }
  return is_new;
}

/// Reads every possible letter of the window `to`; false when the search is to end.
bool ExactSearch::enter(WindowMachine::Index to, std::uint32_t from_spec, PairId parent) {
  const Decided letter = machine_.letter(to);
  const std::size_t must = dfa_.project(letter.must), may = dfa_.project(letter.may);
  if (edges_ == Edges::sure && must != may) {
    return true;
  }
  const std::size_t free = may & ~must;
  for (std::size_t part = free;; part = (part - 1) & free) {
    const std::uint32_t next = dfa_.next(from_spec, must | part);
    if (can_turn_bad_[next] && insert(to, next, parent) && dfa_.bad[next]) {
      ++bad_;
      if ((*on_bad_)(static_cast<PairId>(pairs_.size() - 1))) {
        return false;
      }
    }
    if (part == 0) {
      return true;
    }
  }
}

bool ExactSearch::expand_block(std::size_t begin, std::size_t end) {
  if (edges_ == Edges::possible) {
    machine_.evaluate(std::span(pairs_.windows()).subspan(begin, end - begin),
                      input_.limits.threads);
  }
  std::vector<std::pair<WindowMachine::Index, PairId>> met;
  for (std::size_t p = begin; p < end; ++p) {
    if (dfa_.bad[pairs_.state(p)] || !machine_.is_evaluated(pairs_.window(p))) {
      continue;
    }
    const automata::WindowCode from = machine_.code(pairs_.window(p));
    for (const WindowMachine::Edge edge : machine_.edges(pairs_.window(p))) {
      if (edges_ == Edges::possible || (edge & 1U) == 0) {
        met.emplace_back(machine_.intern(machine_.codes().append(from, edge >> 1U)),
                         static_cast<PairId>(p));
      }
    }
  }
  if (machine_.reads_values() && edges_ == Edges::possible) {
    std::vector<WindowMachine::Index> targets;
    std::transform(met.begin(), met.end(), std::back_inserter(targets),
                   [](const auto& m) { return m.first; });
    machine_.evaluate(targets, input_.limits.threads);
  }
  for (const auto& [to, parent] : met) {
    if (machine_.reads_values() && !machine_.is_evaluated(to)) {
      continue;  // only when looking for a sure path
    }
    if (!enter(to, pairs_.state(parent), parent)) {
      ended_ = true;
      return false;
    }
  }
  return within_limits();
}

bool ExactSearch::expand_level(std::size_t begin, std::size_t end) {
  for (std::size_t at = begin; at < end; at += kBlock) {
    if (!expand_block(at, std::min(at + kBlock, end))) {
      return false;
    }
  }
  return true;
}

/// Before any letter is read a prompt's window stands with the automaton's first state.
void ExactSearch::start() {
  if (!can_turn_bad_[0]) {
    return;
  }
  input_.prompts.for_each_window(machine_.codes(), machine_.vocabulary(),
                                 [this](automata::WindowCode code) {
                                   insert(machine_.intern(code), 0, kNone);
                                   return pairs_.size() % kBlock != 0 || within_limits();
                                 });
  (void)within_limits();
  if (dfa_.bad[0] && pairs_.size() > 0) {
    ++bad_;
    ended_ = (*on_bad_)(0);
  }
}

void ExactSearch::run(const std::function<bool(PairId)>& on_bad) {
  on_bad_ = &on_bad;
  start();
  Progress progress("states", input_.limits.states);
  std::size_t begin = 0;
  while (stopped_.empty() && !ended_ && begin < pairs_.size()) {
    const std::size_t end = pairs_.size();
    levels_.push_back(begin);
    if (input_.max_new && levels_.size() > *input_.max_new) {
      return;  // runs end here: not closed, and nothing left to show
    }
    if (!expand_level(begin, end)) {
      return;
    }
    progress.update(machine_.size(), std::to_string(machine_.size()) + " states, " +
                                         std::to_string(machine_.edge_count()) + " edges, " +
                                         std::to_string(machine_.open_count()) + " open, level " +
                                         std::to_string(levels_.size()));
    begin = end;
  }
  closed_ = stopped_.empty() && !ended_;
}

std::uint32_t ExactSearch::step(PairId p) const {
  const auto after = std::upper_bound(levels_.begin(), levels_.end(), std::size_t{p});
  return static_cast<std::uint32_t>(after - levels_.begin() - 1);
}

std::vector<WindowMachine::Index> ExactSearch::path(PairId p) const {
  std::vector<WindowMachine::Index> out;
  for (; p != kNone; p = parent_[p]) {
    out.push_back(pairs_.window(p));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace assay::verify
