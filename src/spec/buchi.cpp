#include "assay/spec/buchi.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "assay/base/errors.hpp"
#include "assay/spec/progression.hpp"

namespace assay::spec {
namespace {

constexpr std::size_t kMaxAtoms = 12;
constexpr std::size_t kMaxEntries = 500000;

[[noreturn]] void too_complex() {
  throw UsageError("the formula is too complex: its automaton of endless runs has more than " +
                   std::to_string(kMaxBuchiStates) + " states or " + std::to_string(kMaxEntries) +
                   " transitions");
}

}  // namespace

/// Explores the states on demand.
class Tableau {
 public:
  explicit Tableau(const FormulaPtr& formula) : progression_(formula) {
    out_.atoms = atoms_of(formula);
    if (out_.atoms.size() > kMaxAtoms) {
      throw UsageError("a property may use at most " + std::to_string(kMaxAtoms) + " aps, found " +
                       std::to_string(out_.atoms.size()));
    }
    const auto [registers, residual] = progression_.states_[progression_.initial()];
    for (const Clause& clause : Residual(progression_.residuals_[residual])) {
      out_.initial.push_back(number({registers, clause, {}}));
    }
  }

  Buchi explored() {
    for (std::size_t s = 0; s < states_.size(); ++s) {  // grows
      for (std::size_t letter = 0; letter < out_.letters(); ++letter) {
        if (states_.size() > kMaxBuchiStates || entries_ > kMaxEntries) {
          too_complex();
        }
        out_.table.push_back(after(State(states_[s]), letter));
        entries_ += out_.table.back().size() + 1;
      }
      out_.accepting.push_back(std::get<2>(states_[s]).empty());
    }
    return std::move(out_);
  }

 private:
  using Node = Progression::Node;
  using Clause = Progression::Clause;
  using Residual = Progression::Residual;
  using State = std::tuple<std::uint32_t, Clause, Clause>;  ///< registers, all, owed
  using Choice = std::pair<std::set<Node>, std::set<Node>>;

  std::uint32_t number(const State& state) {
    const auto [at, is_new] = numbers_.emplace(state, static_cast<std::uint32_t>(states_.size()));
    if (is_new) {
      states_.push_back(state);
    }
    return at->second;
  }

  [[nodiscard]] bool is_promise(Node node) const {
    const auto& f = progression_.nodes_[node];
    return f.op == Op::until || (f.op == Op::eventually && !f.hi);
  }

  /// Without what follows from another conjunct and promises nothing itself.
  [[nodiscard]] Clause reduced(const std::set<Node>& all) const {
    Clause out;
    for (const Node x : all) {
      const bool follows = !is_promise(x) && std::any_of(all.begin(), all.end(), [&](Node y) {
        return y != x && !is_promise(y) && progression_.implies(y, x);
      });
      if (!follows) {
        out.push_back(x);
      }
    }
    return out;
  }

  std::vector<std::uint32_t> after(const State& state, std::size_t letter) {
    const auto& [registers, all, owed] = state;
    std::uint64_t atoms = 0;
    for (std::size_t i = 0; i < out_.atoms.size(); ++i) {
      atoms |= std::uint64_t{(letter >> i) & 1U} << out_.atoms[i];
    }
    const Progression::Letter read{atoms, progression_.registers_.values(registers, atoms)};
    std::set<Choice> choices{{}};
    for (const Node node : all) {
      const bool is_owed = std::binary_search(owed.begin(), owed.end(), node);
      const Residual ways = progression_.progressed(node, read);
      std::set<Choice> more;
      for (const Choice& choice : choices) {
        for (const Clause& way : ways) {
          Choice next = choice;
          next.first.insert(way.begin(), way.end());
          if (is_owed) {
            next.second.insert(way.begin(), way.end());
          }
          more.insert(std::move(next));
        }
      }
      choices = std::move(more);
      if (choices.size() > kMaxBuchiStates) {
        too_complex();
      }
    }
    const std::uint32_t later = progression_.registers_.next(registers, atoms);
    std::set<std::uint32_t> out;
    for (const auto& [kept, promised] : choices) {
      const Clause clause = reduced(kept);
      Clause open;
      for (const Node node : clause) {
        if (is_promise(node) && (owed.empty() || promised.count(node) > 0)) {
          open.push_back(node);
        }
      }
      out.insert(number({clause.empty() ? 0 : later, clause, open}));
    }
    return {out.begin(), out.end()};
  }

  Progression progression_;
  std::vector<State> states_;
  std::map<State, std::uint32_t> numbers_;
  std::size_t entries_ = 0;
  Buchi out_;
};

std::size_t Buchi::project(std::uint64_t all) const {
  std::size_t letter = 0;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    letter |= static_cast<std::size_t>((all >> atoms[i]) & 1U) << i;
  }
  return letter;
}

/// No accepting state leads back to itself; all states are reachable.
bool Buchi::is_empty() const {
  for (std::uint32_t from = 0; from < states(); ++from) {
    if (!accepting[from]) {
      continue;
    }
    std::vector<bool> seen(states(), false);
    std::vector<std::uint32_t> open{from};
    while (!open.empty()) {
      const std::uint32_t s = open.back();
      open.pop_back();
      for (std::size_t letter = 0; letter < letters(); ++letter) {
        for (const std::uint32_t to : next(s, letter)) {
          if (to == from) {
            return false;
          }
          if (!seen[to]) {
            seen[to] = true;
            open.push_back(to);
          }
        }
      }
    }
  }
  return true;
}

Buchi buchi(const FormulaPtr& formula) {
  return Tableau(formula).explored();
}

}  // namespace assay::spec
