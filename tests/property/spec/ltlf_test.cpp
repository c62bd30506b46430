#include <string>

#include "assay/base/errors.hpp"
#include "assay/spec/acceptor.hpp"
#include "assay/spec/progression.hpp"
#include "catch.hpp"
#include "ltlf_words.hpp"

using namespace assay::spec;
using assay::Random;
using assay::test::holds;
using assay::test::random_formula;
using assay::test::random_word;
using assay::test::Word;

namespace {

FormulaPtr formula(const std::string& ltl) {
  const std::string head =
      "spec \"t\" version 1; ap p = tok = id 0; ap q = tok = id 1; ap r = tok = id 2; ap s = tok = "
      "id 3; prop P: all ";
  return parse_spec(head + ltl + ";", "x").properties[0].formula;
}

std::uint32_t after(const Acceptor& a, const Word& w) {
  std::uint32_t q = 0;
  for (const std::uint64_t letter : w) {
    q = a.graph.next(q, a.graph.project(letter));
  }
  return q;
}

std::size_t states(const std::string& ltl) {
  return ltlf_acceptor(formula(ltl)).graph.states;
}

}  // namespace

TEST_CASE("LTLf: the automaton accepts exactly the words that satisfy the formula") {
  Random random(11);
  std::size_t words = 0;
  std::size_t accepted = 0;
  for (int n = 0; n < 1500; ++n) {
    const FormulaPtr f = random_formula(random, 3, 3, 6);
    Acceptor a;
    try {
      a = ltlf_acceptor(f);
    } catch (const assay::UsageError&) {
      continue;  // over a limit
    }
    for (int m = 0; m < 20; ++m) {
      const Word w = random_word(random, 1 + random.below(9), 8);
      INFO(formula_text(f, {}));
      REQUIRE(a.accepts(after(a, w)) == holds(*f, w, 0));
      ++words;
      accepted += holds(*f, w, 0) ? 1 : 0;
    }
  }
  REQUIRE(words > 25000);
  REQUIRE(accepted > 5000);
  REQUIRE(words - accepted > 5000);
}

TEST_CASE("LTLf: bounds up to 64 and words that reach beyond them") {
  Random random(12);
  const char* const shapes[] = {
      "G(p -> F[0:K] q)",
      "G(p -> X G[0:K] !q)",
      "F[K:64] p",
      "G[K:64] (p | q)",
      "G(p -> O[0:K] q)",
      "G(p -> H[1:K] !q)",
      "responds(p, q, within K) after r until s",
      "cooldown(p, q, K)",
      "responds(p, q, within K) before r",
      "F[3:K] (p & X[!] q)",
      "G(p -> (F[0:K] q | G[0:3] r))",
      "O[0:K] p -> F[0:K] q",
  };
  for (const char* shape : shapes) {
    for (const std::size_t k : {1, 2, 7, 31, 64}) {
      std::string ltl = shape;
      for (auto at = ltl.find('K'); at != std::string::npos; at = ltl.find('K')) {
        ltl.replace(at, 1, std::to_string(k));
      }
      if (ltl.rfind("F[3:", 0) == 0 && k < 3) {
        continue;
      }
      const FormulaPtr f = formula(ltl);
      const Acceptor a = ltlf_acceptor(f);
      for (int m = 0; m < 60; ++m) {
        Word w;
        for (std::size_t i = 1 + random.below(150); i > 0; --i) {  // aps are rare: long waits
          std::uint64_t letter = 0;
          for (std::size_t b = 0; b < 4; ++b) {
            letter |= std::uint64_t{random.below(1 + k) == 0} << b;
          }
          w.push_back(letter);
        }
        INFO(ltl);
        REQUIRE(a.accepts(after(a, w)) == holds(*f, w, 0));
      }
    }
  }
}

TEST_CASE("LTLf: minimal sizes of the patterns") {
  REQUIRE(states("G !p") == 2);
  REQUIRE(states("responds(p, q)") == 2);
  REQUIRE(states("precedes(p, q)") == 3);
  REQUIRE(states("G(p -> (!q W r))") == 3);
  REQUIRE(states("absent(p) between q and r") == 4);
  REQUIRE(states("responds(run(p, 3), q)") == 4);
  for (const std::size_t k : {1, 8, 32, 64, 256}) {
    REQUIRE(states("responds(p, q, within " + std::to_string(k) + ")") == k + 2);
    REQUIRE(states("cooldown(p, q, " + std::to_string(k) + ")") == k + 2);
  }
  REQUIRE(states("responds(p, q, within 32) & responds(r, s, within 32)") == 1090);
}

TEST_CASE("bounded responses need a state a position, before minimisation too") {
  Progression progression(formula("G(p -> F[0:32] q)"));
  for (Progression::State s = 0; s < progression.states(); ++s) {
    for (std::uint64_t letter = 0; letter < 4; ++letter) {
      (void)progression.next(s, letter);
    }
  }
  REQUIRE(progression.states() <= 35);
}

TEST_CASE("the patterns mean on finite runs what their authors wrote") {
  const std::pair<const char*, const char*> pairs[] = {
      {"absent(p) before r", "F r -> (!p U r)"},
      {"absent(p) after q", "G(q -> G !p)"},
      {"absent(p) between q and r", "G((q & !r & F r) -> (!p U r))"},
      {"absent(p) after q until r", "G((q & !r) -> (!p W r))"},
      {"exists(p)", "F p"},
      {"exists(p) before r", "!r W (p & !r)"},
      {"exists(p) after q", "G !q | F(q & F p)"},
      {"exists(p) between q and r", "G((q & !r) -> (!r W (p & !r)))"},
      {"exists(p) after q until r", "G((q & !r) -> (!r U (p & !r)))"},
      {"always(p) before r", "F r -> (p U r)"},
      {"always(p) after q", "G(q -> G p)"},
      {"always(p) between q and r", "G((q & !r & F r) -> (p U r))"},
      {"always(p) after q until r", "G((q & !r) -> (p W r))"},
      {"at_most 2(p)", "!p W (p & X(!p W (p & X G !p)))"},
      {"at_most 1(p) before r", "F r -> (!p U (r | (p & X(!p U r))))"},
      {"precedes(s, p) before r", "F r -> (!p U (s | r))"},
      {"precedes(s, p) after q", "G !q | F(q & (!p W s)) & (!q W (q & (!p W s)))"},
      {"precedes(s, p) between q and r", "G((q & !r & F r) -> (!p U (s | r)))"},
      {"precedes(s, p) after q until r", "G((q & !r) -> (!p W (s | r)))"},
      {"responds(p, s) before r", "F r -> ((p -> (!r U (s & !r))) U r)"},
      {"responds(p, s) after q", "G(q -> G(p -> F s))"},
      {"responds(p, s) between q and r", "G((q & !r & F r) -> ((p -> (!r U (s & !r))) U r))"},
      {"responds(p, s) after q until r", "G((q & !r) -> ((p -> (!r U (s & !r))) W r))"},
      {"p R q", "q W (p & q)"},
      {"p M q", "q U (p & q)"},
      {"first", "!Y true"},
      {"G !last", "false"},
      {"run(p, 3)", "p & X[!](p & X[!] p)"},
  };
  for (const auto& [pattern, meaning] : pairs) {
    INFO(pattern);
    const Acceptor a = ltlf_acceptor(formula(pattern), {0, 1, 2, 3});
    REQUIRE(is_equivalent(a, ltlf_acceptor(formula(meaning), {0, 1, 2, 3})));
    // and is not everything or nothing, so that a comparison means something
    if (std::string(pattern) != "G !last") {
      REQUIRE(shortest_run(a, true));
    }
    if (std::string(pattern) != "first") {
      REQUIRE(shortest_run(a, false));
    }
  }
}

TEST_CASE("scopes that ask nothing when their end never comes are decided by prefixes") {
  for (const char* ltl :
       {"absent(p) before r", "absent(p) between q and r", "exists(p) before r",
        "exists(p) between q and r", "always(p) before r", "at_most 3(p) between q and r",
        "precedes(s, p) before r", "precedes(s, p) between q and r", "precedes(s, p) after q",
        "responds(p, s) before r", "responds(p, s) between q and r",
        "responds(p, s, within 4) after q until r", "responds(p, s, within 4) before r",
        "G(p -> O[0:9] q)", "G(Y p -> H q)"}) {
    INFO(ltl);
    REQUIRE(is_safety(formula(ltl)));
  }
  REQUIRE_FALSE(is_safety(formula("exists(p) after q until r")));
  REQUIRE_FALSE(is_safety(formula("responds(p, s) after q until r")));
}

TEST_CASE("LTL3: holds and violated are kept by every way on, open by at least one each") {
  Random random(13);
  std::size_t decided = 0;
  for (int n = 0; n < 400; ++n) {
    const FormulaPtr f = random_formula(random, 2, 2, 4);
    const Acceptor a = ltlf_acceptor(f);
    const auto outlook = outlooks(a);
    for (int m = 0; m < 6; ++m) {
      Word w = random_word(random, 1 + random.below(6), 4);
      const Outlook now = outlook[after(a, w)];
      bool seen[2] = {false, false};
      for (int e = 0; e < 40; ++e) {
        Word longer = w;
        const Word more = random_word(random, random.below(8), 4);
        longer.insert(longer.end(), more.begin(), more.end());
        seen[holds(*f, longer, 0) ? 1 : 0] = true;
      }
      INFO(formula_text(f, {}));
      if (now != Outlook::open) {
        REQUIRE_FALSE(seen[now == Outlook::holds ? 0 : 1]);
        ++decided;
        continue;
      }
      // open: the automaton itself names a way on to either end
      Acceptor rest = a;
      for (const bool wanted : {true, false}) {
        bool found = a.accepts(after(a, w)) == wanted;
        std::vector<Word> tries{{}};
        for (std::size_t i = 0; i < tries.size() && !found && i < 20000; ++i) {
          for (std::uint64_t letter = 0; letter < 4 && !found; ++letter) {
            Word longer = tries[i];
            longer.push_back(letter);
            Word whole = w;
            whole.insert(whole.end(), longer.begin(), longer.end());
            found = holds(*f, whole, 0) == wanted;
            tries.push_back(longer);
          }
        }
        REQUIRE(found);
      }
    }
  }
  REQUIRE(decided > 300);
}

TEST_CASE("what is monitorable") {
  for (const char* ltl : {"G !p", "F p", "G(p -> F[0:4] q)", "p U q", "G(p -> (!q W r))"}) {
    INFO(ltl);
    REQUIRE(is_monitorable(ltlf_acceptor(formula(ltl))));
  }
  for (const char* ltl : {"G(p -> F q)", "G F p", "F G p"}) {
    INFO(ltl);
    REQUIRE_FALSE(is_monitorable(ltlf_acceptor(formula(ltl))));
  }
}

TEST_CASE("from and assume are worked into the claim") {
  const auto of = [](const std::string& claim) {
    return parse_spec(
               "spec \"t\" version 1; ap p = tok = id 0; ap q = tok = id 1; ap r = tok = id "
               "2; prop P: " +
                   claim + ";",
               "x")
        .properties[0]
        .formula;
  };
  const auto same = [&](const std::string& a, const std::string& b) {
    return is_equivalent(ltlf_acceptor(of(a), {0, 1, 2}), ltlf_acceptor(of(b), {0, 1, 2}));
  };
  REQUIRE(same("all G !p from q", "all G(q -> X G !p)"));
  REQUIRE(same("all G !p assume G q", "all (G q) -> (G !p)"));
  REQUIRE(same("all F p from q assume G r", "all (G r) -> G(q -> X F p)"));
  REQUIRE(same("some F p from q assume G r", "all (G r) & F(q & X[!] F p)"));
  REQUIRE_FALSE(same("all G !p from q", "all G !p"));
}

TEST_CASE("bad prefixes of formulas with past are those that no way on mends") {
  for (const char* ltl : {"G(p -> O[0:3] q)", "G(p -> H q)", "G((O p & !q) -> H[0:2] r)",
                          "absent(p) after q & O[1:2] r until s", "G(p -> F[0:3] Y q)",
                          "first -> G !p", "H p -> G(q -> O[2:5] p)"}) {
    INFO(ltl);
    const FormulaPtr f = formula(ltl);
    REQUIRE(is_safety(f));
    const Acceptor a = ltlf_acceptor(f, {0, 1, 2, 3});
    const auto outlook = outlooks(a);
    const Dfa dfa = bad_prefix_dfa(f);
    Random random(17);
    std::size_t bad = 0;
    for (int n = 0; n < 300; ++n) {
      std::uint32_t q = 0;
      Word w;
      for (int i = 0; i < 12; ++i) {
        w.push_back(random.below(16));
        q = dfa.next(q, dfa.project(w.back()));
        REQUIRE(dfa.bad[q] == (outlook[after(a, w)] == Outlook::violated));
        bad += dfa.bad[q] ? 1 : 0;
      }
    }
    REQUIRE(bad > 0);
    REQUIRE(bad < 3600);
  }
}
