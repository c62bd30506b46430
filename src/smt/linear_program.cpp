#include "assay/smt/linear_program.hpp"

#include <z3++.h>

#include <cmath>
#include <cstdint>
#include <string>

namespace assay::smt {
namespace {

constexpr double kGrid = 0x1p30;

/// The multiple of 2^-30 next to x; throws when it is not below 2^30.
z3::expr number(z3::context& c, double x) {
  if (!(std::fabs(x) < kGrid)) {
    throw z3::exception("a coefficient above 2^30");
  }
  const auto n = static_cast<std::int64_t>(std::llround(x * kGrid));
  return c.real_val((std::to_string(n) + "/1073741824").c_str());
}

double nearest(const z3::expr& value) {
  return std::stod(value.get_decimal_string(20));  // a trailing '?' says that digits were cut
}

}  // namespace

std::optional<std::vector<double>> minimise(const LinearProblem& problem, unsigned resources) {
  try {
    z3::config config;
    config.set("rlimit", static_cast<int>(resources));
    z3::context c(config);
    std::vector<z3::expr> x;
    for (std::size_t i = 0; i < problem.cost.size(); ++i) {
      x.push_back(c.real_const(("x" + std::to_string(i)).c_str()));
    }
    const auto sum = [&](const std::vector<std::pair<std::size_t, double>>& terms) {
      z3::expr_vector parts(c);
      for (const auto& [i, coefficient] : terms) {
        parts.push_back(number(c, coefficient) * x[i]);
      }
      return parts.empty() ? c.real_val(0) : z3::sum(parts);
    };
    z3::optimize solver(c);
    for (const LinearProblem::AtLeast& row : problem.rows) {
      solver.add(sum(row.terms) >= number(c, row.least));
    }
    std::vector<std::pair<std::size_t, double>> cost;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (problem.cost[i] != 0) {
        cost.emplace_back(i, problem.cost[i]);
      }
    }
    solver.minimize(sum(cost));
    if (solver.check() != z3::sat) {
      return std::nullopt;
    }
    const z3::model model = solver.get_model();
    std::vector<double> values;
    values.reserve(x.size());
    for (const z3::expr& variable : x) {
      values.push_back(nearest(model.eval(variable, true)));
    }
    return values;
  } catch (const z3::exception&) {
    return std::nullopt;
  }
}

}  // namespace assay::smt
