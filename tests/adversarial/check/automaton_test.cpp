#include "catch.hpp"
#include "check_case.hpp"

using namespace check_test;

namespace {

/// Spec with token, feature and readout atoms; an automaton of three states; a tiny model.
struct AutomatonCase : Case {
  TinyModel model{4};
  TinySae sae = make_sae(11, "blocks.0.hook_resid_mid", 4);
  std::string spec, automaton;
  Tokens run;  ///< after the prompt 0 1; the last token is 3 and no earlier one

  AutomatonCase() {
    const auto& root = folder.path();
    inputs.model = (root / "model").string();
    inputs.sae = (root / "sae").string();
    inputs.spec = (root / "case.spec").string();
    inputs.automaton = (root / "automaton.json").string();
    const std::string readout = (root / "readout.json").string();
    inputs.readouts = {{"R", readout}};
    model.save(inputs.model);
    sae.save(*inputs.sae);
    write_file(readout,
               "{\"assay-readout\":1,\"hook\":\"blocks.0.hook_resid_mid\",\"weights\":["
               "\"0x1p+0\",\"-0x1p-1\",\"0x0p+0\",\"0x1p-2\"],\"bias\":\"0x1p-3\"}");
    spec =
        "spec \"demo\" version 1;\n"
        "use model M = \"model\" sha256 " +
        digest(inputs.model + "/model.safetensors") +
        ";\n"
        "use sae S = \"sae\" sha256 " +
        digest(*inputs.sae + "/sae_weights.safetensors") +
        ";\n"
        "use readout R = \"r\" sha256 " +
        digest(readout) +
        ";\n"
        "class C = ids { 3 };\n"
        "ap three = tok in C;\nap on = feat(S/1) > 0;\n"
        "ap far = read(R) >= 50 band 0.5; # never\n"
        "ap zero = tok = id 0;\n"
        "let quiet(p) = absent(p);\n"
        "prop never3: all quiet(three) doc \"no three\" severity high;\n"
        "prop later: all G(three -> X !on);\n"
        "prop near: all absent(three & !far);\n"
        "prop live: all F three;\n"
        "prop lateron: all G(!three | on) & G(!three | !on);\n";
    run = {2, 3};
    set_automaton(default_automaton());
    steps({"d1 DFA never3 : 2 0 B 1 T 0 1 1 1", "d2 DFA later : 3 0 B 2 T 0 1 0 1 0 1 2 2 2 2 2 2",
           "later INV d2 : 0,0 1,1 2,0", "never3 WITNESS : P 0 1 N 2 3",
           "near WITNESS : P 0 1 N 2 3"});
  }

  static std::string default_automaton() {
    return "{\"assay-automaton\":1,\"aps\":[\"three\",\"on\",\"far\",\"zero\"],"
           "\"decoder\":{\"minP\":\"1/1000000\",\"temperature\":\"1\",\"order\":\"after\"},"
           "\"prompts\":[[0,1]],\"maxNew\":3,\"runs\":1,\"seed\":\"1\",\"states\":["
           "{\"name\":\"a\",\"must\":0,\"may\":2,\"count\":1},"
           "{\"name\":\"b\",\"must\":1,\"may\":3,\"count\":1},"
           "{\"name\":\"c\",\"must\":0,\"may\":4,\"count\":1}],"
           "\"initial\":[[0,1]],\"edges\":[[0,0,1],[0,1,1],[1,2,1],[2,0,1]]}";
  }
  void set_automaton(const std::string& json) {
    automaton = json;
    write_file(*inputs.automaton, json);
  }
  void steps(const std::vector<std::string>& body) {
    write_file(*inputs.spec, spec);
    lines = header(*this, "automaton", "REAL");
    lines.push_back("readout R " + digest(inputs.readouts[0].second));
    lines.push_back("automaton " + digest(*inputs.automaton));
    lines.push_back("statement " + digest(*inputs.spec));
    lines.insert(lines.end(), body.begin(), body.end());
    lines.push_back("end " + std::to_string(body.size()));
  }
  bool accepts(const std::vector<std::string>& body) {
    steps(body);
    const auto outcome = check();
    last = outcome.lines.back();
    return outcome.accepted;
  }
  std::string last;
};

const std::string kDfa = "d DFA never3 : 2 0 B 1 T 0 1 1 1";
const std::string kDfa2 = "d DFA later : 3 0 B 2 T 0 1 0 1 0 1 2 2 2 2 2 2";
const std::string kInv = "later INV d : 0,0 1,1 2,0";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("automaton: the untouched certificate is accepted") {
  AutomatonCase c;
  const auto outcome = c.check();
  INFO(outcome.lines.back());
  REQUIRE(outcome.accepted);
  REQUIRE(outcome.lines.size() == 6);
  CHECK(outcome.lines[0].rfind("ACCEPT never3 PROVED VIOLATED", 0) == 0);
  CHECK(outcome.lines[1].rfind("ACCEPT later OBSERVED HOLDS of every run of the fitted", 0) == 0);
  CHECK(outcome.lines[3] == "not concluded live");
}

TEST_CASE("automaton: INV must be an invariant of a right DFA") {
  AutomatonCase c;
  REQUIRE(c.accepts({kDfa2, kInv}));
  for (const char* pairs : {"0,0 1,1", "0,0 2,0", "1,1 2,0", "0,0 1,1 2,0 2,2", "1,1 0,0 2,0",
                            "0,0 0,0 1,1 2,0", "0,0 1,1 3,0", "0,0 1,1 2,3", "0 1,1 2,0",
                            "0,0 1,1 2,0,", "0,0 1,1 2,-0", "0,0 1,1 2,00", "x"}) {
    INFO(pairs);
    CHECK_FALSE(c.accepts({kDfa2, std::string("later INV d : ") + pairs}));
  }
  CHECK(c.accepts({kDfa2, "later INV d : 0,0 0,1 1,1 2,0"}) == false);  // 0,1 sees on: bad
  for (const char* dfa :
       {"d DFA later : 3 0 B T 0 1 0 1 0 1 2 2 2 2 2 2",    // no bad state
        "d DFA later : 3 0 B 1 T 0 1 0 1 0 1 2 2 2 2 2 2",  // the wrong one
        "d DFA later : 1 0 B T 0 0 0 0",                    // accepts everything
        "d DFA later : 3 0 B 2 T 0 0 0 0 0 1 2 2 2 2 2 2",  // forgets three
        "d DFA later : 3 0 B 2 T 0 1 0 1 0 1 2 2 2 2 2 0",  // leaves bad
        "d DFA later : 3 0 B 2 T 0 1 0 1 0 1 2 2 2 2 2",    // short table
        "d DFA later : 3 0 B 2 T 0 1 0 1 0 1 2 2 2 2 2 3",  // no such state
        "d DFA later : 3 3 B 2 T 0 1 0 1 0 1 2 2 2 2 2 2", "d DFA later : 0 0 B T",
        "d DFA zzz : 1 0 B T 0 0 0 0", "d DFA never3 : 2 0 B 1 T 0 1 1 1"}) {
    INFO(dfa);
    CHECK_FALSE(c.accepts({dfa, kInv}));
  }
  CHECK_FALSE(c.accepts({kInv, kDfa2}));
  CHECK_FALSE(c.accepts({kDfa2}));
  CHECK_FALSE(c.accepts({kDfa2, kInv, kInv}));
}

TEST_CASE("automaton: a reachable bad state, more letters or more edges break INV") {
  AutomatonCase c;
  REQUIRE(c.accepts({kDfa2, kInv}));
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"may\":4", "\"may\":6"},      // c may be on right after three
           {"[1,2,1]", "[1,1,1],[1,2,1]"},  // b after b: on after three
           {"[1,2,1]", "[1,0,1],[1,2,1]"},
           {"[[0,1]]", "[[0,1],[2,1]],\"x\":[[2,1]]"},
           {"\"may\":4", "\"may\":16"},
           {"\"must\":1", "\"must\":4"},
           {"[0,0,1],[0,1,1]", "[0,1,1],[0,0,1]"},
           {"[0,0,1]", "[0,0,1],[0,0,1]"},
           {"[2,0,1]", "[2,3,1]"},
           {"[[0,1]],\"edges\"", "[],\"edges\""},
           {"\"three\",\"on\"", "\"on\",\"three\""},
           {"\"zero\"]", "\"zero\",\"five\"]"},
           {"\"assay-automaton\":1", "\"assay-automaton\":2"},
           {"\"maxNew\":3", "\"maxNew\":3.0"}}) {
    INFO(from << " -> " << to);
    const bool harmless = to.find("\"x\"") != std::string::npos;  // another initial state, in I
    c.set_automaton(replaced(AutomatonCase::default_automaton(), from, to));
    CHECK(c.accepts({kDfa2, kInv}) == harmless);
  }
}

TEST_CASE("automaton: liveness and aps without their source are not decided") {
  AutomatonCase c;
  CHECK_FALSE(c.accepts({"d DFA live : 2 0 B T 0 1 1 1", "live INV d : 0,0 1,1 2,1 0,1"}));
  c.steps({kDfa2, kInv});
  c.lines.erase(c.lines.begin() + 4);  // no sae line, but `later` reads a feature
  CHECK_FALSE(c.check().accepted);
  c.spec =
      replaced(c.spec, digest(*c.inputs.sae + "/sae_weights.safetensors"), std::string(64, 'a'));
  CHECK_FALSE(c.accepts({kDfa2, kInv}));
  AutomatonCase other;
  other.spec =
      replaced(other.spec, digest(other.inputs.model + "/model.safetensors"), std::string(64, 'a'));
  CHECK_FALSE(other.accepts({"never3 WITNESS : P 0 1 N 2 3"}));
}

TEST_CASE("witness: support, prompts, length, decided atoms, a violation") {
  AutomatonCase c;
  const std::string good = "never3 WITNESS : P 0 1 N 2 3";
  REQUIRE(c.accepts({good}));
  CHECK(c.accepts({"never3 WITNESS : P 0 1 N 3"}));
  for (const char* step :
       {"never3 WITNESS : P 0 1 N 2 2", "never3 WITNESS : P 0 1 N 2 2 2 3",
        "never3 WITNESS : P 1 0 N 2 3", "never3 WITNESS : P 0 1 3 N 2", "never3 WITNESS : P 0 1 N",
        "never3 WITNESS : P N 3", "never3 WITNESS : P 0 1 N 2 5", "never3 WITNESS : P 0 1 2 3",
        "never3 WITNESS : N 3 P 0 1", "never3 WITNESS x : P 0 1 N 2 3", "zzz WITNESS : P 0 1 N 2 3",
        "live WITNESS : P 0 1 N 2 3", "later WITNESS : P 0 1 N 2 3"}) {
    INFO(step);
    CHECK_FALSE(c.accepts({step}));
  }
  // Token 3 is excluded by a larger min-p when it is not near the top.
  const Vector logits = c.model.logits({0, 1, 2});
  double top = logits[0];
  for (const double l : logits) {
    top = std::max(top, l);
  }
  const double gap = logits[3] - top;
  INFO("gap " << gap);
  REQUIRE(gap < -0.05);
  const auto with = [&](double rho, const char* temperature, const char* order) {
    const auto num = static_cast<long long>(rho * 1e9);
    std::string json = replaced(AutomatonCase::default_automaton(), "1/1000000",
                                std::to_string(num) + "/1000000000");
    json = replaced(json, "\"temperature\":\"1\"",
                    std::string("\"temperature\":\"") + temperature + "\"");
    c.set_automaton(replaced(json, "\"after\"", std::string("\"") + order + "\""));
    return c.accepts({"never3 WITNESS : P 0 1 N 2 3"});
  };
  const Vector first = c.model.logits({0, 1});
  const double gap2 = first[2] - *std::max_element(first.begin(), first.end());
  const double worst = std::min(gap, gap2);
  CHECK(with(std::exp(worst) * 0.999, "3", "after"));
  CHECK_FALSE(with(std::exp(worst) * 1.001, "3", "after"));
  CHECK(with(std::exp(worst / 3) * 0.999, "3", "before"));
  CHECK_FALSE(with(std::exp(worst / 3) * 1.001, "3", "before"));
  CHECK_FALSE(with(0, "1", "after"));
  CHECK_FALSE(with(1.5, "1", "after"));
}

TEST_CASE("witness: atoms inside their band are unknown") {
  AutomatonCase c;
  const Vector m = c.model.mid({0, 1, 3});
  const double value = m[0] - 0.5 * m[1] + 0.25 * m[3] + 0.125;
  char text[40];
  const auto spec_with = [&](const char* compare, double threshold, const char* band) {
    std::snprintf(text, sizeof text, "%.9f", threshold);
    std::string spec = AutomatonCase().spec;
    spec = replaced(spec, ">= 50 band 0.5", std::string(compare) + " " + text + " " + band);
    c.spec = spec;
    c.spec = replaced(c.spec, "absent(three & !far)", "absent(three & far)");
    return c.accepts({"near WITNESS : P 0 1 N 3"});
  };
  CHECK(spec_with(">=", value - 0.1, "band 0.09"));
  CHECK_FALSE(spec_with(">=", value - 0.1, "band 5"));
  CHECK(spec_with("<", value + 0.1, "band 0.09"));
  CHECK_FALSE(spec_with("<", value + 0.1, "band 5"));
  CHECK_FALSE(spec_with(">", 100, ""));
}

TEST_CASE("automaton: flips never crash and never accept another statement") {
  AutomatonCase c;
  const std::string good = c.text();
  const auto control = c.check_text(good);
  REQUIRE(control.accepted);
  std::mt19937_64 random(5);
  for (int trial = 0; trial < 400; ++trial) {
    std::string bad = good;
    bad[random() % bad.size()] ^= static_cast<char>(1U << random() % 8);
    const auto outcome = c.check_text(bad);
    if (outcome.accepted) {
      for (const std::string& line : outcome.lines) {
        INFO(line);
        const bool known =
            std::find(control.lines.begin(), control.lines.end(), line) != control.lines.end();
        // A flipped witness token may be another true witness of the same property.
        CHECK((known || line.find("VIOLATED by the model") != std::string::npos));
      }
    }
  }
}
