#include <algorithm>
#include <map>
#include <set>

#include "assay/smt/invariant.hpp"
#include "solver.hpp"

namespace assay::smt {
namespace {

using Pair = std::pair<std::uint32_t, std::uint32_t>;

/// The pairs that one step from monitor state q into t may reach.
std::set<Pair> entered(const InvariantProblem& p, std::uint32_t q, std::uint32_t t) {
  std::set<Pair> out;
  for (std::size_t letter = 0; letter < letters(p); ++letter) {
    const bool shown =
        (letter & p.states[t].must) == p.states[t].must && (letter & ~p.states[t].may) == 0;
    if (shown) {
      out.emplace(t, p.monitor[q * letters(p) + letter]);
    }
  }
  return out;
}

/// Reachable pairs and the steps between them, or nothing when there are more than `limit`.
struct Steps {
  std::map<Pair, int> number;
  std::set<Pair> initial;
  std::set<std::pair<Pair, Pair>> steps;
  bool complete = true;
};

Steps reachable(const InvariantProblem& p, std::size_t limit) {
  Steps out;
  std::vector<Pair> queue;
  const auto visit = [&](const Pair& pair) {
    if (out.number.emplace(pair, static_cast<int>(out.number.size())).second) {
      queue.push_back(pair);
    }
  };
  for (const std::uint32_t s : p.initial) {
    for (const Pair& pair : entered(p, 0, s)) {
      out.initial.insert(pair);
      visit(pair);
    }
  }
  for (std::size_t i = 0; i < queue.size() && out.complete; ++i) {
    const Pair here = queue[i];
    for (const auto& [from, to] : p.edges) {
      if (from != here.first) {
        continue;
      }
      for (const Pair& pair : entered(p, here.second, to)) {
        out.steps.emplace(here, pair);
        visit(pair);
      }
    }
    out.complete = out.number.size() <= limit;
  }
  return out;
}

z3::params spacer_options(z3::context& c) {
  z3::params options(c);
  options.set("engine", c.str_symbol("spacer"));
  // Z3's own rewriting of Horn clauses has returned models that violate a clause.
  for (const char* key :
       {"xform.slice", "xform.inline_linear", "xform.inline_eager", "xform.coi"}) {
    options.set(key, false);
  }
  return options;
}

z3::check_result ask(const InvariantProblem& p, const Steps& steps, const Limits& limits) {
  LimitedConfig config(limits);
  z3::context c(config);
  z3::fixedpoint engine(c);
  engine.set(spacer_options(c));
  z3::func_decl at = c.function("At", c.int_sort(), c.bool_sort());
  z3::func_decl bad = c.function("Bad", 0, nullptr, c.bool_sort());
  engine.register_relation(at);
  engine.register_relation(bad);
  const auto here = [&](const Pair& pair) { return at(c.int_val(steps.number.at(pair))); };
  int rules = 0;
  const auto add = [&](z3::expr rule) {
    engine.add_rule(rule, c.str_symbol(("r" + std::to_string(rules++)).c_str()));
  };
  for (const Pair& pair : steps.initial) {
    add(here(pair));
  }
  for (const auto& [from, to] : steps.steps) {
    add(z3::implies(here(from), here(to)));
  }
  for (const auto& [pair, number] : steps.number) {
    if (p.bad[pair.second]) {
      add(z3::implies(here(pair), bad()));
    }
  }
  z3::expr query = bad();
  return engine.query(query);
}

}  // namespace

SecondOpinion check_reachability(const InvariantProblem& problem, bool claimed,
                                 const Limits& limits) {
  const Steps steps = reachable(problem, limits.spacer_pairs);
  if (!steps.complete) {
    return {Opinion::unknown, 0,
            "more than " + std::to_string(limits.spacer_pairs) + " pairs: not asked"};
  }
  try {
    const z3::check_result answer = ask(problem, steps, limits);
    if (answer == z3::unknown) {
      return {Opinion::unknown, 1, "Spacer gave up"};
    }
    return {(answer == z3::sat) == claimed ? Opinion::agree : Opinion::disagree, 1, ""};
  } catch (const z3::exception& e) {
    return {Opinion::unknown, 1, e.msg()};
  }
}

}  // namespace assay::smt
