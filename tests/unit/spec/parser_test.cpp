#include <string>

#include "assay/base/errors.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/print.hpp"
#include "assay/spec/spec.hpp"
#include "catch.hpp"

using assay::spec::parse_spec;

namespace {

const std::string kHead = "spec \"t\" version 1;\n";

std::string whole_error_of(const std::string& text) {
  try {
    (void)parse_spec(text, "a.spec");
  } catch (const assay::UsageError& e) {
    return e.what();
  }
  return "";
}

/// Its first line: place, what was expected, what was found.
std::string error_of(const std::string& text) {
  const std::string error = whole_error_of(text);
  return error.substr(0, error.find('\n'));
}

}  // namespace

TEST_CASE("every production is read and printed back to the same bytes") {
  const std::string text = R"(# a comment
spec "demo \x41" version 3;
use model M = "model"; use sae T = "tc" ; use readout P = "p.json";
class digit = /[0-9]/; class lt = {"<", "\n"}; class some = ids {7, 3, 3}; class both = digit | lt;
ap D = tok in digit; ap L = tok = "<"; ap I = tok = id 4;
ap B = feat(T/best_feature(digit, "blocks.0.hook_resid_mid")) > 0; ap N = feat(T/12) >= 0.50 band 0.125;
ap Q = read(P) <= -1.5;
let twice(p, q) = p & X[!] p | (q);
let plain = D   -> L;
prop P1: all absent( twice(D, L) ) doc "a \"quoted\" text" severity high owner "me" expect holds;
prop P2: all G( D -> X G[0:3] !L ) & (L U D) & (plain W true) <-> !F[2:$] I;
prop P3: all responds(D, L, within 8) & precedes(D, L) & cooldown(D, L, 4) & absent(run(B, 3)) & exists(Q) & always(N | !N);
)";
  const auto spec = parse_spec(text, "a.spec");
  REQUIRE(spec.name == "demo A");
  REQUIRE(spec.atoms.size() == 6);
  REQUIRE(spec.atoms[4].threshold == assay::Rational{1, 2});
  REQUIRE(spec.classes[2].ids.size() == 2);
  REQUIRE(spec.properties[0].attributes.at("doc") == "a \"quoted\" text");
  REQUIRE(spec.properties[1].text ==
          "G(D -> X G[0:3] !L) & (L U D) & (plain W true) <-> !F[2:$] I");
  REQUIRE_FALSE(spec.is_resolved());
  const std::string once = print_spec(spec);
  REQUIRE(print_spec(parse_spec(once, "b.spec")) == once);
}

TEST_CASE("an error names line, column, what was expected and what was found") {
  REQUIRE(error_of("spec \"t\" version 1;\nprop P: all G (a;\n") ==
          "a.spec:2:16: expected the name of an ap or let declared above, found 'a'");
  REQUIRE(error_of(kHead + "prop P: all true") ==
          "a.spec:2:17: expected an operator, an attribute or ';', found the end of the file");
  REQUIRE(error_of(kHead + "use file M = \"x\";") ==
          "a.spec:2:5: expected 'model', 'sae' or 'readout', found 'file'");
  REQUIRE(error_of(kHead + "ap A = tok in c;") ==
          "a.spec:2:15: expected the name of a class declared above, found 'c'");
  REQUIRE(error_of(kHead + "ap A = feat(S/1) > 0;") ==
          "a.spec:2:13: expected the name of a 'use sae' declared above, found 'S'");
  REQUIRE(error_of(kHead + "class c = ids {1}; class c = ids {2};") ==
          "a.spec:2:26: expected a new name, found 'c', which is declared above");
  REQUIRE(error_of(kHead + "let f(x) = f(x);") ==
          "a.spec:2:12: expected the name of an ap or let declared above, found 'f'");
  REQUIRE(error_of(kHead + "let f(x) = x; prop P: all f(true, false);") ==
          "a.spec:2:27: expected 'f' with 1 argument, found 2");
  REQUIRE(error_of(kHead + "prop P: all F[3:2] true;").find("2:15: expected ascending") !=
          std::string::npos);
  REQUIRE(error_of(kHead + "let a = \"x").find("expected '\"' to end the string") !=
          std::string::npos);
  REQUIRE(error_of(kHead + "class c = {\"\\q\"};").find("escapes") != std::string::npos);
  REQUIRE(error_of(kHead + "use model M = \"x\" sha256 12AB;").find("64 lowercase") !=
          std::string::npos);
  REQUIRE(error_of(kHead + "let X = true;").find("word of the language") != std::string::npos);
}

TEST_CASE("an error shows the line, a caret and a fix") {
  REQUIRE(whole_error_of(kHead + "ap Harm = tok = id 1;\nprop P: all G !Hram;") ==
          "a.spec:3:16: expected the name of an ap or let declared above, found 'Hram'\n"
          "    prop P: all G !Hram;\n"
          "                   ^\n"
          "  did you mean 'Harm'?");
  const auto fix = [](const std::string& ltl) {
    const std::string error =
        whole_error_of(kHead + "ap a = tok = id 1; ap b = tok = id 2; prop P: all " + ltl + ";");
    return error.substr(error.rfind('\n') + 1);
  };
  REQUIRE(fix("a && b") == "  write '&' once");
  REQUIRE(fix("a || b") == "  write '|' once");
  REQUIRE(fix("a => b") == "  write '->' for 'implies'");
  REQUIRE(fix("a == b") == "  write '<->' between formulas");
  REQUIRE(fix("[] a") == "  write 'G' for 'always'");
  REQUIRE(fix("F[0..3] a") == "  write ':' between the bounds, as in F[0:3]");
  REQUIRE(fix("F[0,3] a") == "  write ':' between the bounds, as in F[0:3]");
  REQUIRE(fix("X[2:3] a") == "  X takes no bounds; write F[k:k] (strong) or G[k:k] (weak)");
  REQUIRE(fix("Y[1:1] a") == "  write O[k:k] for k positions before");
  REQUIRE(fix("a and b") == "  write '&'");
  REQUIRE(fix("not a") == "  write '!'");
  REQUIRE(fix("absnt(a)") == "  did you mean 'absent'?");
  REQUIRE(fix("O X a") == "  move the operator of the past inwards");
  REQUIRE(fix("G a horizon 3") == "  bound the formula itself, as in F[0:63]");
  REQUIRE(fix("G a severty high") == "  did you mean 'severity'?");
  REQUIRE(fix("absent(a) after b & F a") ==
          "  put the pattern and its scope in brackets when something follows");
}

TEST_CASE("claims, attributes, roles and positions are read and printed back") {
  const std::string text = R"(spec "t" version 1;
ap A = role = user; ap B = tok = id 2; ap Late = pos >= 3;
let since(p) = O p;
prop P1: all absent(A) after B until since(A) from B assume G !(A & B) doc "d" expect unknown;
prop P2: some F (A R B) from A | B;
prop P3: Pmax <= 0.001 [!A U (B & H[0:3] !A)] from A horizon 64 conf 0.99 owner "x" severity low;
prop P4: all G(Late -> at_most 2(B)) waive "known, see the log" until 2027-01-31;
prop P5: all (precedes(A, B) between A and B) & (first -> B M A) & !last;
)";
  const auto spec = parse_spec(text, "a.spec");
  using Claim = assay::spec::Property::Claim;
  REQUIRE(spec.properties[0].claim_text() ==
          "all absent(A) after B until since(A) from B assume G !(A & B)");
  REQUIRE(spec.properties[1].claim == Claim::some);
  REQUIRE(spec.properties[2].claim == Claim::pmax);
  REQUIRE(spec.properties[2].probability == assay::Rational{1, 1000});
  REQUIRE(spec.properties[2].attributes.at("horizon") == "64");
  REQUIRE(spec.properties[3].waived_until == "2027-01-31");
  REQUIRE(assay::spec::atoms_of(spec.properties[3].formula) == std::vector<std::size_t>{1});
  const std::string once = print_spec(spec);
  REQUIRE(print_spec(parse_spec(once, "b.spec")) == once);
  REQUIRE(beyond_universal(spec, spec.properties[0]).find("roles") != std::string::npos);
  REQUIRE_FALSE(beyond_universal(spec, spec.properties[1]).empty());
  REQUIRE_FALSE(beyond_universal(spec, spec.properties[2]).empty());
  REQUIRE(beyond_universal(spec, spec.properties[3]).empty());
  for (const char* bad :
       {"prop P: Pmax <= 1.5 [true];", "prop P: Pmax 0.5 [true];", "prop P: Pmin >= 0.5 true;",
        "prop P: all true waive \"x\" until 2027-13-01;",
        "prop P: all true waive \"x\" until soon;", "prop P: all true doc \"a\" doc \"b\";",
        "prop P: all true from true from true;", "prop P: all true from X true;",
        "prop P: all at_most 65(true);", "prop P: any true;", "ap A = pos >= 20001;",
        "ap A = role = \"user\";", "let between = true;", "let o(p) = O p; prop P: all o(X true);",
        "prop P: all O[33:40] true;", "prop P: all absent(true) between true;"}) {
    INFO(bad);
    REQUIRE(error_of(kHead + bad).find(": expected ") != std::string::npos);
  }
}

TEST_CASE("depth and size are limited") {
  const std::string deep = kHead + "prop P: all " + std::string(100000, '(') + "true;";
  REQUIRE(error_of(deep).find("nested levels") != std::string::npos);
  REQUIRE(error_of(kHead + "prop P: all " + std::string(100000, '!') + "true;").find("nested") !=
          std::string::npos);
  std::string lets = kHead + "let a0(x) = x & x;";
  for (int i = 1; i < 64; ++i) {
    lets += "let a" + std::to_string(i) + "(x) = a" + std::to_string(i - 1) + "(x) & a" +
            std::to_string(i - 1) + "(x);";
  }
  REQUIRE(error_of(lets).find("nodes once expanded") != std::string::npos);
  std::string chain = kHead + "prop P: all true";
  for (int i = 0; i < 5000; ++i) {
    chain += " -> true";
  }
  REQUIRE(error_of(chain + ";").find("nested levels") != std::string::npos);
  REQUIRE_FALSE(error_of(kHead + std::string(2 << 20, ' ')).empty());
}

TEST_CASE("safety is decided on the negation normal form") {
  const auto safe = [](const std::string& ltl) {
    const auto spec = parse_spec(
        kHead + "class c = ids {1}; ap a = tok in c; ap b = tok = id 2; prop P: all " + ltl + ";",
        "s");
    return assay::spec::is_safety(spec.properties[0].formula);
  };
  for (const char* ltl :
       {"G !a", "absent(a & X[!] b)", "absent(run(a, 3))", "responds(a, b, within 9)",
        "precedes(a, b)", "cooldown(a, b, 2)", "!F a", "!(a U b)", "X a"}) {
    INFO(ltl);
    REQUIRE(safe(ltl));
  }
  for (const char* ltl : {"F a", "a U b", "responds(a, b)", "exists(a)", "X[!] a", "!X a", "!G a",
                          "!(a W b)", "F[3:$] a"}) {
    INFO(ltl);
    REQUIRE_FALSE(safe(ltl));
  }
}
