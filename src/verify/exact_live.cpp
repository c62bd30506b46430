#include "exact_live.hpp"

#include <algorithm>

#include "assay/base/progress.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kBlock = 16384;  ///< pairs expanded before limits are looked at again

}  // namespace

LiveProduct::LiveProduct(const ExactInput& input, WindowMachine& machine,
                         const spec::Buchi& against)
    : input_(input), machine_(machine), against_(against) {}

bool LiveProduct::within_limits() {
  const std::size_t bytes = (graph_.to.capacity() + 4 * pairs_.size()) * sizeof(PairId) +
                            graph_.begin.capacity() * sizeof(std::uint64_t) + sure_.capacity() / 8;
  stopped_ = pairs_.stopped(input_, machine_, bytes);
  return stopped_.empty();
}

void LiveProduct::start() {
  input_.prompts.for_each_window(
      machine_.codes(), machine_.vocabulary(), [this](automata::WindowCode code) {
        for (const std::uint32_t state : against_.initial) {
          initial_.push_back(pairs_.number(machine_.intern(code), state).first);
        }
        return pairs_.size() % kBlock != 0 || within_limits();
      });
}

/// Every edge that is not absent, with every letter that its end may show.
void LiveProduct::expand(PairId pair) {
  const automata::WindowCode from = machine_.code(pairs_.window(pair));
  for (const WindowMachine::Edge edge : machine_.edges(pairs_.window(pair))) {
    const WindowMachine::Index to = machine_.intern(machine_.codes().append(from, edge >> 1U));
    const Decided letter = machine_.letter(to);
    const std::size_t must = against_.project(letter.must), may = against_.project(letter.may);
    const std::size_t free = may & ~must;
    for (std::size_t part = free;; part = (part - 1) & free) {
      for (const std::uint32_t next : against_.next(pairs_.state(pair), must | part)) {
        graph_.to.push_back(pairs_.number(to, next).first);
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
  machine_.evaluate(std::span(pairs_.windows()).subspan(begin, end - begin), input_.limits.threads);
  if (machine_.reads_values()) {
    std::vector<WindowMachine::Index> targets;
    for (std::size_t p = begin; p < end; ++p) {
      const automata::WindowCode from = machine_.code(pairs_.window(p));
      for (const WindowMachine::Edge edge : machine_.edges(pairs_.window(p))) {
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
  for (std::size_t begin = 0; begin < pairs_.size() && within_limits();) {
    const std::size_t end = std::min(begin + kBlock, pairs_.size());
    expand_block(begin, end);
    begin = end;
    progress.update(pairs_.size(), std::to_string(pairs_.size()) + " pairs, " +
                                       std::to_string(graph_.to.size()) + " edges");
  }
  return within_limits();
}

std::vector<bool> LiveProduct::accepting() const {
  std::vector<bool> out;
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    out.push_back(against_.accepting[pairs_.state(p)]);
  }
  return out;
}

std::optional<std::vector<ExactEndless::Pair>> LiveProduct::ranked() const {
  const auto ranks = ranks_of(graph_, accepting());
  if (!ranks) {
    return std::nullopt;
  }
  std::vector<ExactEndless::Pair> out;
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    out.push_back({machine_.code(pairs_.window(p)), pairs_.state(p), (*ranks)[p]});
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
      out.windows.push_back(pairs_.window(pair));
    }
  }
  out.loop = lasso->loop.size();
  return out;
}

std::vector<WindowMachine::Index> LiveProduct::windows() const {
  std::vector<WindowMachine::Index> out = pairs_.windows();
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace assay::verify
