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
  assay::Random random(2);
  for (int n = 0; n < 4000; ++n) {
    std::string text = kGood;
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
  for (std::size_t n = 0; n < kGood.size(); n += 3) {
    (void)parses(kGood.substr(0, n));
  }
}
