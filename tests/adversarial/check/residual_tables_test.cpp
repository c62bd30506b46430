#include <algorithm>
#include <limits>
#include <utility>

#include "catch.hpp"
#include "check_table.hpp"

using namespace check_test;

namespace {

std::string billionths(double x) {
  return std::to_string(static_cast<long long>(x * 1e9)) + "/1000000000";
}

}  // namespace

TEST_CASE(
    "residual tables: accepted just above the largest R2 of any combination, rejected below") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    TableCase c(seed);
    const double r2 = c.best();
    INFO(r2);
    CHECK(c.accepts(billionths(r2 * 1.0005)));
    CHECK_FALSE(c.accepts(billionths(r2 * 0.999)));
    c.type = "F32";
    c.save();
    CHECK(c.accepts(billionths(r2 * 1.0005)));
    CHECK_FALSE(c.accepts(billionths(r2 * 0.999)));
  }
}

TEST_CASE("residual tables: a width beyond elimination is shown by dominance, and no tau below") {
  TableCase c(3, 700, 270);
  c.k = 1;
  c.z.resize(c.n);
  for (std::size_t row = 0; row < c.n; ++row) {
    c.z[row] = c.x[row * c.d] > 0.3 ? 1 : 0;
  }
  c.save();
  const double r2 = best_r2(c.Y, c.z);
  INFO(r2);
  REQUIRE(r2 > 0.3);
  CHECK(c.accepts(billionths(r2 * 1.001)));
  CHECK_FALSE(c.accepts(billionths(r2 * 0.9999)));
  for (std::size_t row = 0; row < c.n; ++row) {
    c.x[row * c.d + 7] =
        c.x[row * c.d + 9];  // an exact copy says nothing new; its double is refused
  }
  c.left[7 * 2] = c.left[9 * 2];
  c.left[7 * 2 + 1] = c.left[9 * 2 + 1];
  c.save();
  CHECK(c.accepts("9/10"));
  for (std::size_t row = 0; row < c.n; ++row) {
    c.x[row * c.d + 9] = std::ldexp(std::nearbyint(c.x[row * c.d + 9] * 64), -6);
    c.x[row * c.d + 7] = 2 * c.x[row * c.d + 9];
  }
  std::fill(c.left.begin(), c.left.end(), 0.0);
  c.save();
  CHECK_FALSE(c.accepts("9/10"));
}

TEST_CASE("residual tables: labels are the file's own, each 0 or 1, and independent") {
  TableCase c;
  REQUIRE(c.accepts());
  const TableCase clean;
  for (const double odd : {2.0, 0.5, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    c.z[4] = odd;
    CHECK(c.refused());
  }
  c.z = clean.z;
  REQUIRE_FALSE(c.refused());
  for (std::size_t row = 0; row < c.n; ++row) {
    c.z[row * 3] = c.z[row * 3 + 1];  // two equal columns, not one-hot
  }
  CHECK(c.refused());
  for (std::size_t row = 0; row < c.n; ++row) {
    c.z[row * 3] = 0;  // a class without rows
  }
  CHECK(c.refused());
  c.z = clean.z;
  c.apart = false;  // labels beside the rows
  REQUIRE_FALSE(c.refused());
  c.labels_sha = digest(c.inputs.data[0]);  // named as labels too: its x is not labels
  CHECK_FALSE(c.accepts());
  c.labels_sha.clear();
  c.apart = true;
  c.save();
  c.labels_sha = std::string(64, 'a');
  CHECK_FALSE(c.accepts());
  c.labels_sha = digest(c.inputs.data[0]);
  CHECK_FALSE(c.accepts());
}

TEST_CASE("residual tables: rows that are not finite, of another width or hook are refused") {
  TableCase c;
  REQUIRE(c.accepts());
  for (const std::string type : {"F64", "F32", "BF16"}) {
    c.type = type;
    REQUIRE_FALSE(c.refused());
    for (const double odd : {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(), 1e30}) {
      const double before = std::exchange(c.x[5], odd);
      CHECK(c.refused());
      c.x[5] = before;
    }
  }
  c.type = "F64";
  c.with_document = true;
  REQUIRE_FALSE(c.refused());
  c.hook_of_rows = c.hook;
  REQUIRE_FALSE(c.refused());
  c.hook_of_rows = "blocks.0.hook_resid_post";
  CHECK(c.refused());
  c.hook_of_rows.clear();
  REQUIRE_FALSE(c.refused());
  TableCase narrow(1, 90, 3);
  REQUIRE(narrow.accepts());
  c.inputs.eraser = narrow.inputs.eraser;
  CHECK_FALSE(c.accepts());
}

TEST_CASE("residual tables: counts, rank and origin are the given ones") {
  TableCase c;
  REQUIRE(c.accepts());
  const std::string ones = c.ones();
  CHECK(c.accepts("1/2", "r RESIDUAL : 90 " + ones + "2/4"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 91 " + ones + "1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 90 1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 90 30 1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 90 " + ones + "0 1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 90 1 " + ones.substr(ones.find(' ') + 1) + "1/2"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL : 90 " + ones + "1/3"));
  CHECK_FALSE(c.accepts("1/2", "r RESIDUAL q : 90 " + ones + "1/2"));
  for (const char* rank : {"0", "1", "3", "5", "65", "-2", "2.0"}) {
    c.rank_said = rank;
    CHECK(c.refused());
  }
  c.rank_said.clear();
  REQUIRE_FALSE(c.refused());
  c.says_model = true;  // of a model that --model does not give
  CHECK_FALSE(c.accepts());
  c.says_model = false;
  c.more_config = ",\"modelWeights\":\"" + std::string(64, '0') + "\"";
  CHECK(c.refused());
  c.more_config.clear();
  c.bits = 25;
  CHECK(c.refused());
}

TEST_CASE("residual tables: rows of the fit are called so") {
  TableCase c;
  const std::string step = "r RESIDUAL : 90 " + c.ones() + "1/2";
  const auto words = [&] {
    const assay_check::Outcome done = c.outcome("1/2", step);
    REQUIRE(done.accepted);
    return done.lines.front();
  };
  CHECK(words().find("rows of the fit") == std::string::npos);
  c.more_config =
      ",\"fitActivations\":[\"" + std::string(64, '0') + "\",\"" + digest(c.inputs.data[0]) + "\"]";
  c.save();
  CHECK(words().find("rows of the fit") != std::string::npos);
}
