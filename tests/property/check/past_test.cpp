// Operators of the past and what scopes and conditions are written out to: the checker's monitor against definitions written
// out by hand over words.
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "progression.hpp"
#include "reject.hpp"
#include "spec.hpp"

using namespace assay_check;

namespace {

using Word = std::vector<unsigned>;  // bits: 1 = p, 2 = q, 4 = r

bool p(const Word& w, std::size_t i) {
  return (w[i] & 1U) != 0;
}
bool q(const Word& w, std::size_t i) {
  return (w[i] & 2U) != 0;
}
bool r(const Word& w, std::size_t i) {
  return (w[i] & 4U) != 0;
}

Spec spec_of(const std::string& claim) {
  return parse_spec(
      "spec \"s\" version 1; ap p = tok = id 1; ap q = tok = id 2; ap r = tok = id 3; prop P : " +
          claim + ";",
      "f");
}

/// Some position of the word for which `wrong` is true.
using Wrong = std::function<bool(const Word&, std::size_t)>;

bool any_back(const Word& w, std::size_t i, std::size_t lo, std::size_t hi,
              bool (*f)(const Word&, std::size_t)) {
  for (std::size_t k = lo; k <= hi && k <= i; ++k) {
    if (f(w, i - k)) {
      return true;
    }
  }
  return false;
}

/// Whether i lies after a q (inclusive) without an r since (i inclusive).
bool inside(const Word& w, std::size_t i) {
  for (std::size_t k = i + 1; k-- > 0;) {
    if (r(w, k)) {
      return false;
    }
    if (q(w, k)) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("the checker's monitor refutes exactly the words that a definition refutes") {
  const std::pair<const char*, Wrong> cases[] = {
      {"all G(p -> Y q)",
       [](const Word& w, std::size_t i) { return p(w, i) && (i == 0 || !q(w, i - 1)); }},
      {"all G(p -> !Y q)",
       [](const Word& w, std::size_t i) { return p(w, i) && i > 0 && q(w, i - 1); }},
      {"all G(p -> O q)",
       [](const Word& w, std::size_t i) { return p(w, i) && !any_back(w, i, 0, i, q); }},
      {"all G(p -> !H q)",
       [](const Word& w, std::size_t i) {
         bool all = true;
         for (std::size_t k = 0; k <= i; ++k) {
           all = all && q(w, k);
         }
         return p(w, i) && all;
       }},
      {"all G(p -> O[0:3] q)",
       [](const Word& w, std::size_t i) { return p(w, i) && !any_back(w, i, 0, 3, q); }},
      {"all G(p -> Y Y O[0:3] q)",
       [](const Word& w, std::size_t i) { return p(w, i) && !any_back(w, i, 2, 5, q); }},
      {"all G(p -> !Y O[0:3] q)",
       [](const Word& w, std::size_t i) { return p(w, i) && any_back(w, i, 1, 4, q); }},
      {"all G(p -> !Y Y Y O[0:$] q)",
       [](const Word& w, std::size_t i) { return p(w, i) && any_back(w, i, 3, 99, q); }},
      {"all G((q & !r) -> (!p W r))",
       [](const Word& w, std::size_t i) { return p(w, i) && inside(w, i); }},
      {"all G(q -> G !p)",
       [](const Word& w, std::size_t i) { return p(w, i) && any_back(w, i, 0, i, q); }},
      {"all G(q -> X G !p)",
       [](const Word& w, std::size_t i) { return p(w, i) && i > 0 && any_back(w, i, 1, i, q); }},
      {"all !p W (p & X(!p W (p & X G !p)))",
       [](const Word& w, std::size_t i) {
         int count = 0;
         for (std::size_t k = 0; k <= i; ++k) {
           count += p(w, k) ? 1 : 0;
         }
         return count > 2;
       }},
      {"all !p W (r | G !r)",
       [](const Word& w, std::size_t i) {
         return r(w, i) && !any_back(w, i, 1, i, r) && any_back(w, i, 1, i, p);
       }},
      {"all G(!O[0:2] !Y true -> !p)",
       [](const Word& w, std::size_t i) { return i >= 3 && p(w, i); }},
      {"all G(O[0:1] !Y true | !p)",
       [](const Word& w, std::size_t i) { return i >= 2 && p(w, i); }},
      {"all G(!Y true -> !p)", [](const Word& w, std::size_t i) { return i == 0 && p(w, i); }},
      {"all precedes(q, p)",
       [](const Word& w, std::size_t i) { return p(w, i) && !any_back(w, i, 0, i, q); }},
  };
  std::mt19937_64 random(5);
  for (const auto& [claim, wrong] : cases) {
    INFO(claim);
    Spec spec = spec_of(claim);
    REQUIRE(spec.formulas.is_safety(spec.properties[0].formula));
    std::size_t refuted = 0;
    for (int trial = 0; trial < 400; ++trial) {
      Progression monitor(spec.formulas, spec.properties[0].formula);
      Word w;
      bool bad = false;
      std::size_t at = monitor.initial();
      for (std::size_t i = 0; i < 12; ++i) {
        w.push_back(static_cast<unsigned>(random() & random() & 7U));
        bad = bad || wrong(w, i);
        at = monitor.step(at, w.back());
        REQUIRE(monitor.is_false(at) == bad);
      }
      refuted += bad ? 1 : 0;
    }
    CHECK(refuted > 5);
    CHECK(refuted < 400);
  }
}

TEST_CASE("bounded H is O of the negation, negated, and memory is kept apart for each") {
  std::mt19937_64 random(6);
  for (const auto& [f, g] :
       {std::pair{"G(p -> H[0:3] q)", "G(p -> !O[0:3] !q)"},
        std::pair{"G(H p | O[0:2] q)", "G(!O !p | O[0:2] q)"},
        std::pair{"G !(Y p <-> O[0:1] q)", "G((Y p & !O[0:1] q) | (!Y p & O[0:1] q))"}}) {
    Spec a = spec_of(std::string("all ") + f), b = spec_of(std::string("all ") + g);
    for (int trial = 0; trial < 200; ++trial) {
      Progression left(a.formulas, a.properties[0].formula);
      Progression right(b.formulas, b.properties[0].formula);
      std::size_t i = left.initial(), j = right.initial();
      for (int n = 0; n < 12; ++n) {
        const std::uint64_t letter = random() & 7U;
        i = left.step(i, letter);
        j = right.step(j, letter);
        REQUIRE(left.is_false(i) == right.is_false(j));
      }
    }
  }
}

TEST_CASE("claims that no rule speaks of are read over and marked; the rest stays usable") {
  CHECK(spec_of("all G p").properties[0].supported);
  CHECK(spec_of("all G p waive \"x;\" until 2027-01-31").properties[0].supported);
  CHECK(spec_of("some F p").properties[0].supported);
  CHECK_FALSE(spec_of("Pmax <= 0.01 [F p] from q doc \"a;b\" horizon 9").properties[0].supported);
  CHECK_FALSE(parse_spec("spec \"s\" version 1; ap u = role = user; prop P : all G !u;", "f")
                  .properties[0]
                  .supported);
  // what the resolver writes out in core operators is refused by its word
  for (const char* bad :
       {"all G p from q", "all G p assume q", "all absent(p) after q", "all p R q",
        "all at_most 2(p)", "all first -> p", "all O[1:2] p", "all Y[1:2] p", "any_other ("}) {
    INFO(bad);
    CHECK_THROWS_AS(spec_of(bad), Reject);
  }
  for (const char* bad : {"all O X p", "all G(p -> Y F q)"}) {
    INFO(bad);
    Spec spec = spec_of(bad);
    Progression monitor(spec.formulas, spec.properties[0].formula);
    CHECK_THROWS_AS(monitor.step(monitor.initial(), 1), Reject);
  }
  // equivalences nested under the past are a small graph and a huge tree
  std::string nested = "p";
  for (int i = 0; i < 60; ++i) {
    nested = "(q <-> " + nested + ")";
  }
  Spec spec = spec_of("all G(p -> O " + nested + ")");
  Progression monitor(spec.formulas, spec.properties[0].formula);
  std::size_t at = monitor.initial();
  for (std::uint64_t n = 0; n < 50; ++n) {
    at = monitor.step(at, n & 3U);
  }
  CHECK(at < 1000);
}
