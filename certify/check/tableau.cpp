#include "tableau.hpp"

#include <algorithm>
#include <set>

#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxStates = 4000, kMaxChoices = 4000, kMaxSteps = 2'000'000;

}  // namespace

Tableau::Tableau(Formulas& formulas, FormulaId f) : formulas_(formulas), progression_(formulas, f) {
  for (const Progression::Cube& cube : progression_.expand(f)) {
    initial_.push_back(number({cube, {}}));
  }
}

Tableau::State Tableau::number(const std::pair<Set, Set>& state) {
  const auto [at, fresh] = numbers_.emplace(state, states_.size());
  if (fresh) {
    if (states_.size() >= kMaxStates) {
      throw Reject("tableau", "more states than the limit");
    }
    states_.push_back(state);
  }
  return at->second;
}

bool Tableau::is_promise(FormulaId f) const {
  const Formula& n = formulas_.at(f);
  return n.op == Op::until || (n.op == Op::eventually && n.hi == Formula::kUnbounded);
}

Tableau::Set Tableau::reduced(const Set& all) const {
  Set out;
  for (const FormulaId x : all) {
    const auto covers = [&](FormulaId y) {
      return y != x && !is_promise(y) && progression_.implies(y, x);
    };
    if (is_promise(x) || std::none_of(all.begin(), all.end(), covers)) {
      out.push_back(x);
    }
  }
  return out;
}

const std::vector<Tableau::State>& Tableau::next(State s, std::uint64_t letter) {
  if (const auto known = next_.find({s, letter}); known != next_.end()) {
    return known->second;
  }
  const auto [all, owed] = states_[s];
  std::set<std::pair<std::set<FormulaId>, std::set<FormulaId>>> choices{
      {}};  // all, from what is owed
  for (const FormulaId f : all) {
    decltype(choices) more;
    for (const Progression::Cube& cube : Progression::Dnf(progression_.progress(f, letter))) {
      for (auto choice : choices) {
        for (const FormulaId g : cube) {
          const FormulaId later = formulas_.read(g, letter).after;
          choice.first.insert(later);
          if (std::binary_search(owed.begin(), owed.end(), f)) {
            choice.second.insert(later);
          }
        }
        more.insert(std::move(choice));
      }
      if (more.size() > kMaxChoices) {
        throw Reject("tableau", "more choices than the limit");
      }
    }
    choices = std::move(more);
  }
  std::set<State> out;
  for (const auto& [kept, from_owed] : choices) {
    std::pair<Set, Set> state{reduced(Set(kept.begin(), kept.end())), {}};
    for (const FormulaId g : state.first) {
      if (is_promise(g) && (owed.empty() || from_owed.contains(g))) {
        state.second.push_back(g);
      }
    }
    out.insert(number(state));
  }
  if (next_.size() >= kMaxSteps) {
    throw Reject("tableau", "more steps than the limit");
  }
  return next_.emplace(std::pair(s, letter), std::vector<State>(out.begin(), out.end()))
      .first->second;
}

bool has_accepting_cycle(const std::vector<std::vector<std::size_t>>& next,
                         const std::vector<bool>& accepting) {
  for (std::size_t from = 0; from < next.size(); ++from) {
    std::vector<bool> seen(next.size(), false);
    std::vector<std::size_t> open(accepting[from] ? 1 : 0, from);
    while (!open.empty()) {
      const std::size_t node = open.back();
      open.pop_back();
      for (const std::size_t to : next[node]) {
        if (to == from) {
          return true;
        }
        if (!seen[to]) {
          seen[to] = true;
          open.push_back(to);
        }
      }
    }
  }
  return false;
}

}  // namespace assay_check
