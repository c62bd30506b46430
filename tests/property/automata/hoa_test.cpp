#include "assay/automata/hoa.hpp"

#include "../spec/ltlf_words.hpp"
#include "assay/base/errors.hpp"
#include "catch.hpp"

using namespace assay;
using automata::Hoa;
using automata::parse_hoa;

namespace {

/// Whether the machine, read as an automaton of finite words, accepts a word.
bool accepts(const Hoa& hoa, const test::Word& w) {
  std::vector<bool> at(hoa.states, false);
  for (const std::size_t s : hoa.start) {
    at[s] = true;
  }
  for (const std::uint64_t letter : w) {
    std::vector<bool> next(hoa.states, false);
    for (const Hoa::Edge& edge : hoa.edges) {
      if (at[edge.from] && edge.label.holds(letter)) {
        next[edge.to] = true;
      }
    }
    at = next;
  }
  for (std::size_t s = 0; s < hoa.states; ++s) {
    if (at[s] && hoa.accepting[s]) {
      return true;
    }
  }
  return false;
}

const std::string kExample = R"hoa(HOA: v1
name: "not G(Harm -> (!Tool W Refuse))"
States: 3
Start: 0
AP: 3 "Harm" "Tool" "Refuse"
acc-name: Buchi
Acceptance: 1 Inf(0)
properties: trans-labels explicit-labels state-acc deterministic complete terminal
--BODY--
State: 0
[!0 | 2] 0
[0 & !2 & !1] 1
[0 & !2 & 1] 2
State: 1
[2] 0
[!2 & !1] 1
[!2 & 1] 2
State: 2 {0}
[t] 2
--END--
)hoa";

std::string error_of(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  try {
    (void)parse_hoa(text, "x.hoa");
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("property automata survive writing and reading: same language, same bytes") {
  Random random(21);
  std::size_t accepted = 0;
  for (int n = 0; n < 250; ++n) {
    const spec::FormulaPtr f = test::random_formula(random, 3, 3, 5);
    spec::Acceptor a;
    try {
      a = spec::ltlf_acceptor(f, {0, 1, 2});
    } catch (const UsageError&) {
      continue;
    }
    const Hoa hoa = automata::to_hoa(a, {"a", "b \"quoted\"", "feat(L12/7)>=3"}, "x \\ y");
    const std::string text = automata::to_hoa(hoa);
    const Hoa back = parse_hoa(text, "x.hoa");
    REQUIRE(back == hoa);
    REQUIRE(automata::to_hoa(back) == text);
    for (int m = 0; m < 20; ++m) {
      const test::Word w = test::random_word(random, 1 + random.below(7), 8);
      REQUIRE(accepts(back, w) == test::holds(*f, w, 0));
      accepted += accepts(back, w) ? 1 : 0;
    }
  }
  REQUIRE(accepted > 500);
}

TEST_CASE("a machine of the reference is read: it accepts the words that its formula refutes") {
  const Hoa hoa = parse_hoa(kExample, "x.hoa");
  REQUIRE(hoa.aps == std::vector<std::string>{"Harm", "Tool", "Refuse"});
  REQUIRE(hoa.buchi);
  REQUIRE_FALSE(hoa.finite_words);
  const auto f = spec::parse_spec(
                     "spec \"t\" version 1; ap Harm = tok = id 0; ap Tool = tok = id "
                     "1; ap Refuse = tok = id 2; prop P: all G(Harm -> (!Tool W "
                     "Refuse));",
                     "x")
                     .properties[0]
                     .formula;
  Random random(22);
  std::size_t refuted = 0;
  for (int n = 0; n < 3000; ++n) {
    const test::Word w = test::random_word(random, 1 + random.below(8), 8);
    REQUIRE(accepts(hoa, w) == !test::holds(*f, w, 0));
    refuted += accepts(hoa, w) ? 1 : 0;
  }
  REQUIRE(refuted > 300);
}

TEST_CASE("implicit labels, state labels, aliases, comments and edge marks are read") {
  const Hoa hoa = parse_hoa(R"(HOA: v1 /* a /* nested */ comment */ States: 3 Start: 0 Start: 2
AP: 2 "a" "b" Alias: @ab 0 & 1 Acceptance: 1 Inf(0) tool: "x" "1" custom-thing: 3 "y" @z
--BODY--
State: 0 "zero" 0 1 {0} 2 0
State: [@ab | !(0 | f)] 1 {0} 2
State: 2 [!@ab] 0 {} [t] 1
--END--
)",
                            "x.hoa");
  REQUIRE(hoa.start == std::vector<std::size_t>{0, 2});
  REQUIRE(hoa.edges.size() == 7);
  REQUIRE(hoa.edges[1].accepting);
  REQUIRE_FALSE(hoa.edges[0].accepting);
  REQUIRE(hoa.edges[3].label.holds(3));  // the fourth implicit letter: a & b
  REQUIRE_FALSE(hoa.edges[3].label.holds(1));
  REQUIRE(hoa.edges[4].accepting);  // by its state
  REQUIRE(hoa.edges[4].label.holds(3));
  REQUIRE(hoa.edges[4].label.holds(0));
  REQUIRE_FALSE(hoa.edges[4].label.holds(1));
  REQUIRE(hoa.edges[5].label.holds(1));
  REQUIRE_FALSE(hoa.edges[5].label.holds(3));
}

TEST_CASE("what is wrong or not read is said with its line") {
  REQUIRE(error_of(kExample, "HOA: v1", "HOA: v2").find("x.hoa:1: expected version") == 0);
  REQUIRE(error_of(kExample, "[2] 0\n", "[3] 0\n").find("x.hoa:15: expected an ap below 3") == 0);
  REQUIRE(error_of(kExample, "[2] 0\n", "[2] 7\n").find("x.hoa:15: expected a state below 3") == 0);
  REQUIRE(error_of(kExample, "[2] 0\n", "[2 & ] 0\n").find("x.hoa:15: expected an ap") == 0);
  REQUIRE(error_of(kExample, "[2] 0\n", "[2] 0&1\n").find("alternation") != std::string::npos);
  REQUIRE(error_of(kExample, "[2] 0\n", "2 0\n").find("2^aps edges") == std::string::npos);
  REQUIRE_FALSE(error_of(kExample, "[2] 0\n", "0\n").empty());
  REQUIRE(error_of(kExample, "State: 1", "State: 0").find("each state once") != std::string::npos);
  REQUIRE(error_of(kExample, "1 Inf(0)", "2 Inf(0)&Fin(1)").find("x.hoa:7: expected acceptance") ==
          0);
  REQUIRE(error_of(kExample, "Start: 0", "Start: 0 & 1").find("alternation") != std::string::npos);
  REQUIRE(error_of(kExample, "acc-name", "Weird").find("changes what the automaton means") !=
          std::string::npos);
  REQUIRE(error_of(kExample, "States: 3", "States: 2000000").find("1000000 states") !=
          std::string::npos);
  REQUIRE(error_of(kExample, "AP: 3", "AP: 4").find("4 aps as strings") != std::string::npos);
  REQUIRE(error_of(kExample, "\"Tool\"", "\"Harm\"").find("different names") != std::string::npos);
  REQUIRE(error_of(kExample, "--END--\n", "").find("the end of the file") != std::string::npos);
  REQUIRE(error_of(kExample, "--END--", "--ABORT--").find("--ABORT--") != std::string::npos);
  REQUIRE(error_of(kExample, "[t]", "[" + std::string(5000, '(') + "t]").find("smaller label") !=
          std::string::npos);
  REQUIRE(error_of(kExample, "name: \"not", "name: /* \"not").find("'*/'") != std::string::npos);
  Random random(23);
  for (int n = 0; n < 2000; ++n) {  // mutated files are read or refused, nothing else
    std::string text = kExample;
    text[random.below(text.size())] = static_cast<char>(random.below(128));
    text.erase(random.below(text.size()), random.below(4));
    try {
      (void)parse_hoa(text, "x.hoa");
    } catch (const InputError& e) {
      REQUIRE(std::string(e.what()).find("x.hoa:") == 0);
    }
  }
}
