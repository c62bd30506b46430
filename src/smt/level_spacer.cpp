#include <map>
#include <optional>

#include "level_search.hpp"
#include "level_terms.hpp"
#include "solver.hpp"

namespace assay::smt {
namespace {

constexpr std::size_t kMaxCells = 64;  // of one control

using Row = LevelProblem::Row;
using Cube = std::vector<Row>;

/// A model's formula over the arguments of a relation, as a disjunction of conjunctions of rows.
class Reader {
 public:
  Reader(z3::context& c, const z3::expr& head, std::size_t levels) : c_(c), levels_(levels) {
    for (unsigned i = 0; i < head.num_args(); ++i) {
      level_of_.emplace(Z3_get_index_value(c, head.arg(i)), i);
    }
  }

  std::vector<Cube> cubes(const z3::expr& e, bool positive) const {
    const Z3_decl_kind kind = e.is_app() ? e.decl().decl_kind() : Z3_OP_UNINTERPRETED;
    if (kind == Z3_OP_NOT) {
      return cubes(e.arg(0), !positive);
    }
    if (kind == Z3_OP_TRUE || kind == Z3_OP_FALSE) {
      return (kind == Z3_OP_TRUE) == positive ? std::vector<Cube>{{}} : std::vector<Cube>{};
    }
    if (kind == Z3_OP_AND || kind == Z3_OP_OR) {
      return joined(e, positive, (kind == Z3_OP_AND) == positive);
    }
    return compared(e, kind, positive);
  }

 private:
  [[noreturn]] void refuse(const z3::expr& e) const {
    throw z3::exception(("a model with " + e.to_string().substr(0, 80)).c_str());
  }

  std::vector<Cube> joined(const z3::expr& e, bool positive, bool conjunction) const {
    std::vector<Cube> out;
    if (conjunction) {
      out.emplace_back();
    }
    for (unsigned i = 0; i < e.num_args(); ++i) {
      const std::vector<Cube> part = cubes(e.arg(i), positive);
      if (!conjunction) {
        out.insert(out.end(), part.begin(), part.end());
      } else {
        std::vector<Cube> both;
        for (const Cube& a : out) {
          for (const Cube& b : part) {
            both.push_back(a);
            both.back().insert(both.back().end(), b.begin(), b.end());
          }
        }
        out = std::move(both);
      }
      if (out.size() > kMaxCells) {
        throw z3::exception("a model of too many cases");
      }
    }
    return out;
  }

  std::vector<Cube> compared(const z3::expr& e, Z3_decl_kind kind, bool positive) const {
    if (e.num_args() != 2 || !e.arg(0).is_arith()) {
      refuse(e);
    }
    const Row less = row(e.arg(0), e.arg(1)), more = row(e.arg(1), e.arg(0));
    const auto strict = [](Row r) {
      r.strict = true;
      return r;
    };
    switch (kind) {
      case Z3_OP_LE:
        return {{positive ? less : strict(more)}};
      case Z3_OP_GE:
        return {{positive ? more : strict(less)}};
      case Z3_OP_LT:
        return {{positive ? strict(less) : more}};
      case Z3_OP_GT:
        return {{positive ? strict(more) : less}};
      case Z3_OP_EQ:
        if (positive) {
          return {{less, more}};
        }
        return {{strict(less)}, {strict(more)}};
      default:
        refuse(e);
    }
  }

  /// left <= right; coefficients from Z3's own evaluation at 0 and at the unit points.
  Row row(const z3::expr& left, const z3::expr& right) const {
    Row out;
    const z3::expr difference = left - right;
    if (!is_linear(difference)) {
      refuse(difference);
    }
    const z3::expr zero = at(difference, std::nullopt);
    out.bound = text(-zero);
    for (std::size_t l = 0; l < levels_; ++l) {
      const std::string coefficient = text(at(difference, l) - zero);
      if (coefficient != "0") {
        out.terms.emplace_back(l, coefficient);
      }
    }
    return out;
  }

  static bool is_linear(const z3::expr& e) {
    if (e.is_numeral() || e.is_var()) {
      return true;
    }
    if (!e.is_app()) {
      return false;
    }
    const Z3_decl_kind kind = e.decl().decl_kind();
    unsigned variable_factors = 0;
    for (unsigned i = 0; i < e.num_args(); ++i) {
      if (!is_linear(e.arg(i))) {
        return false;
      }
      variable_factors += e.arg(i).is_numeral() ? 0 : 1;
    }
    return kind == Z3_OP_ADD || kind == Z3_OP_SUB || kind == Z3_OP_UMINUS ||
           (kind == Z3_OP_MUL && variable_factors <= 1);
  }

  z3::expr at(const z3::expr& e, std::optional<std::size_t> unit) const {
    z3::expr_vector values(c_);
    const std::size_t count = level_of_.empty() ? 0 : level_of_.rbegin()->first + 1;
    for (std::size_t i = 0; i < count; ++i) {
      const auto found = level_of_.find(static_cast<unsigned>(i));
      const bool one = found != level_of_.end() && unit && found->second == *unit;
      values.push_back(c_.real_val(one ? 1 : 0));
    }
    z3::expr copy = e;
    return copy.substitute(values).simplify();
  }

  std::string text(const z3::expr& number) const {
    const z3::expr value = number.simplify();
    if (!value.is_numeral()) {
      refuse(value);
    }
    return Z3_get_numeral_string(c_, value);
  }

  z3::context& c_;
  std::size_t levels_;
  std::map<unsigned, std::size_t> level_of_;  ///< of a bound variable's index
};

class Spacer {
 public:
  Spacer(z3::context& c, const LevelProblem& problem, bool careless)
      : c_(c), problem_(problem), engine_(c), bad_(c.function("Bad", 0, nullptr, c.bool_sort())) {
    z3::params options(c);
    options.set("engine", c.str_symbol("spacer"));
    if (!careless) {
      for (const char* key :
           {"xform.slice", "xform.inline_linear", "xform.inline_eager", "xform.coi"}) {
        options.set(key, false);
      }
      options.set("spacer.iuc.arith", 3U);
    }
    engine_.set(options);
    z3::sort_vector sorts(c);
    for (std::size_t l = 0; l < problem.initial.size(); ++l) {
      sorts.push_back(c.real_sort());
    }
    for (std::size_t i = 0; i < problem.controls; ++i) {
      at_.push_back(c.function(("At" + std::to_string(i)).c_str(), sorts, c.bool_sort()));
      engine_.register_relation(at_.back());
    }
    engine_.register_relation(bad_);
  }

  std::string ask() {
    add_rules();
    z3::expr query = bad_();
    const z3::check_result answer = engine_.query(query);
    if (answer == z3::sat) {
      return "none a bad control is said to be reachable, which no run shows";
    }
    if (answer == z3::unknown) {
      return "none gave up: " + engine_.reason_unknown();
    }
    std::string out = "cells\n";
    read(engine_.get_answer(), out);
    return out;
  }

 private:
  void add_rules() {
    z3::expr_vector x(c_);
    for (std::size_t l = 0; l < problem_.initial.size(); ++l) {
      x.push_back(c_.real_const(("x" + std::to_string(l)).c_str()));
    }
    int count = 0;
    const auto add = [&](z3::expr rule) {
      engine_.add_rule(rule, c_.str_symbol(("r" + std::to_string(count++)).c_str()));
    };
    z3::expr_vector start(c_);
    for (const std::string& value : problem_.initial) {
      start.push_back(c_.real_val(value.c_str()));
    }
    for (const std::size_t s : problem_.start) {
      add(at_[s](start));
    }
    for (const LevelProblem::Step& step : problem_.steps) {
      z3::expr_vector body(c_), next(c_);
      body.push_back(at_[step.from](x));
      for (const Row& row : step.conditions) {
        body.push_back(level_row(c_, row, x));
      }
      for (const LevelProblem::Form& form : step.update) {
        next.push_back(level_sum(c_, form.terms, form.constant, x));
      }
      add(z3::forall(
          x, z3::implies(z3::mk_and(body), problem_.bad[step.to] ? bad_() : at_[step.to](next))));
    }
  }

  void read(const z3::expr& answer, std::string& out) const {
    if (answer.is_quantifier()) {
      const z3::expr body = answer.body();
      if (body.is_app() && body.decl().decl_kind() == Z3_OP_EQ) {
        define(body.arg(0), body.arg(1), out);
      }
    } else if (answer.is_app() && answer.decl().decl_kind() == Z3_OP_AND) {
      for (unsigned i = 0; i < answer.num_args(); ++i) {
        read(answer.arg(i), out);
      }
    }
  }

  void define(const z3::expr& head, const z3::expr& body, std::string& out) const {
    for (std::size_t i = 0; i < at_.size(); ++i) {
      if (!z3::eq(head.decl(), at_[i])) {
        continue;
      }
      for (const Cube& cube : Reader(c_, head, problem_.initial.size()).cubes(body, true)) {
        out += "cell " + std::to_string(i) + " " + std::to_string(cube.size());
        for (const Row& row : cube) {
          out += (row.strict ? " < " : " <= ") + row.bound + " " + std::to_string(row.terms.size());
          for (const auto& [level, coefficient] : row.terms) {
            out += " " + std::to_string(level) + " " + coefficient;
          }
        }
        out += "\n";
      }
    }
  }

  z3::context& c_;
  const LevelProblem& problem_;
  z3::fixedpoint engine_;
  std::vector<z3::func_decl> at_;
  z3::func_decl bad_;
};

}  // namespace

std::string level_spacer(const LevelProblem& problem, const LevelLimits& limits) {
  LimitedConfig config({limits.resources, static_cast<unsigned>(limits.seconds) * 1000});
  z3::context c(config);
  return Spacer(c, problem, limits.careless).ask();
}

}  // namespace assay::smt
