#include "exact_opinion.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/smt/invariant.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/vacuity.hpp"
#include "exact_live.hpp"
#include "exact_search.hpp"

namespace assay::verify {
namespace {

/// The windows that a problem speaks of, numbered as they are met.
class Tables {
 public:
  Tables(const ExactInput& input, const WindowMachine& machine, const ExactHolds& holds)
      : machine_(machine), dfa_(holds.dfa()) {
    problem_.atoms = dfa_.atoms.size();
    problem_.monitor.assign(dfa_.table.begin(), dfa_.table.end());
    problem_.bad = dfa_.bad;
    problem_.settled = can_turn_bad(dfa_);
    problem_.settled.flip();
    problem_.reads_initial = false;
    input.prompts.for_each_window(machine.codes(), machine.vocabulary(),
                                  [&](automata::WindowCode code) {
                                    problem_.initial.push_back(number(code));
                                    return true;
                                  });
    add_pairs(input, holds);
  }
  [[nodiscard]] const smt::InvariantProblem& problem() const { return problem_; }

 private:
  std::uint32_t number(automata::WindowCode code) {
    const auto [at, is_new] = numbers_.emplace(code, static_cast<std::uint32_t>(numbers_.size()));
    if (is_new) {
      const auto index = machine_.find(code);
      require(index.has_value(), "Tables: a window is not known");
      const Decided letter = machine_.letter(*index);
      problem_.states.push_back({dfa_.project(letter.must), dfa_.project(letter.may)});
    }
    return at->second;
  }

  /// By rising step, so that one query has pairs of one step.
  void add_pairs(const ExactInput& input, const ExactHolds& holds) {
    std::vector<ExactPair> pairs = holds.invariant();
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const ExactPair& a, const ExactPair& b) { return a.step < b.step; });
    std::vector<bool> expanded;
    for (const ExactPair& pair : pairs) {
      const std::uint32_t from = number(pair.window);
      problem_.invariant.emplace_back(from, pair.spec);
      if (input.max_new) {
        problem_.steps.push_back(pair.step);
        problem_.horizon = static_cast<std::uint32_t>(*input.max_new);
      }
      expanded.resize(std::max<std::size_t>(expanded.size(), from + std::size_t{1}), false);
      if (expanded[from] || (input.max_new && pair.step >= *input.max_new)) {
        continue;
      }
      expanded[from] = true;
      for (const WindowMachine::Edge edge : machine_.edges(*machine_.find(pair.window))) {
        problem_.edges.emplace_back(from, number(machine_.codes().append(pair.window, edge >> 1U)));
      }
    }
  }

  const WindowMachine& machine_;
  const spec::Dfa& dfa_;
  smt::InvariantProblem problem_;
  std::unordered_map<automata::WindowCode, std::uint32_t> numbers_;
};

/// Of what still holds with an ap replaced.
std::string vacuity_text(const ExactInput& input, const spec::Strengthening& stronger) {
  return "it holds even with " + input.subject.spec->atoms[stronger.atom].name +
         (stronger.positive ? " never true" : " always true");
}

/// No run of the machine satisfies what the property assumes.
bool is_idle_assumption(const ExactInput& input, WindowMachine& machine,
                        const spec::Property& property) {
  if (property.assume == nullptr) {
    return false;
  }
  const spec::FormulaPtr never = spec::negation(property.assume);
  try {
    if (spec::is_safety(never)) {
      const spec::Dfa dfa = spec::bad_prefix_dfa(never);
      ExactSearch search(input, machine, dfa, ExactSearch::Edges::possible);
      search.run([](ExactSearch::PairId) { return true; });
      return !search.found_bad() && search.stopped().empty();
    }
    if (input.max_new || input.emission.mask() == automata::Emission::Mask::after) {
      return false;
    }
    const spec::Buchi assumed = spec::buchi(property.assume);
    LiveProduct product(input, machine, assumed);
    return product.explore() && product.ranked();
  } catch (const UsageError&) {  // over a limit
    return false;
  }
}

std::vector<std::string> assumption_text(const ExactInput& input, WindowMachine& machine,
                                         const spec::Property& property) {
  if (is_idle_assumption(input, machine, property)) {
    return {"no run satisfies what it assumes: holding says nothing"};
  }
  return {};
}

}  // namespace

void ask_solver(const ExactInput& input, const WindowMachine& machine, const ExactHolds& holds,
                ExactProperty& result) {
  result.solver = smt::solver_version();
  const std::size_t pairs = holds.invariant().size();
  if (pairs > input.limits.opinion_pairs && input.smt_folder.empty()) {
    result.opinion = "not asked";
    result.opinion_detail = std::to_string(pairs) + " pairs, more than " +
                            std::to_string(input.limits.opinion_pairs) + " (--z3-pairs)";
    return;
  }
  smt::Limits limits;
  if (!input.smt_folder.empty()) {
    limits.dump = [&](const std::string& name, const std::string& text) {
      write_file_atomic(input.smt_folder / (result.name + "." + name + ".smt2"), text);
    };
  }
  const smt::SecondOpinion said =
      smt::check_invariant_apart(Tables(input, machine, holds).problem(), limits);
  result.opinion = smt::name(said.opinion);
  result.opinion_obligations = said.obligations;
  result.opinion_detail = said.opinion == smt::Opinion::agree ? "" : said.detail;
}

std::vector<std::string> find_vacuity(const ExactInput& input, WindowMachine& machine,
                                      const spec::Property& property) {
  std::vector<std::string> out = assumption_text(input, machine, property);
  for (const spec::Strengthening& stronger : spec::strengthenings(property.formula)) {
    spec::Dfa dfa;
    try {
      dfa = spec::bad_prefix_dfa(stronger.formula);
    } catch (const UsageError&) {
      continue;
    }
    ExactSearch search(input, machine, dfa, ExactSearch::Edges::possible);
    search.run([](ExactSearch::PairId) { return true; });
    if (!search.found_bad() && search.stopped().empty()) {
      out.push_back(vacuity_text(input, stronger));
    }
  }
  return out;
}

std::vector<std::string> find_endless_vacuity(const ExactInput& input, WindowMachine& machine,
                                              const spec::Property& property) {
  std::vector<std::string> out = assumption_text(input, machine, property);
  for (const spec::Strengthening& stronger : spec::strengthenings(property.formula)) {
    spec::Buchi against;
    try {
      against = spec::buchi(spec::negation(stronger.formula));
    } catch (const UsageError&) {
      continue;
    }
    LiveProduct product(input, machine, against);
    if (product.explore() && product.ranked()) {
      out.push_back(vacuity_text(input, stronger));
    }
  }
  return out;
}

}  // namespace assay::verify
