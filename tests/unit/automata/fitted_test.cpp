#include <nlohmann/json.hpp>

#include "assay/automata/atoms.hpp"
#include "assay/automata/binomial.hpp"
#include "assay/automata/partition.hpp"
#include "assay/automata/render.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "catch.hpp"
#include "random_subject.hpp"

using namespace assay;
using namespace assay::automata;

namespace {

FittedAutomaton small() {
  FittedAutomaton a;
  a.aps = {"Open", "Digit"};
  a.prompts = {{TokenId(3), TokenId(4)}, {TokenId(0), TokenId(1)}};
  a.max_new = 5;
  a.runs = 2;
  a.seed = 18446744073709551615U;
  a.states = {{"`<` · f3 \"tag\" & <b>", "`<`", 3, 1, 1, 20},
              {"digit", "digit", -1, 2, 3, 20},
              {"lower", "lower", -1, 0, 0, 20}};
  a.initial = {{StateId(0), 1}, {StateId(2), 1}};
  a.edges = {{StateId(0), StateId(1), 10},
             {StateId(1), StateId(0), 10},
             {StateId(1), StateId(1), 10},
             {StateId(2), StateId(2), 10}};
  return a;
}

/// The JSON of `small` with one piece of text replaced; must be refused.
void refused(const std::string& from, const std::string& to) {
  std::string text = automaton_json(small());
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  INFO(from << " -> " << to);
  CHECK_THROWS_AS(parse_automaton(text, "automaton.json"), InputError);
}

spec::Spec resolved(const Transformer& model, const Sae& sae) {
  spec::Spec s;
  s.name = "test";
  s.version = 1;
  s.uses = {{"model", "M", "model", model.weights_digest, {}},
            {"sae", "S", "sae", sae.weights_digest, {}}};
  s.classes.push_back({"Digits", spec::TokenClass::Form::ids, {}, {TokenId(1), TokenId(2)}, {}});
  spec::Atom digit;
  digit.name = "Digit";
  digit.subject = "Digits";
  spec::Atom on;
  on.name = "On";
  on.kind = spec::Atom::Kind::feature;
  on.subject = "S";
  on.feature = FeatureId(2);
  s.atoms = {digit, on};
  return s;
}

}  // namespace

TEST_CASE("automaton.json reads back to the same bytes") {
  const std::string text = automaton_json(small());
  const FittedAutomaton read = parse_automaton(text, "automaton.json");
  CHECK(automaton_json(read) == text);
  CHECK(read.seed == small().seed);
  CHECK(read.states[0].feature == 3);
  CHECK(read.states[1].token_block == "digit");
  CHECK(text.find("0.") == std::string::npos);
}

TEST_CASE("automaton.json of another form is refused") {
  refused("[0,1,10],[1,0,10]", "[1,0,10],[0,1,10]");  // not sorted
  refused("[1,0,10],[1,1,10]", "[1,1,10],[1,1,10]");  // twice
  refused("[2,2,10]", "[2,3,10]");                    // no such state
  refused("[2,2,10]", "[2,2,-1]");
  refused("[2,2,10]", "[2,2,1.5]");
  refused("[2,2,10]", "[2,2]");
  refused("\"must\":2,\"may\":3", "\"must\":2,\"may\":1");  // must not within may
  refused("\"must\":2,\"may\":3", "\"must\":2,\"may\":7");  // a bit without an ap
  refused("[[0,1],[2,1]]", "[[2,1],[0,1]]");
  refused("[[0,1],[2,1]]", "[]");
  refused("\"aps\":[\"Open\",\"Digit\"]", "\"aps\":[\"Open\",\"Open\"]");
  refused("\"runs\":2", "\"runs\":2,\"runs\":2");  // a key twice
  refused("\"runs\":2", "\"runs\":2147483648");
  refused("\"runs\":2,", "");
  refused("\"minP\":\"1/10\"", "\"minP\":\"2/20\"");
  refused("\"minP\":\"1/10\"", "\"minP\":\"0\"");
  refused("\"order\":\"after\"", "\"order\":\"later\"");
  refused("\"seed\":\"18446744073709551615\"", "\"seed\":\"-1\"");
  refused("\"assay-automaton\":1", "\"assay-automaton\":2");
  refused("[[3,4],[0,1]]", "[[3,4],[]]");
  refused("}\n", "}\nx");
  CHECK_THROWS_AS(parse_automaton("", "f"), InputError);
  CHECK_THROWS_AS(parse_automaton("[]", "f"), InputError);
}

TEST_CASE("HOA lists every state and edge with its letter") {
  const std::string hoa = to_hoa(small());
  CHECK(hoa.starts_with("HOA: v1\n"));
  CHECK(hoa.find("States: 4\nStart: 0\nAP: 2 \"Open\" \"Digit\"\n") != std::string::npos);
  CHECK(hoa.find("State: 0 \"start\"\n[0 & !1] 1\n[!0 & !1] 3\n") != std::string::npos);
  CHECK(hoa.find("State: 1 \"`<` · f3 \\\"tag\\\" & <b>\"\n[1] 2\n") != std::string::npos);
  CHECK(hoa.find("State: 2 \"digit\"\n[0 & !1] 1\n[1] 2\n") != std::string::npos);
  CHECK(hoa.ends_with("[!0 & !1] 3\n--END--\n"));
}

TEST_CASE("DOT and SVG escape names and carry no version") {
  FitResult result;
  result.automaton = small();
  result.shapes = find_shapes(result.automaton);
  for (const std::string& dot : {to_dot(small()), to_picture_dot(result)}) {
    CHECK(std::count(dot.begin(), dot.end(), '{') == std::count(dot.begin(), dot.end(), '}'));
    CHECK(dot.find("<b>") == std::string::npos);
    CHECK(dot.find("&lt;b&gt;") != std::string::npos);
  }
  CHECK(to_markdown(result).find("OBSERVED") != std::string::npos);
  const auto folder = std::filesystem::temp_directory_path() / "assay_automata_draw";
  make_directory(folder);
  write_file_atomic(folder / "a.dot", to_picture_dot(result));
  if (!draw_svg(folder / "a.dot", folder / "a.svg")) {
    WARN("Graphviz's dot was not found: the picture is not tested");
  } else {
    const std::string svg = read_file(folder / "a.svg");
    CHECK(svg.find("</svg>") != std::string::npos);
    CHECK(svg.find("<!--") == std::string::npos);
    CHECK(svg.find("graphviz version") == std::string::npos);
  }
  write_file_atomic(folder / "bad.dot", "digraph {");
  CHECK_FALSE(draw_svg(folder / "bad.dot", folder / "bad.svg"));
  CHECK_FALSE(std::filesystem::exists(folder / "bad.svg"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("shapes: loops, 2-cycles, chains, components") {
  const Shapes s = find_shapes(small());
  CHECK(s.self_loops == std::vector<StateId>{StateId(1), StateId(2)});
  REQUIRE(s.two_cycles.size() == 1);
  CHECK(s.two_cycles[0] == std::pair(StateId(0), StateId(1)));
  CHECK(s.components == std::vector<std::vector<StateId>>{{StateId(0), StateId(1)}, {StateId(2)}});
  FittedAutomaton chain = small();
  chain.states.resize(5, chain.states[2]);
  chain.edges = {{StateId(0), StateId(1), 6},
                 {StateId(1), StateId(2), 6},
                 {StateId(1), StateId(4), 4},
                 {StateId(2), StateId(3), 5}};
  const Shapes c = find_shapes(chain);
  REQUIRE(c.chains.size() == 1);
  CHECK(c.chains[0] == std::vector<StateId>{StateId(0), StateId(1), StateId(2), StateId(3)});
  CHECK(c.components.empty());
  chain.edges = {
      {StateId(0), StateId(1), 6}, {StateId(1), StateId(2), 6}, {StateId(2), StateId(0), 5}};
  CHECK(find_shapes(chain).chains ==
        std::vector<std::vector<StateId>>{{StateId(0), StateId(1), StateId(2)}});
}

TEST_CASE("a comparison is decided only by the band or more") {
  using spec::Comparison;
  CHECK(compare(1, 1, Comparison::at_least, 1, 0) == Truth::yes);
  CHECK(compare(1, 1, Comparison::above, 1, 0) == Truth::no);
  CHECK(compare(1, 1, Comparison::at_most, 1, 0) == Truth::yes);
  CHECK(compare(1, 1, Comparison::below, 1, 0) == Truth::no);
  CHECK(compare(0.9, 1.1, Comparison::above, 1, 0) == Truth::unknown);
  CHECK(compare(1.2, 1.3, Comparison::above, 1, 0.25) == Truth::unknown);
  CHECK(compare(1.25, 1.3, Comparison::above, 1, 0.25) == Truth::yes);
  CHECK(compare(0.6, 0.75, Comparison::above, 1, 0.25) == Truth::no);
  CHECK(compare(0.6, 0.75, Comparison::below, 1, 0.25) == Truth::yes);
  CHECK(compare(std::nan(""), 1, Comparison::above, 0, 0) == Truth::unknown);
  CHECK(compare(0, 0, Comparison::above, 0, 0) == Truth::no);
}

TEST_CASE("atoms read tokens and features, and NaN decides nothing") {
  const Transformer model = test::random_model(4);
  const Sae sae = test::random_transcoder(model);
  const spec::Spec s = resolved(model, sae);
  const AtomReader atoms({&s, &s}, model, sae, {});
  CHECK(atoms.names() == std::vector<std::string>{"Digit", "On"});
  CHECK(atoms.token_atoms() == std::vector<std::uint64_t>{0, 1, 1, 0});
  std::vector<double> pre(sae.d_sae, 0.0);
  const auto threshold = static_cast<double>(sae.threshold.data[2]);
  CHECK(atoms.read(TokenId(1), pre, {}, 0) == Letter{1, 1});
  pre[2] = threshold + 0.1;
  CHECK(atoms.read(TokenId(0), pre, {}, 0) == Letter{2, 2});
  pre[2] = threshold;  // off by the definition, but a double is not trusted that far
  CHECK(atoms.read(TokenId(0), pre, {}, 0) == Letter{0, 2});
  pre[2] = std::nan("");
  CHECK(atoms.read(TokenId(0), pre, {}, 0) == Letter{0, 2});
}

TEST_CASE("a spec of another model, an unresolved one and clashing names are refused") {
  const Transformer model = test::random_model(4);
  const Sae sae = test::random_transcoder(model);
  spec::Spec other = resolved(model, sae);
  other.uses[1].sha256 = sha256("another");
  CHECK_THROWS_AS(AtomReader({&other}, model, sae, {}), Error);
  spec::Spec open = resolved(model, sae);
  open.atoms[1].feature.reset();
  CHECK_THROWS_AS(AtomReader({&open}, model, sae, {}), UsageError);
  const spec::Spec first = resolved(model, sae);
  spec::Spec second = resolved(model, sae);
  second.classes[0].ids = {TokenId(3)};
  CHECK_THROWS_AS(AtomReader({&first, &second}, model, sae, {}), UsageError);
  spec::Spec far = resolved(model, sae);
  far.atoms[1].feature = FeatureId(12);
  CHECK_THROWS_AS(AtomReader({&far}, model, sae, {}), UsageError);
}

TEST_CASE("the partition splits classes where atoms differ, and nowhere else") {
  const Tokenizer tokenizer = Tokenizer::characters("abcdefgh<123456");
  const auto classes = features::standard_classes(tokenizer);
  std::vector<std::uint64_t> atoms(tokenizer.size(), 0);
  const auto id = [&](const char* text) { return tokenizer.encode(text)[0].at(); };
  for (const char* odd : {"1", "3", "5", "6"}) {
    atoms[id(odd)] = 1;
  }
  atoms[id("a")] = 2;
  const auto blocks = token_partition(classes, atoms, {"Odd", "A"}, &tokenizer);
  std::vector<std::string> names;
  for (const auto& block : blocks) {
    names.push_back(block.name);
  }
  CHECK(names == std::vector<std::string>{"`2` `4`", "digit+Odd", "lower (other)", "`a`", "`<`",
                                          "`\xEF\xBF\xBD`"});
  CHECK_NOTHROW(features::class_of_token(blocks, tokenizer.size()));
}

TEST_CASE("Clopper-Pearson at known values") {
  // k = 0: hi = 1 - (alpha/2)^(1/n); n = 10: 0.308497. k = 5, n = 10: [0.187086, 0.812914].
  const Proportion none = clopper_pearson(0, 10, {1, 20});
  CHECK(millionths(none.lo) == "0.000000");
  CHECK(millionths(none.hi) == "0.308498");
  const Proportion half = clopper_pearson(5, 10, {1, 20});
  CHECK(millionths(half.lo) == "0.187086");
  CHECK(millionths(half.hi) == "0.812914");
  CHECK(clopper_pearson(0, 0, {1, 20}).hi == 1000000);
  CHECK(clopper_pearson(400, 400, {1, 20}).hi == 1000000);
  CHECK_THROWS_AS(clopper_pearson(2, 1, {1, 20}), PreconditionError);
}
