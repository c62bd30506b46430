// Kind level: invariants over the exact numbers of levels, written by hand from docs/certificate-format.md. Each condition with what it
// refuses; the untouched control is accepted.
#include "check_sample.hpp"

using namespace check_test;

namespace {

using Lines = std::vector<std::string>;

const std::string kFree =
    "HOA: v1\nStates: 1\nStart: 0\nAP: 2 \"A\" \"B\"\nAcceptance: 0 t\n--BODY--\nState: 0\n[t] "
    "0\n--END--\n";
const std::string kHead = "spec \"t\" version 1;\nap A = tok = id 0; ap B = tok = id 1;\n";
const std::string kLeaky =
    kHead + "level heat = 0 when A: 0.9*heat + 1 else 0.9*heat;\nap Z = heat >= 10;\n";

struct LevelCase : Case {
  std::string machine = kFree, spec;
  Lines steps;

  LevelCase(std::string statement, Lines proof)
      : spec(std::move(statement)), steps(std::move(proof)) {
    inputs.machine = (folder.path() / "m.hoa").string();
    inputs.spec = (folder.path() / "t.spec").string();
  }
  /// "" when it is accepted, else the reason.
  std::string said() {
    write_file(*inputs.machine, machine);
    write_file(*inputs.spec, spec);
    lines = {"assay-cert 1", "kind level", "semantics REAL", "machine " + digest(*inputs.machine),
             "statement " + digest(*inputs.spec)};
    lines.insert(lines.end(), steps.begin(), steps.end());
    lines.push_back("end " + std::to_string(steps.size()));
    const auto outcome = check();
    return outcome.accepted ? "" : outcome.lines.back().substr(outcome.lines.back().find(": ") + 2);
  }
  /// What is said of other steps, another spec or another machine.
  std::string said_of(const Lines& other) {
    const Lines good = std::exchange(steps, other);
    const std::string out = said();
    steps = good;
    return out;
  }
  std::string said_of_spec(const std::string& from, const std::string& to) {
    const std::string good = spec;
    REQUIRE(spec.find(from) != std::string::npos);
    spec.replace(spec.find(from), from.size(), to);
    const std::string out = said();
    spec = good;
    return out;
  }
  std::string said_of_machine(const std::string& other) {
    const std::string good = std::exchange(machine, other);
    const std::string out = said();
    machine = good;
    return out;
  }
};

Lines with(Lines steps, const std::string& from, const std::string& to) {
  for (std::string& line : steps) {
    if (line.rfind(from, 0) == 0) {
      line = to;
      return steps;
    }
  }
  throw std::runtime_error("no step " + from);
}
Lines without(Lines steps, const std::string& from) {
  steps.erase(std::find_if(steps.begin(), steps.end(),
                           [&](const auto& s) { return s.rfind(from, 0) == 0; }));
  return steps;
}

const std::string kDfa = "d DFA P : 2 0 B 1 T 0 1 1 1", kEnd = "P LEVEL-INV d :";

/// heat < 10, kept by 0.9 heat and by 0.9 heat + 1.
LevelCase leaky() {
  return {kLeaky + "prop P: all G !Z;\n",
          {kDfa, "c CELL d : 0 0 1 < 10 1 0 1",
           "s STEP c : 0 ? e 2 0 9/10 1 1 c 0 1 0 9/10 ? e 2 0 9/10 1 1 c 0 1 1 1", kEnd}};
}
/// 1 - 2x cut to [-1, 1], in two halves, the second of which leads into both.
LevelCase tent() {
  return {
      kHead + "level x = 0 min -1 max 1 else 1 - 2*x;\nap Z = x > 1;\nprop P: all G !Z;\n",
      {kDfa, "c0 CELL d : 0 0 2 <= 0 1 0 1 <= 1 1 0 -1", "c1 CELL d : 0 0 2 <= 1 1 0 1 <= 0 1 0 -1",
       "s0 STEP c0 : 0 ? e 2 0 2 2 1 ? c 1 0 0 ? e 2 3 1 4 1 c 1 1 4 1 1 0 2",
       "s1 STEP c1 : 0 ? e 2 0 2 2 1 ? e 2 1 2 3 1 ? e 2 3 1 4 1 s <= -1 1 0 -2 c 0 1 5 1 1 2 1 c "
       "1 1 4 1 1 5 1",
       kEnd}};
}
/// Up by A, down by B, within [-2, 3].
LevelCase counter() {
  Lines steps = {"d DFA P : 2 0 B 1 T 0 1 1 1 1 1 1 1"};
  for (int n = -2; n <= 3; ++n) {
    steps.push_back("p" + std::to_string(n + 2) + " POINT d : 0 0 " + std::to_string(n));
  }
  steps.push_back(kEnd);
  return {kHead +
              "level n = 0 min -2 max 3 when A: n + 1 when B: n - 1 else n;\nap C = n > 3; ap D = "
              "n < -2;\n"
              "prop P: all G !(C | D);\n",
          steps};
}

/// Each number of each step changed in every way of a list; the DFA's line is left, other tests change it.
std::vector<Lines> corruptions(const Lines& steps) {
  std::vector<Lines> out;
  for (std::size_t i = 1; i < steps.size(); ++i) {
    const std::vector<std::string> words = words_of(steps[i]);
    const std::size_t colon =
        static_cast<std::size_t>(std::find(words.begin(), words.end(), ":") - words.begin());
    for (std::size_t w = colon + 1; w < words.size(); ++w) {
      Lines changed = {"x", "?", "e", "-1", "0", "1", "2", "3", "-2", "1/2", "<", "<=", "s"};
      for (const std::string& other : changed) {
        if (other != words[w]) {
          std::vector<std::string> now = words;
          now[w] = other;
          out.push_back(steps);
          out.back()[i] = joined(now);
        }
      }
      std::vector<std::string> shorter = words;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(w));
      out.push_back(steps);
      out.back()[i] = joined(shorter);
    }
  }
  return out;
}

void refuses(LevelCase& c, const Lines& steps, const std::string& why) {
  const std::string said = c.said_of(steps);
  INFO("expected " << why << ", said: " << said);
  CHECK(said != "");
  CHECK(said.find(why) != std::string::npos);
}

}  // namespace

TEST_CASE("levels: the untouched cells, splits and points are accepted, and say what they show") {
  LevelCase a = leaky(), b = tent(), c = counter();
  CHECK(a.said() == "");
  CHECK(a.check().lines[0].find("ACCEPT P PROVED HOLDS of every run of the machine ") == 0);
  INFO(a.check().lines[0]);
  CHECK(a.check().lines[0].find("(1 states), levels heat exact: all G ! Z") != std::string::npos);
  CHECK(b.said() == "");
  CHECK(c.said() == "");
}

TEST_CASE("levels: no certificate with a word changed is accepted of a false statement") {
  std::vector<std::pair<std::string, std::string>> changes[3];
  changes[0] = {{"heat >= 10", "heat >= 9.99999"},
                {"0.9*heat + 1 ", "0.9*heat + 1.00001 "},
                {"= 0 when", "= 10 when"},
                {"heat >= 10", "heat <= 9"}};
  changes[1] = {{"max 1 else", "max 1.5 else"},
                {"x > 1", "x >= 1"},
                {"x > 1", "x < -0.5"},
                {"min -1 max 1 else", "min -1 else"}};
  changes[2] = {
      {"max 3", "max 4"}, {"n < -2", "n <= -2"}, {"n > 3", "n > 2"}, {"min -2", "min -3"}};
  for (const std::size_t which : {0U, 1U, 2U}) {
    LevelCase good = which == 0 ? leaky() : which == 1 ? tent() : counter();
    REQUIRE(good.said() == "");
    const std::vector<Lines> all = corruptions(good.steps);
    REQUIRE(all.size() > 100);
    std::size_t accepted_of_true = 0;
    for (const Lines& steps : all) {
      accepted_of_true += good.said_of(steps).empty() ? 1 : 0;
    }
    CHECK(accepted_of_true < all.size() / 5);  // a larger bound, a split more: still a proof
    for (const auto& [from, to] : changes[which]) {
      INFO(from << " -> " << to);
      CHECK(good.said_of_spec(from, to) != "");
      std::string spec = good.spec;
      spec.replace(spec.find(from), from.size(), to);
      LevelCase bad(spec, good.steps);
      for (const Lines& steps : all) {
        const std::string said = bad.said_of(steps);
        INFO(joined(steps));
        CHECK(said != "");
        CHECK(said.find("internal") == std::string::npos);
      }
    }
  }
}

TEST_CASE("levels: a false number is refused where it stands") {
  LevelCase c = leaky();
  REQUIRE(c.said() == "");
  const std::string step = c.steps[2];
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 0 1 < 10.5 1 0 1"), "digits");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 0 1 < 21/2 1 0 1"), "do not add up");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 0 1 <= 10 1 0 1"), "do not add up");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 0 1 < 9 1 0 1"), "do not add up");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 0 1 < 0 1 0 1"), "");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 0 2 < 10 1 0 1 < 0 1 0 1"), "");
  refuses(c,
          with(c.steps, "s STEP",
               "s STEP c : 0 ? e 2 0 9/10 1 1 c 0 1 0 9/10 ? e 2 0 9/10 1 1 c 0 1 0 1"),
          "do not add up");
  refuses(c,
          with(c.steps, "s STEP",
               "s STEP c : 0 ? e 2 0 -9/10 1 1 c 0 1 0 9/10 ? e 2 0 9/10 1 1 c 0 1 1 1"),
          "not above 0");
  refuses(
      c,
      with(c.steps, "s STEP", "s STEP c : 0 ? e 2 0 0 1 1 c 0 1 0 9/10 ? e 2 0 9/10 1 1 c 0 1 1 1"),
      "not above 0");
  refuses(c,
          with(c.steps, "s STEP", "s STEP c : 0 ? e 1 0 1 c 0 1 0 9/10 ? e 2 0 9/10 1 1 c 0 1 1 1"),
          "do not add up");
  refuses(c, with(c.steps, "s STEP", "s STEP c : 0 e 0 e 0"), "do not add up");
  refuses(c, with(c.steps, "s STEP", step + " c 0 1 1 1"), "words after");
  refuses(c, with(c.steps, "s STEP", "s STEP c : 0"), "the words end");
  refuses(c, with(c.steps, "s STEP", "s STEP c : 0 c 0 1 0 1"), "expected ? or e");
  refuses(c,
          with(c.steps, "s STEP",
               "s STEP c : 1 ? e 2 0 9/10 1 1 c 0 1 0 9/10 ? e 2 0 9/10 1 1 c 0 1 1 1"),
          "an edge");
  refuses(c, with(c.steps, "s STEP", "s STEP d : 0"), "not a CELL");
  refuses(c, without(c.steps, "s STEP"), "edge 0 of state 0 is not shown");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 1 1 < 10 1 0 1"), "a bad state");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 1 0 1 < 10 1 0 1"), "a state");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 0 1 < 10 2 0 1 0 1"), "twice");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 0 1 < 10 1 0 0"), "with 0");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 0 1 < 10 1 1 1"), "a level");
  refuses(c, with(c.steps, "c CELL", "c CELL d : 0 0 0"), "");
  refuses(c, {kDfa, kEnd}, "reached but not in the set");
  refuses(c, {kDfa, "p POINT d : 0 0", kEnd}, "one value for each level");
  refuses(c, {kDfa, "p POINT d : 0 0 0 0", kEnd}, "one value for each level");
  refuses(c, {kDfa, "p POINT d : 0 0 0", kEnd}, "reached but not in the set");
  refuses(c, with(c.steps, "d DFA", "d DFA P : 2 0 B T 0 1 1 1"), "");
  refuses(c, with(c.steps, "d DFA", "d DFA P : 1 0 B T 0 0"), "");
}

TEST_CASE("levels: numbers are exact at any size, and none wraps around") {
  LevelCase c = leaky();
  const auto scaled = [&](const std::string& bound, const std::string& factor) {
    return c.said_of(with(c.steps, "c CELL", "c CELL d : 0 0 1 < " + bound + " 1 0 " + factor));
  };
  CHECK(scaled("10", "1") == "");
  for (const char* bound :
       {"18446744073709551626", "4294967306", "-18446744073709551606", "-9223372036854775808",
        "9223372036854775808", "170141183460469231731687303715884105738"}) {
    INFO(bound);
    CHECK(scaled(bound, "1") != "");
    CHECK(scaled("10", bound) != "");
  }
  // the same row a thousand digits up, its multipliers as far down
  const std::string zeros(1000, '0'), up = "1" + zeros;
  const Lines large = {kDfa, "c CELL d : 0 0 1 < 10" + zeros + " 1 0 " + up,
                       "s STEP c : 0 ? e 2 0 9/10" + zeros + " 1 1 c 0 1 0 9/10 ? e 2 0 9/10" +
                           zeros + " 1 1 c 0 1 1 " + up,
                       kEnd};
  CHECK(c.said_of(large) == "");
  Lines off = large;
  off[1] = "c CELL d : 0 0 1 < 10" + std::string(999, '0') + "1 1 0 " + up;
  CHECK_THAT(c.said_of(off), Catch::Contains("do not add up"));
  CHECK(scaled(std::string(2001, '1'), "1") != "");
  for (const char* word :
       {"1/0", "1/-2", "+10", "010", "10.0", "0x1p+3", "1e1", "--10", "-", "/", "10/", ""}) {
    INFO(word);
    CHECK(scaled(word, "1") != "");
  }
  // the spec's own numbers: 15 digits, read exactly
  CHECK(c.said_of_spec("heat >= 10", "heat >= 9.9999999999999") != "");
  CHECK_THAT(c.said_of_spec("heat >= 10", "heat >= 9223372036854775808"),
             Catch::Contains("expected a decimal number"));
  CHECK_THAT(c.said_of_spec("= 0 when", "= -9223372036854775808 when"),
             Catch::Contains("expected a decimal number"));
}

TEST_CASE("levels: negative steps go as far down as the bound, and no further") {
  LevelCase c = counter();
  REQUIRE(c.said() == "");
  refuses(c, without(c.steps, "p0 "), "values at 0,0 are reached but not in the set");
  refuses(c, without(c.steps, "p5 "), "values at 0,0 are reached but not in the set");
  refuses(c, with(c.steps, "p0 ", "p0 POINT d : 0 0 -3"), "reached but not in the set");
  CHECK(c.said_of_spec("n - 1", "n - 2") == "");  // cut to the bound
  CHECK(c.said_of_spec("n - 1", "n - 0.5") != "");
  CHECK(c.said_of_spec("min -2 max 3 when", "max 3 when") != "");
  CHECK(c.said_of_spec("n < -2", "n < -1") != "");
  CHECK(c.said_of_spec("n < -2", "n < -999999999999999") == "");
}

TEST_CASE("levels: every start and every edge that goes on counts; dead ends do not") {
  LevelCase c = leaky();
  const std::string two =
      "HOA: v1\nStates: 3\nStart: 0\nStart: 1\nAP: 2 \"A\" \"B\"\nAcceptance: 0 "
      "t\n--BODY--\nState: 0\n[t] 0\nState: "
      "1\n[!0 & 1] 0\n[0] 2\nState: 2\n--END--\n";
  CHECK_THAT(c.said_of_machine(two),
             Catch::Contains("values at 1,0 are reached but not in the set"));
  LevelCase more = leaky();
  more.machine = two;
  more.steps.insert(more.steps.begin() + 2, "c1 CELL d : 1 0 1 <= 0 1 0 1");
  CHECK_THAT(more.said(), Catch::Contains("edge 0 of state 1 is not shown"));
  more.steps.insert(more.steps.end() - 1, "s1 STEP c1 : 0 ? e 2 0 9/10 1 1 c 0 1 0 9/10");
  CHECK(more.said() == "");  // edge 1 ends in state 2, from where no run goes on
  std::string alive = two;
  alive.replace(alive.find("State: 2"), 8, "State: 2\n[t] 2");
  CHECK_THAT(more.said_of_machine(alive), Catch::Contains("edge 1 of state 1 is not shown"));
  std::string shut = two;
  shut.replace(shut.find("[!0 & 1]"), 8, "[!0 & 0]");
  CHECK_THAT(more.said_of_machine(shut),
             Catch::Contains("words after"));  // the tree speaks of a letter that no label allows
}

TEST_CASE("levels: what is not read of a machine is rejected") {
  LevelCase c = leaky();
  REQUIRE(c.said() == "");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string m = kFree;
    m.replace(m.find(from), from.size(), to);
    return c.said_of_machine(m);
  };
  CHECK(changed("Acceptance: 0 t",
                "acc-name: all\nAcceptance: 0 t\nproperties: explicit-labels trans-acc") == "");
  CHECK(changed("State: 0", "/* a /* nested */ comment */ State: 0 \"a name\" {0 1}") == "");
  CHECK(changed("[t] 0", "[(0 | !0) & (1 | !(1 & t))] 0 {3}") == "");
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"HOA: v1", "HOA: v2"},
           {"HOA: v1", ""},
           {"States: 1", ""},
           {"States: 1", "States: 0"},
           {"States: 1", "States: 1000001"},
           {"States: 1", "States: -1"},
           {"Start: 0", ""},
           {"Start: 0", "Start: 1"},
           {"Start: 0", "Start: 0 & 0"},
           {"\"A\" \"B\"", "\"A\" \"A\""},
           {"\"A\" \"B\"", "\"a\" \"B\""},
           {"\"A\" \"B\"", "\"A\""},
           {"\"A\" \"B\"", "\"A\" \"B"},
           {"AP: 2", "AP: 65"},
           {"Acceptance: 0 t", "Alias: @a 0\nAcceptance: 0 t"},
           {"Acceptance: 0 t", "Finite-words: t\nAcceptance: 0 t"},
           {"Acceptance: 0 t", "Mystery: 1"},
           {"State: 0", "State: [t] 0"},
           {"State: 0", "State: 1"},
           {"State: 0", "State: 0\nState: 0"},
           {"[t] 0", "0"},
           {"[t] 0", "[t] 1"},
           {"[t] 0", "[t] 0 & 0"},
           {"[t] 0", "[2] 0"},
           {"[t] 0", "[@a] 0"},
           {"[t] 0", "[0 &] 0"},
           {"[t] 0", "[0 | ] 0"},
           {"[t] 0", "[(0] 0"},
           {"[t] 0", "[] 0"},
           {"[t] 0", "[t] 0 {"},
           {"[t] 0", "[" + std::string(3000, '(') + "t" + std::string(3000, ')') + "] 0"},
           {"[t] 0", "[" + std::string(3000, '!') + "t] 0"},
           {"--END--", ""},
           {"--END--", "--END-- HOA: v1"},
           {"--END--", "--ABORT--"},
           {"[t] 0", "[t] /* 0"}}) {
    INFO(from << " -> " << to.substr(0, 60));
    const std::string said = changed(from, to);
    CHECK(said != "");
    CHECK(said.find("internal") == std::string::npos);
  }
}

TEST_CASE("levels: a proof of levels is one of its machine, spec and kind") {
  LevelCase c = leaky();
  REQUIRE(c.said() == "");
  Lines good = c.lines;
  write_file(*c.inputs.machine, kFree + "\n");
  CHECK_FALSE(c.check().accepted);  // another digest
  write_file(*c.inputs.machine, kFree);
  CHECK(c.check().accepted);
  for (const char* kind : {"exact", "automaton", "refined", "chain", "bounds"}) {
    c.lines = good;
    c.lines[1] = std::string("kind ") + kind;
    CHECK_FALSE(c.check().accepted);
  }
  c.lines = good;
  c.lines[2] = "semantics DEPLOYED";
  CHECK_FALSE(c.check().accepted);
  c.lines = good;
  CHECK(c.said_of_spec("level heat", "level beat") != "");
  CHECK(c.said_of_spec("ap A", "ap Q") != "");
  CHECK(c.said_of_spec("all G !Z", "all F Z") != "");
  CHECK(c.said_of_spec("all G !Z", "some G !Z") != "");
  CHECK(c.said_of_spec("prop P", "prop Q") != "");
  CHECK(c.said_of_spec("ap Z = heat >= 10", "ap Z = role = user") != "");
  LevelCase guarded = leaky();  // the guard is a role: no machine shows it
  CHECK(guarded.said_of_spec("ap A = tok = id 0", "ap A = role = user") != "");
}
