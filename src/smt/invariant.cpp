#include "assay/smt/invariant.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "solver.hpp"

namespace assay::smt {
namespace {

using Pair = std::pair<std::uint32_t, std::uint32_t>;

/// One obligation in its own context: variables of a step (s,q) --letter of t--> (t,r).
class Obligation {
 public:
  Obligation(const InvariantProblem& problem, const Limits& limits)
      : problem_(problem), limits_(limits), config_(limits), context_(config_), solver_(context_) {
    for (std::size_t i = 0; i < problem.atoms; ++i) {
      bits_.push_back(context_.bool_const(("b" + std::to_string(i)).c_str()));
    }
  }

  /// Some pair of the list is (s,q).
  void from_one_of(const std::vector<Pair>& pairs) {
    z3::expr_vector any(context_);
    for (const auto& [s, q] : pairs) {
      any.push_back(var("s") == number(s) && var("q") == number(q));
    }
    add(z3::mk_or(any), pairs.size());
  }
  void from_bad() {
    z3::expr_vector any(context_);
    for (std::size_t q = 0; q < problem_.bad.size(); ++q) {
      if (problem_.bad[q]) {
        any.push_back(var("q") == number(q));
      }
    }
    add(z3::mk_or(any), problem_.bad.size());
  }
  void monitor_starts() { add(var("q") == number(0), 1); }
  /// Nothing was read yet: the monitor stands where it starts.
  void monitor_stands_at_start() { add(var("r") == number(0), 1); }
  void avoids_settled() {
    for (std::size_t q = 0; q < problem_.settled.size(); ++q) {
      if (problem_.settled[q]) {
        add(var("r") != number(q), 1);
      }
    }
  }
  void enters_one_of(const std::vector<std::uint32_t>& states) {
    z3::expr_vector any(context_);
    for (const std::uint32_t t : states) {
      any.push_back(var("t") == number(t));
    }
    add(z3::mk_or(any), states.size());
  }
  void follows_an_edge(const std::map<std::uint32_t, std::set<std::uint32_t>>& after) {
    for (const auto& [s, targets] : after) {
      z3::expr_vector any(context_);
      for (const std::uint32_t t : targets) {
        any.push_back(var("t") == number(t));
      }
      add(z3::implies(var("s") == number(s), z3::mk_or(any)), targets.size() + 1);
    }
  }
  /// The letter lies between must and may of t.
  void shows_a_letter(const std::set<std::uint32_t>& targets) {
    for (const std::uint32_t t : targets) {
      z3::expr_vector all(context_);
      for (std::size_t i = 0; i < bits_.size(); ++i) {
        if (((problem_.states[t].must >> i) & 1U) != 0) {
          all.push_back(bits_[i]);
        }
        if (((problem_.states[t].may >> i) & 1U) == 0) {
          all.push_back(!bits_[i]);
        }
      }
      add(z3::implies(var("t") == number(t), z3::mk_and(all)), all.size() + 1);
    }
  }
  void monitor_steps(const std::set<std::uint32_t>& sources) {
    for (const std::uint32_t q : sources) {
      for (std::size_t letter = 0; letter < letters(problem_); ++letter) {
        z3::expr_vector all(context_);
        all.push_back(var("q") == number(q));
        for (std::size_t i = 0; i < bits_.size(); ++i) {
          all.push_back(((letter >> i) & 1U) != 0 ? bits_[i] : !bits_[i]);
        }
        const std::uint32_t to = problem_.monitor[q * letters(problem_) + letter];
        add(z3::implies(z3::mk_and(all), var("r") == number(to)), 1);
      }
    }
  }
  void arrives_outside(const std::map<std::uint32_t, std::vector<std::uint32_t>>& invariant,
                       const std::set<std::uint32_t>& targets) {
    for (const std::uint32_t t : targets) {
      z3::expr_vector all(context_);
      if (const auto found = invariant.find(t); found != invariant.end()) {
        for (const std::uint32_t q : found->second) {
          all.push_back(var("r") != number(q));
        }
      }
      add(z3::implies(var("t") == number(t), z3::mk_and(all)), all.size() + 1);
    }
  }

  /// Agree when there is no such step.
  Opinion ask(const std::string& name) {
    if (constraints_ > limits_.constraints) {
      return Opinion::unknown;
    }
    if (limits_.dump) {
      limits_.dump(name, "(set-logic QF_LIA) ; unsat: the obligation holds\n" + solver_.to_smt2());
    }
    switch (solver_.check()) {
      case z3::unsat:
        return Opinion::agree;
      case z3::sat:
        return Opinion::disagree;
      case z3::unknown:
        break;
    }
    return Opinion::unknown;
  }

 private:
  z3::expr var(const char* variable) { return context_.int_const(variable); }
  z3::expr number(std::size_t value) { return context_.int_val(static_cast<std::uint64_t>(value)); }
  void add(const z3::expr& e, std::size_t size) {
    constraints_ += size;
    if (constraints_ <= limits_.constraints) {
      solver_.add(e);
    }
  }

  const InvariantProblem& problem_;
  const Limits& limits_;
  LimitedConfig config_;
  z3::context context_;
  z3::solver solver_;
  std::vector<z3::expr> bits_;
  std::size_t constraints_ = 0;
};

class Check {
 public:
  Check(const InvariantProblem& problem, const Limits& limits)
      : problem_(problem), limits_(limits) {
    for (const auto& [from, to] : problem.edges) {
      after_[from].insert(to);
    }
    for (std::size_t i = 0; i < problem.invariant.size(); ++i) {
      const auto& [s, q] = problem.invariant[i];
      by_state_[s].push_back({q, problem.steps.empty() ? 0 : problem.steps[i]});
    }
  }

  SecondOpinion run() {
    out_.opinion = Opinion::agree;
    note(initiation(), "init");
    const std::size_t chunk = std::max<std::size_t>(limits_.chunk, 1);
    for (std::size_t i = 0, end = 0;
         i < problem_.invariant.size() && out_.opinion == Opinion::agree; i = end) {
      end = std::min(i + chunk, problem_.invariant.size());
      while (step_of(end - 1) !=
             step_of(i)) {  // pairs of one step, so that arrivals have one limit
        --end;
      }
      const std::vector<Pair> part(problem_.invariant.begin() + static_cast<std::ptrdiff_t>(i),
                                   problem_.invariant.begin() + static_cast<std::ptrdiff_t>(end));
      if (problem_.steps.empty() || step_of(i) < problem_.horizon) {
        note(consecution(part, step_of(i) + 1, "step-" + std::to_string(i)),
             "step from pair " + std::to_string(i));
      }
      note(disjoint(part, "bad-" + std::to_string(i)), "bad from pair " + std::to_string(i));
    }
    return out_;
  }

 private:
  void note(Opinion opinion, const std::string& what) {
    ++out_.obligations;
    if (opinion != Opinion::agree && out_.opinion == Opinion::agree) {
      out_.opinion = opinion;
      out_.detail = what;
    }
  }

  [[nodiscard]] std::uint32_t step_of(std::size_t i) const {
    return problem_.steps.empty() ? 0 : problem_.steps[i];
  }
  /// The monitor states of each state's pairs with a step <= latest.
  [[nodiscard]] std::map<std::uint32_t, std::vector<std::uint32_t>> pairs_until(
      const std::set<std::uint32_t>& states, std::uint32_t latest) const {
    std::map<std::uint32_t, std::vector<std::uint32_t>> out;
    for (const std::uint32_t s : states) {
      const auto found = by_state_.find(s);
      for (std::size_t i = 0; found != by_state_.end() && i < found->second.size(); ++i) {
        if (found->second[i].second <= latest) {
          out[s].push_back(found->second[i].first);
        }
      }
    }
    return out;
  }

  Opinion initiation() {
    const std::set<std::uint32_t> targets(problem_.initial.begin(), problem_.initial.end());
    Obligation o(problem_, limits_);
    o.enters_one_of(problem_.initial);
    if (problem_.reads_initial) {
      o.monitor_starts();
      o.shows_a_letter(targets);
      o.monitor_steps({0});
    } else {
      o.monitor_stands_at_start();
    }
    o.avoids_settled();
    o.arrives_outside(pairs_until(targets, 0), targets);
    return o.ask("init");
  }

  Opinion consecution(const std::vector<Pair>& part, std::uint32_t latest,
                      const std::string& name) {
    std::map<std::uint32_t, std::set<std::uint32_t>> after;
    std::set<std::uint32_t> targets;
    std::set<std::uint32_t> monitors;
    for (const auto& [s, q] : part) {
      after[s] = after_[s];
      targets.insert(after_[s].begin(), after_[s].end());
      monitors.insert(q);
    }
    Obligation o(problem_, limits_);
    o.from_one_of(part);
    o.follows_an_edge(after);
    o.shows_a_letter(targets);
    o.monitor_steps(monitors);
    o.avoids_settled();
    o.arrives_outside(pairs_until(targets, latest), targets);
    return o.ask(name);
  }

  Opinion disjoint(const std::vector<Pair>& part, const std::string& name) {
    Obligation o(problem_, limits_);
    o.from_one_of(part);
    o.from_bad();
    return o.ask(name);
  }

  const InvariantProblem& problem_;
  const Limits& limits_;
  std::map<std::uint32_t, std::set<std::uint32_t>> after_;
  std::map<std::uint32_t, std::vector<std::pair<std::uint32_t, std::uint32_t>>>
      by_state_;  ///< (q, step)
  SecondOpinion out_;
};

}  // namespace

SecondOpinion check_invariant(const InvariantProblem& problem, const Limits& limits) {
  try {
    return Check(problem, limits).run();
  } catch (const z3::exception& e) {
    return {Opinion::unknown, 0, e.msg()};
  }
}

std::string solver_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned build = 0;
  unsigned revision = 0;
  Z3_get_version(&major, &minor, &build, &revision);
  return "Z3 " + std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(build);
}

}  // namespace assay::smt
