#include "../../../reports/render/numbers.hpp"

#include "catch.hpp"

using namespace assay::report;

TEST_CASE("a shown bound is never tighter than the exact one") {
  REQUIRE(short_number("0x1.999999999999ap-4", Towards::up) == "0.1000");
  REQUIRE(short_number("0x1.999999999999ap-4", Towards::nearest) == "0.1");
  REQUIRE(short_number("-0x1p-2", Towards::up) ==
          "\xe2\x88\x92"
          "0.2500");
  REQUIRE(short_number("0x1.3c0ca428c59fbp+0", Towards::up) == "1.235");  // 1.23456789
  REQUIRE(short_number("0x1.3c0ca428c59fbp+0", Towards::down) == "1.234");
  REQUIRE(short_number("1/1000", Towards::up) == "1/1000");
  REQUIRE(short_number("not a number", Towards::up) == "not a number");
  REQUIRE(*drawing_value("1/4") == 0.25);
  REQUIRE_FALSE(drawing_value("").has_value());
  REQUIRE_FALSE(drawing_value("nan").has_value());
}
