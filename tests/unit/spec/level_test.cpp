#include "assay/base/errors.hpp"
#include "assay/spec/print.hpp"
#include "catch.hpp"

using namespace assay;

namespace {

const std::string kHead = "spec \"t\" version 1; ap A = tok = id 0; ap B = tok = id 1;\n";

spec::Spec read(const std::string& rest) {
  return spec::parse_spec(kHead + rest, "t.spec");
}

void refused(const std::string& rest, const std::string& words) {
  INFO(rest);
  try {
    (void)read(rest);
    FAIL_CHECK("read");
  } catch (const UsageError& e) {
    CHECK_THAT(e.what(), Catch::Contains(words));
  }
}

}  // namespace

TEST_CASE("levels: forms, cases and limits are those of the page") {
  const spec::Spec s = read(
      "level heat = 0.25 min 0 max 8.5 when A & !B: heat*0.9 + 1 when B: -1 else 0.9*heat -0.1;\n"
      "level load = -3 else 2 - load - heat*0.5;\n"
      "ap Hot = 2*heat - load >= 5.5; ap Cold = heat < 0.1;\n"
      "let Bad = Hot & Cold; prop P: all G !Bad;");
  REQUIRE(s.levels.size() == 2);
  const spec::Level& heat = s.levels[0];
  CHECK(heat.initial == Rational{1, 4});
  CHECK(heat.least == Rational{0, 1});
  CHECK(heat.most == Rational{17, 2});
  REQUIRE(heat.cases.size() == 3);
  CHECK(heat.cases[0].to.terms[0].second == Rational{9, 10});
  CHECK(heat.cases[0].to.constant == Rational{1, 1});
  CHECK(heat.cases[1].to.terms.empty());
  CHECK(heat.cases[1].to.constant == Rational{-1, 1});
  CHECK_FALSE(heat.cases[2].guard);
  CHECK(heat.cases[2].to.constant == Rational{-1, 10});
  const spec::LinearForm& load = s.levels[1].cases[0].to;
  CHECK(load.constant == Rational{2, 1});
  REQUIRE(load.terms.size() == 2);
  CHECK(load.terms[0] == std::pair<std::size_t, Rational>(0, {-1, 2}));
  CHECK(load.terms[1] == std::pair<std::size_t, Rational>(1, {-1, 1}));
  CHECK(s.atoms[2].kind == spec::Atom::Kind::level);
  CHECK(spec::levels_of(s, s.properties[0].formula) == std::vector<std::size_t>{0, 1});
  const std::string once = spec::print_spec(s);
  CHECK(spec::print_spec(spec::parse_spec(once, "again")) == once);
  CHECK(spec::level_sentence(s, heat) ==
        "heat starts at 0.25; when A & !B it becomes 0.9*heat + 1, when B it becomes -1, else "
        "0.9*heat - 0.1; it never goes below 0 or above 8.5.");
}

TEST_CASE("levels: what is wrong is named where it stands") {
  refused("level x = 0 when A: x + 1;", "expected 'when' or 'else'");
  refused("level x = 0 when X A: 1 else x;", "only aps");
  refused("level x = 0 else y;", "the name of a level declared above");
  refused("level x = 0 else x + x;", "each level once");
  refused("level x = 0 else 1 + 2;", "one number without a level");
  refused("level x = 0 else 0*x;", "a factor that is not 0");
  refused("level x = 9 max 8 else x;", "a first value from min to max");
  refused("level x = 0.1234567890123456 else x;", "at most 15 digits");
  refused("level A = 0 else 1;", "declared above");
  refused("level when = 0 else 1;", "a word of levels");
  refused("level x = 0 else x; ap C = x + 1 > 2;", "put the number on the right");
  refused("level x = 0 else x; ap C = x;", "'>='");
  refused("level x = 0 else x; ap C = xx > 1;", "did you mean 'x'");
}

TEST_CASE("levels: a level that reads aps about itself moves apart") {
  const spec::Spec s = read(
      "level n = 0; level m = 1 else m; ap Full = n >= 8; move n when Full & A: m else n + 1;\n"
      "ap C = n > 8; prop P: all G !C;");
  REQUIRE(s.levels.size() == 2);
  REQUIRE(s.levels[0].cases.size() == 2);
  CHECK(s.levels[0].cases[0].to.terms[0].first == 1);
  CHECK(spec::levels_of(s, s.properties[0].formula) == std::vector<std::size_t>{0, 1});
  const std::string once = spec::print_spec(s);
  CHECK_THAT(once, Catch::Contains("level n = 0;\n") &&
                       Catch::Contains("\nmove n\n  when (Full & A): m\n  else n + 1;\n"));
  CHECK(spec::print_spec(spec::parse_spec(once, "again")) == once);
  refused("level n = 0; ap C = n > 8; prop P: all G !C;", "'move n when …'");
  refused("level n = 0; move n else n; move n else n;", "that has no cases yet");
  refused("level n = 0 else n; move n else n;", "that has no cases yet");
  refused("level n = 0; move k else n;", "the name of a level declared above");
}

TEST_CASE("levels: other engines say that they do not decide them") {
  const spec::Spec s = read("level x = 0 else x; ap C = x > 1; prop P: all G !C;");
  CHECK_THAT(spec::beyond_universal(s, s.properties[0]), Catch::Contains("compares a level"));
}
