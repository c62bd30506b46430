#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/spec/dfa.hpp"
#include "assay/spec/print.hpp"
#include "assay/spec/spec.hpp"
#include "catch.hpp"

using namespace assay::spec;

namespace {

const std::string kGood =
    R"(spec "t" version 1; use sae T = "x" sha256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef;
class d = /[0-9]+/; class e = {"a", "\x00"}; class f = d \ e; ap A = tok in f; ap B = feat(T/3) >= 0.5 band 0.1;
let w(p) = p W !p; prop P: all G(A -> F[0:3] B) & w(A) doc "x" expect holds; prop Q: all cooldown(A, B, 4);)";

const std::string kWide =
    R"(spec "t" version 1; ap a = tok = id 1; ap b = pos >= 3; ap u = role = user; let l(p, q) = p R O[1:4] q;
prop P: all absent(a) after O[1:4] a until Y a from a assume H !u waive "x" until 2027-01-31;
prop Q: Pmin >= 0.5 [(at_most 2(a) between a & first and b) M l(a, b)] horizon 9 conf 0.9; prop R: some F[0:7] last;)";

/// Parses or refuses; nothing else.
bool parses(const std::string& text) {
  try {
    const std::string printed = print_spec(parse_spec(text, "x"));
    REQUIRE(print_spec(parse_spec(printed, "y")) == printed);
    return true;
  } catch (const assay::UsageError& e) {
    REQUIRE(std::string(e.what()).find(": expected ") != std::string::npos);
    return false;
  }
}

}  // namespace

TEST_CASE("random bytes are refused with a place") {
  assay::Random random(1);
  for (int n = 0; n < 3000; ++n) {
    std::string text;
    for (auto i = random.below(200); i > 0; --i) {
      text += static_cast<char>(random.below(256));
    }
    REQUIRE_FALSE(parses(text));
  }
}

TEST_CASE("mutated specs parse or are refused, and what parses prints stably") {
  REQUIRE(parses(kGood));
  REQUIRE(parses(kWide));
  assay::Random random(2);
  for (int n = 0; n < 8000; ++n) {
    std::string text = n % 2 == 0 ? kGood : kWide;
    for (auto i = 1 + random.below(3); i > 0; --i) {
      const auto at = random.below(text.size());
      switch (random.below(3)) {
        case 0:
          text[at] = static_cast<char>(random.below(128));
          break;
        case 1:
          text.erase(at, 1 + random.below(5));
          break;
        default:
          text.insert(at, text.substr(random.below(text.size()), 1 + random.below(6)));
      }
    }
    (void)parses(text);
  }
  for (std::size_t n = 0; n < kWide.size(); n += 3) {
    (void)parses(kWide.substr(0, n));
  }
  for (std::size_t n = 0; n < kGood.size(); n += 3) {
    (void)parses(kGood.substr(0, n));
  }
}

TEST_CASE("formulas that would need too much are refused by a limit, and their small kin is not") {
  const auto states = [](const std::string& ltl) {
    const Spec spec = parse_spec(
        "spec \"t\" version 1; ap a = tok = id 0; ap b = tok = id 1; ap c = tok "
        "= id 2; prop P: all " +
            ltl + ";",
        "x");
    return std::max(ltlf_acceptor(spec.properties[0].formula).graph.states,
                    bad_prefix_dfa(spec.properties[0].formula).states);
  };
  const auto repeated = [](std::size_t times, const std::string& part) {
    std::string out = part;
    for (std::size_t i = 1; i < times; ++i) {
      out += " & " + part;
    }
    return out;
  };
  std::string lookbacks = "G(a -> O[0:2] b)";
  for (int i = 0; i < 80; ++i) {
    lookbacks += " & G(a -> O[0:" + std::to_string(i + 3) + "] (b & Y c))";
  }
  REQUIRE_THROWS_AS(states(lookbacks), assay::UsageError);
  REQUIRE_THROWS_AS(states("G(a -> F[0:9000] b) & G(b -> F[0:9000] c)"), assay::UsageError);
  REQUIRE_THROWS_AS(states("F[0:20001] a"), assay::UsageError);
  REQUIRE_THROWS_AS(states("at_most 65(a)"), assay::UsageError);
  REQUIRE_THROWS_AS(states("O[33:34] a"), assay::UsageError);
  REQUIRE(states("G(a -> O[0:2] b) & G(a -> O[0:3] (b & Y c))") > 2);
  REQUIRE(states("G(a -> F[0:90] b)") == 92);
  REQUIRE(states("at_most 20(a)") == 22);
  REQUIRE(states(repeated(50, "G(a -> F[0:3] b)")) == 5);
}
