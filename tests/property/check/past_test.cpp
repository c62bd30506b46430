// Operators of the past, scopes and conditions: the checker's monitor against definitions written
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
      "spec \"s\" version 1; ap p = tok = id 1; ap q = tok = id 2; ap r = tok = id 3; ap late = "
      "pos "
      ">= 3; ap early = pos < 2; ap never = pos < 0; prop P : " +
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
      {"all G(p -> O[2:5] q)",
       [](const Word& w, std::size_t i) { return p(w, i) && !any_back(w, i, 2, 5, q); }},
      {"all G(p -> H[1:4] !q)",
       [](const Word& w, std::size_t i) { return p(w, i) && any_back(w, i, 1, 4, q); }},
      {"all G(p -> !O[3:$] q)",
       [](const Word& w, std::size_t i) { return p(w, i) && any_back(w, i, 3, 99, q); }},
      {"all absent(p) after q until r",
       [](const Word& w, std::size_t i) { return p(w, i) && inside(w, i); }},
      {"all always(!p) after q",
       [](const Word& w, std::size_t i) { return p(w, i) && any_back(w, i, 0, i, q); }},
      {"all absent(p) from q",
       [](const Word& w, std::size_t i) { return p(w, i) && i > 0 && any_back(w, i, 1, i, q); }},
      {"all at_most 2(p)",
       [](const Word& w, std::size_t i) {
         int count = 0;
         for (std::size_t k = 0; k <= i; ++k) {
           count += p(w, k) ? 1 : 0;
         }
         return count > 2;
       }},
      {"all absent(p) before r",
       [](const Word& w, std::size_t i) {
         return r(w, i) && !any_back(w, i, 1, i, r) && any_back(w, i, 1, i, p);
       }},
      {"all G(late -> !p)", [](const Word& w, std::size_t i) { return i >= 3 && p(w, i); }},
      {"all G(early | !p)", [](const Word& w, std::size_t i) { return i >= 2 && p(w, i); }},
      {"all G(!never & (first -> !p))",
       [](const Word& w, std::size_t i) { return i == 0 && p(w, i); }},
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

TEST_CASE("claims that no rule speaks of are read and marked; the rest of the file stays usable") {
  CHECK(spec_of("all G p").properties[0].unsupported.empty());
  CHECK(spec_of("all G p from q assume G r").properties[0].unsupported.empty());
  CHECK(spec_of("all G p from q assume G r").properties[0].text == "G p from q assume G r");
  CHECK(spec_of("all G p waive \"x\" until 2027-01-31").properties[0].unsupported.empty());
  CHECK_FALSE(spec_of("some F p").properties[0].unsupported.empty());
  CHECK_FALSE(
      spec_of("Pmax <= 0.01 [F p] from q horizon 9 conf 0.9").properties[0].unsupported.empty());
  CHECK_FALSE(parse_spec("spec \"s\" version 1; ap u = role = user; prop P : all G !u;", "f")
                  .properties[0]
                  .unsupported.empty());
  for (const char* bad : {"all O X p", "all G(Y F p)", "all O[33:40] p", "all absent(p) after X q",
                          "all G p from false", "all at_most 65(p)", "any G p", "all Y[1:2] p",
                          "all G p from q from r"}) {
    INFO(bad);
    CHECK_THROWS_AS(spec_of(bad), Reject);
  }
  // more operators of the past than a letter has room for
  std::string many = "all G(p";
  for (int i = 0; i < 40; ++i) {
    many += " & O[0:" + std::to_string(i + 1) + "] q";
  }
  Spec spec = spec_of(many + ")");
  CHECK_THROWS_AS(Progression(spec.formulas, spec.properties[0].formula), Reject);
}
