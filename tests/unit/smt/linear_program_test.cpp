#include "assay/smt/linear_program.hpp"

#include "assay/smt/invariant.hpp"
#include "catch.hpp"

using namespace assay;

TEST_CASE("Z3 minimises a small linear problem, and gives nothing where there is no minimum") {
  // minimise x + 2 y, x + y >= 3, x <= 2, y >= 0.5: x = 2, y = 1
  LinearProblem p;
  p.cost = {1, 2};
  p.rows = {{{{0, 1.0}, {1, 1.0}}, 3}, {{{0, -1.0}}, -2}, {{{1, 1.0}}, 0.5}};
  CHECK(p.terms() == 4);
  const auto x = smt::minimise(p);
  if (smt::solver_version() == "none") {
    CHECK(!x);
    return;
  }
  REQUIRE(x);
  CHECK((*x)[0] == 2);
  CHECK((*x)[1] == 1);
  p.rows[2] = {{{1, 1.0}}, 4};
  p.rows.push_back({{{1, -1.0}}, -3});  // y >= 4 and y <= 3
  CHECK(!smt::minimise(p));
  p.rows.pop_back();
  p.rows[0].terms[0].second = 1e12;  // beyond the grid
  CHECK(!smt::minimise(p));
  CHECK(!smt::minimise({{1.0}, {{{{0, 1.0}}, 0.0}}}, 1));  // no resources
}

TEST_CASE("an unbounded linear problem has no finite minimiser that counts") {
  const auto x = smt::minimise({{1.0}, {{{{0, -1.0}}, 0.0}}});  // minimise x, x <= 0
  CHECK((!x || (*x)[0] <= 0));  // whatever is said, only an evaluation of it is ever used
}
