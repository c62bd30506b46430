#include "spec.hpp"
#include <set>

#include "catch.hpp"
#include "check_case.hpp"
#include "progression.hpp"
#include "reject.hpp"

using namespace assay_check;

namespace {

const std::string kHead =
    "spec \"s\" version 1; class C = ids {1,2}; ap a = tok in C; ap b = tok = id 3; ap c = tok = "
    "id 4;\n";

Spec spec_of(const std::string& formula) {
  return parse_spec(kHead + "let both(p, q) = p & q; let na = !a; prop p : all " + formula + ";",
                    "f");
}

/// Whether the word (letters as sets of a, b, c) is a bad prefix of the formula.
bool refuted(const std::string& formula, const std::vector<std::uint64_t>& word) {
  Spec spec = spec_of(formula);
  Progression monitor(spec.formulas, spec.properties.at(0).formula);
  std::size_t r = monitor.initial();
  for (const std::uint64_t letter : word) {
    r = monitor.step(r, letter);
  }
  return monitor.is_false(r);
}

bool same(const std::string& f, const std::string& g) {
  Spec spec = parse_spec(kHead + "prop p : all " + f + "; prop q : all " + g + ";", "f");
  return spec.properties[0].formula == spec.properties[1].formula;
}

}  // namespace

TEST_CASE("precedence, patterns and lets expand as documented") {
  CHECK(same("a -> b -> c", "a -> (b -> c)"));
  CHECK(same("a & b | c", "(a & b) | c"));
  CHECK(same("a U b W c", "a U (b W c)"));
  CHECK(same("!a U b & c", "((!a) U b) & c"));
  CHECK(same("absent(a)", "G !a"));
  CHECK(same("always(a)", "G a"));
  CHECK(same("exists(a)", "F a"));
  CHECK(same("responds(a, b, within 3)", "G(a -> F[0:3] b)"));
  CHECK(same("responds(a, b)", "G(a -> F b)"));
  CHECK(same("precedes(a, b)", "!b W a"));
  CHECK(same("run(a, 3)", "a & X[!](a & X[!] a)"));
  CHECK(same("cooldown(a, b, 4)", "G(a -> X G[0:3] !b)"));
  CHECK(same("!(a U b)", "!b W (!a & !b)"));
  CHECK(same("! X a", "X[!] !a"));
  CHECK(same("! G[2:5] a", "F[2:5] !a"));
  CHECK(same("a <-> b", "(a & b) | (!a & !b)"));
  CHECK_FALSE(same("F[0:3] a", "F a"));
  CHECK(spec_of("both(na, b)").properties[0].text == "both ( na , b )");
  CHECK(spec_of("both(na, b)").properties[0].atoms == 3);
  CHECK(spec_of("G(c -> true)").properties[0].atoms == 4);  // as written, not as simplified
  CHECK(parse_spec(kHead + "let one(p, q) = p; prop p : all one(b, c);", "f").properties[0].atoms ==
        2);
}

TEST_CASE("residuals are false exactly after bad prefixes") {
  constexpr std::uint64_t a = 1, b = 2;
  CHECK(refuted("absent(a)", {0, b, a}));
  CHECK_FALSE(refuted("absent(a)", {0, b, 0}));
  CHECK(refuted("both(na, b)", {a}));
  CHECK(refuted("responds(a, b, within 2)", {a, 0, 0}));
  CHECK_FALSE(refuted("responds(a, b, within 2)", {a, 0, b}));
  CHECK_FALSE(refuted("responds(a, b)", {a, 0, 0, 0, 0}));
  CHECK(refuted("precedes(a, b)", {0, b}));
  CHECK_FALSE(refuted("precedes(a, b)", {a, b}));
  CHECK(refuted("cooldown(a, b, 2)", {a, 0, b}));
  CHECK_FALSE(refuted("cooldown(a, b, 2)", {a, 0, 0, b}));
  CHECK(refuted("a U b", {a, 0}));
  CHECK(refuted("run(a, 3)", {a, a, 0}));
  CHECK(refuted("X X false", {0, 0}));
  CHECK(refuted("G[2:4] a", {0, 0, a, a, 0}));
  CHECK_FALSE(refuted("G[2:3] a", {0, 0, a, a, 0}));
  CHECK(refuted("false", {}));
}

TEST_CASE("bounded responses keep few residuals") {
  Spec spec = spec_of("responds(a, b, within 200)");
  Progression monitor(spec.formulas, spec.properties[0].formula);
  std::set<std::size_t> seen{monitor.initial()};
  std::vector<std::size_t> open{monitor.initial()};
  while (!open.empty()) {
    const std::size_t r = open.back();
    open.pop_back();
    for (std::uint64_t letter = 0; letter < 4; ++letter) {
      const std::size_t next = monitor.step(r, letter);
      if (seen.insert(next).second) {
        open.push_back(next);
      }
    }
  }
  CHECK(seen.size() <= 203);
}

TEST_CASE("safety is decided on the normal form") {
  const auto safe = [](const std::string& f) {
    Spec spec = spec_of(f);
    return spec.formulas.is_safety(spec.properties[0].formula);
  };
  CHECK(safe("absent(a)"));
  CHECK(safe("precedes(a, b)"));
  CHECK(safe("responds(a, b, within 9)"));
  CHECK(safe("!(a U b)"));
  CHECK(safe("G !run(a, 3)"));
  CHECK_FALSE(safe("responds(a, b)"));
  CHECK_FALSE(safe("a U b"));
  CHECK_FALSE(safe("X[!] a"));
  CHECK_FALSE(safe("F[2:$] a"));
  CHECK_FALSE(safe("!(a W b)"));
}

TEST_CASE("unresolved and malformed specs are refused") {
  const std::string sha(64, '1');
  CHECK(parse_spec("spec \"a\\\"b\" version 2; use sae S = \"x\" sha256 " + sha +
                       "; ap f = feat(S/3) >= -0.5 band 0.25; prop p: all G f expect holds;",
                   "f")
            .atoms.at(0)
            .feature == 3);
  const std::string tail = "prop p : all true;";
  for (const std::string& bad :
       {std::string("spec \"s\" version 1;"),
        "spec s version 1;" + tail,
        "spec \"s\" version 1; class C = { \"a\" };" + tail,
        "spec \"s\" version 1; class C = /a/;" + tail,
        "spec \"s\" version 1; class C = ids { };" + tail,
        "spec \"s\" version 1; ap a = tok = \"x\";" + tail,
        "spec \"s\" version 1; use model M = \"m\";" + tail,
        "spec \"s\" version 1; use model M = \"m\" sha256 " + sha + "0;" + tail,
        "spec \"s\" version 1; ap f = feat(S/3) > 0;" + tail,
        kHead + "ap a = tok = id 1;" + tail,
        kHead + "ap G = tok = id 1;" + tail,
        kHead + "prop p : all a b;",
        kHead + "prop p : all d;",
        kHead + "prop p : G a;",
        kHead + "prop p : all F[3:2] a;",
        kHead + "prop p : all X[1:2] a;",
        kHead + "prop p : all a",
        kHead + tail + tail,
        kHead + "let x = x;" + tail,
        kHead + "let f(p) = p; prop p : all f(a, b);",
        kHead + "prop p : all run(a, 0);",
        kHead + "prop p : all G[0:99999] a;",
        kHead + "prop p : all " + std::string(2000, '(') + "a;",
        kHead + "prop p : all \"a\";",
        kHead + "prop p : all a ? b;"}) {
    INFO(bad);
    CHECK_THROWS_AS(parse_spec(bad, "f"), Reject);
  }
}
