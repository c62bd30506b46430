#include "assay/automata/search.hpp"
#include "bigram.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::verify;
using test::Scene;

namespace {

// 0 -> 1, 2; 1 -> 0; 2 -> 2, 3; 3 -> 0; token 4 never
const std::vector<std::vector<int>> kNext = {
    {0, 1, 1, 0, 0}, {1, 0, 0, 0, 0}, {0, 0, 1, 1, 0}, {1, 0, 0, 0, 0}, {1, 0, 0, 0, 0}};
const std::vector<std::vector<std::size_t>> kExact = {{0}, {1}, {2}, {3}, {4}};
const std::string kAtoms =
    "ap A = tok = id 0; ap B = tok = id 1; ap C = tok = id 2; ap D = tok = id 3; ap E = feat(T/4) "
    ">= 0.5 band 0.1;"
    "ap FC = feat(T/2) > 0;";

PropertyResult only(const CheckResult& result) {
  REQUIRE(result.properties.size() == 1);
  return result.properties[0];
}

}  // namespace

TEST_CASE("a property that holds comes with its invariant and the solver's opinion") {
  Scene scene(
      kNext,
      kAtoms +
          "prop P: all absent(B & X[!] C) expect holds; prop Q: all G(FC -> C) expect violated;",
      kExact);
  const CheckResult result = check(scene.input);
  REQUIRE(result.code() == ExitCode::ok);
  for (const PropertyResult& p : result.properties) {
    REQUIRE(std::holds_alternative<Holds>(p.verdict));
    REQUIRE((p.solver == "none" || p.invariant_opinion == "agree"));
    REQUIRE((p.solver == "none" || p.reachability_opinion == "agree"));
    REQUIRE(p.vacuous.empty());
  }
  REQUIRE(result.properties[0].as_expected());
  REQUIRE_FALSE(result.properties[1].as_expected());
  const std::string zero(64, '0');
  REQUIRE(result.certificate ==
          "assay-cert 1\nkind automaton\nsemantics REAL\nmodel " + zero + " " + zero + "\nsae " +
              zero + " " + zero + "\nautomaton " + zero + "\nstatement " + zero +
              "\ndfa.0 DFA P : 3 0 B 2 T 0 1 0 1 0 1 2 2 2 2 2 2\nP INV dfa.0 : 0,0 1,1 2,0 3,0\n"
              "dfa.2 DFA Q : 2 0 B 1 T 0 0 1 0 1 1 1 1\nQ INV dfa.2 : 0,0 1,0 2,0 3,0\nend 4\n");
  REQUIRE(check(scene.input).certificate == result.certificate);
  REQUIRE(check_text(scene.input, result).find("an unseen edge is not an absent one") !=
          std::string::npos);
}

TEST_CASE("a violation is a replayed run of the model, with its letters and features") {
  Scene scene(kNext, kAtoms + "prop P: all absent(run(FC, 3));", kExact);
  const CheckResult result = check(scene.input);
  REQUIRE(result.code() == ExitCode::violated);
  const auto violated = std::get<Violated>(only(result).verdict);
  REQUIRE(violated.tokens == std::vector<TokenId>{TokenId(2), TokenId(2), TokenId(2)});
  REQUIRE(violated.steps.size() == 3);
  REQUIRE(violated.steps[0].letter == 1U << 5U);
  REQUIRE(violated.steps[0].values[0].what == "feat(T/2)");
  REQUIRE(violated.steps[0].values[0].lo <= 1.0);
  REQUIRE(violated.steps[0].values[0].hi >= 1.0);
  REQUIRE(violated.steps[0].live[0].first == "T/2");
  REQUIRE(result.certificate.find("\nP WITNESS : P 0 N 2 2 2\nend 1\n") != std::string::npos);
}

TEST_CASE("a sampled run that violates beats an automaton that does not know it") {
  Scene scene(kNext, kAtoms + "prop P: all absent(C & X[!] D);", kExact);
  std::erase_if(scene.automaton.edges,
                [](const auto& e) { return e.from.at() == 2 && e.to.at() == 3; });
  REQUIRE(std::holds_alternative<Holds>(only(check(scene.input)).verdict));
  scene.input.samples = {{0, {TokenId(1), TokenId(0), TokenId(2), TokenId(3)}},
                         {0, {TokenId(2), TokenId(3)}}};
  const auto violated = std::get<Violated>(only(check(scene.input)).verdict);
  REQUIRE(violated.tokens.size() == 2);
}

TEST_CASE("an abstract path that no run follows is unknown and names its edge") {
  // blocks {1,3} and {0}, {2}, {4}: B and D are merged, so B & X C has an abstract path
  Scene scene(kNext, kAtoms + "prop P: all absent(B & X[!] X[!] D);", {{0}, {1, 3}, {2}, {4}});
  const PropertyResult p = only(check(scene.input));
  REQUIRE(p.verdict.index() == 2);
  REQUIRE(std::get<Unknown>(p.verdict).missing.find("'block ") != std::string::npos);
  REQUIRE(check(scene.input).certificate.empty());
  REQUIRE(check(scene.input).code() == ExitCode::unknown);
}

TEST_CASE("ties and undecided atoms never make a witness") {
  // feature 2 has value exactly 1: within the band of 1
  Scene scene(kNext, "ap N = feat(T/2) >= 1.0 band 0.25; prop P: all G !N;", kExact);
  const PropertyResult p = only(check(scene.input));
  REQUIRE(p.verdict.index() == 2);
  REQUIRE(std::get<Unknown>(p.verdict).reason.find("ap N is not decided") != std::string::npos);

  // token 2 lies exactly on the min-p cut: ln(1) = 0 with two equal best tokens
  Scene tie(kNext, kAtoms + "prop P: all G !C;", kExact);
  tie.automaton.decoder.min_p = {1, 1};
  const PropertyResult q = only(check(tie.input));
  REQUIRE(q.verdict.index() == 2);
  REQUIRE(std::get<Unknown>(q.verdict).reason.find("support") != std::string::npos);
}

TEST_CASE("liveness is unknown, vacuity is said") {
  Scene scene(kNext,
              kAtoms + "prop L: all G(C -> F D); prop V: all G(E -> X C); prop W: all absent(E);",
              kExact);
  const CheckResult result = check(scene.input);
  REQUIRE(result.properties[0].verdict.index() == 2);
  REQUIRE(std::holds_alternative<Holds>(result.properties[1].verdict));
  REQUIRE(result.properties[1].vacuous.size() == 1);
  REQUIRE(result.properties[1].vacuous[0] == "it holds even with C never true");
  REQUIRE(result.properties[2].vacuous.empty());
  REQUIRE(result.code() == ExitCode::unknown);
}

TEST_CASE("wrong files and names are refused") {
  Scene scene(kNext, kAtoms + "prop P: all G !E;", kExact);
  scene.input.properties = {"Nope"};
  REQUIRE_THROWS_AS(check(scene.input), UsageError);
  scene.input.properties = {};
  scene.model.weights_digest.bytes[0] = 1;
  REQUIRE_THROWS_AS(check(scene.input), Error);
  scene.model.weights_digest.bytes[0] = 0;
  scene.automaton.aps[4] = "Other";
  REQUIRE_THROWS_AS(check(scene.input), UsageError);
  scene.automaton.aps[4] = "E";
  scene.spec.properties.clear();
  REQUIRE_THROWS_AS(check(scene.input), UsageError);

  REQUIRE(parse_samples("{\"prompt\":0,\"tokens\":[1,2]}\n", "s", 1, 5).at(0).tokens.size() == 2);
  for (const char* bad :
       {"[]\n", "{\"prompt\":1,\"tokens\":[]}\n", "{\"prompt\":0,\"tokens\":[5]}\n",
        "{\"prompt\":0,\"tokens\":[-1]}\n", "{\n", "{\"prompt\":0}\n"}) {
    REQUIRE_THROWS_AS(parse_samples(bad, "s", 1, 5), InputError);
  }
}

TEST_CASE("Holds cannot be made of pairs that are not inductive") {
  Scene scene(kNext, kAtoms + "prop P: all absent(B & X[!] C);", kExact);
  const spec::Dfa dfa = spec::bad_prefix_dfa(scene.spec.properties[0].formula);
  const automata::Product product = automata::make_product(scene.automaton, dfa);
  auto pairs = automata::search(product).reached;
  REQUIRE_NOTHROW(Holds(product, pairs));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    auto damaged = pairs;
    damaged.erase(damaged.begin() + static_cast<std::ptrdiff_t>(i));
    REQUIRE_THROWS_AS(Holds(product, damaged), PreconditionError);
  }
  auto with_bad = pairs;
  with_bad.push_back({StateId(4), 2});
  REQUIRE_THROWS_AS(Holds(product, with_bad), PreconditionError);
}
