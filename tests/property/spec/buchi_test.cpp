// The automaton of endless runs against the formula's definition on lassos.
#include "assay/spec/buchi.hpp"

#include <string>

#include "assay/base/errors.hpp"
#include "catch.hpp"
#include "lasso_words.hpp"
#include "ltlf_words.hpp"

using namespace assay::spec;
using assay::Random;
using assay::test::LassoWord;
using assay::test::random_formula;
using assay::test::random_word;
using assay::test::Word;

namespace {

FormulaPtr formula(const std::string& ltl) {
  const std::string head =
      "spec \"t\" version 1; ap p = tok = id 0; ap q = tok = id 1; ap r = tok = id 2; prop P: all ";
  return parse_spec(head + ltl + ";", "x").properties[0].formula;
}

/// Some way through the automaton over stem · loop^ω meets accepting states for ever.
bool accepts(const Buchi& b, const Word& stem, const Word& loop) {
  Word word = stem;
  word.insert(word.end(), loop.begin(), loop.end());
  const auto reach = [&](std::vector<std::pair<std::size_t, std::uint32_t>> open) {
    std::vector<std::vector<bool>> seen(word.size(), std::vector<bool>(b.states(), false));
    while (!open.empty()) {
      const auto [at, state] = open.back();
      open.pop_back();
      const std::size_t next = at + 1 < word.size() ? at + 1 : stem.size();
      for (const std::uint32_t to : b.next(state, b.project(word[at]))) {
        if (!seen[next][to]) {
          seen[next][to] = true;
          open.emplace_back(next, to);
        }
      }
    }
    return seen;
  };
  std::vector<std::pair<std::size_t, std::uint32_t>> start;
  for (const std::uint32_t s : b.initial) {
    start.emplace_back(0, s);
  }
  const auto met = reach(start);
  for (std::size_t at = stem.size(); at < word.size(); ++at) {
    for (std::uint32_t s = 0; s < b.states(); ++s) {
      const bool is_first =
          at == 0 && std::find(b.initial.begin(), b.initial.end(), s) != b.initial.end();
      if ((met[at][s] || is_first) && b.accepting[s] && reach({{at, s}})[at][s]) {
        return true;
      }
    }
  }
  return false;
}

std::size_t states(const std::string& ltl) {
  return buchi(formula(ltl)).states();
}

}  // namespace

TEST_CASE("Büchi: the automaton accepts exactly the lassos that satisfy the formula") {
  Random random(21);
  std::size_t yes = 0, no = 0, over = 0;
  for (int n = 0; n < 800; ++n) {
    const FormulaPtr f = random_formula(random, 3, 2, 4);
    Buchi b;
    try {
      b = buchi(f);
    } catch (const assay::UsageError&) {
      ++over;
      continue;
    }
    bool some = false;
    for (int m = 0; m < 12; ++m) {
      const Word stem = random_word(random, random.below(4), 4);
      const Word loop = random_word(random, 1 + random.below(4), 4);
      const bool expected = LassoWord(stem, loop).holds(*f);
      INFO(formula_text(f, {}));
      REQUIRE(accepts(b, stem, loop) == expected);
      ++(expected ? yes : no);
      some = some || expected;
    }
    REQUIRE((!some || !b.is_empty()));
  }
  REQUIRE(yes > 2000);
  REQUIRE(no > 2000);
  REQUIRE(over < 100);
}

TEST_CASE("Büchi: sizes of the usual shapes, and what no run satisfies") {
  REQUIRE(states("G !p") == 1);
  REQUIRE(states("F p") <= 3);
  REQUIRE(states("!G(p -> F q)") <= 4);
  REQUIRE(states("!responds(p, q) after r until q") <= 8);
  REQUIRE(states("!G(p -> F[0:64] q)") <= 70);
  REQUIRE(buchi(formula("G p & F !p")).is_empty());
  REQUIRE(buchi(formula("F G p & G F !p")).is_empty());
  REQUIRE(!buchi(formula("G F p & G F !p")).is_empty());
}
