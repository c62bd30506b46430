// A closure that goes on from any part of what an earlier one wrote ends in the same graph; what is not a part of this
// closure is refused. The machine in HOA has the graph's edges, labelled by what their tokens are known to be.
#include "assay/automata/closure_files.hpp"
#include "assay/automata/hoa.hpp"
#include "assay/base/errors.hpp"
#include "catch.hpp"
#include "random_subject.hpp"

using namespace assay;
using automata::ClosedGraph;
using automata::ClosureBegun;
using automata::ClosurePart;

namespace {

constexpr std::size_t kTokens = 5;
const std::vector<automata::PromptEnd> kPrompts{{{TokenId(0U)}, {TokenId(1U), TokenId(2U)}}};

Transformer small_model(std::uint64_t seed) {
  Transformer model = test::random_model(kTokens, 6, 8, seed);
  for (std::size_t j = 3; j < 6; ++j) {
    model.rel_bias.data[j] -= 1.0F;
    model.rel_bias.data[6 + j] -= 70.0F;
  }
  return model;
}

/// The header and the first `states` lines.
std::string first_states(const std::string& text, std::size_t states) {
  std::size_t end = text.find('\n') + 1;
  for (; states > 0 && end < text.size(); --states) {
    end = text.find('\n', end) + 1;
  }
  return text.substr(0, end);
}

ClosurePart part_of(const std::string& text, const automata::SuffixBounds& bounds) {
  return automata::parse_edges(text, "edges", bounds.codes(), kTokens);
}

}  // namespace

TEST_CASE("closure: goes on from any part to the same graph") {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Transformer model = small_model(seed);
    const automata::SuffixBounds bounds(model, automata::Emission::parse("min-p:0.4"));
    automata::ClosureOptions options;
    options.rounds = 2;
    const auto whole = automata::close_forward(bounds, kPrompts, options);
    REQUIRE(whole.earlier.size() == 2);
    REQUIRE(whole.round == 3);
    const std::string last = automata::edges_text(whole.graph);
    for (std::size_t round = 0; round < 3; ++round) {
      const ClosedGraph& stopped = round < 2 ? whole.earlier[round] : whole.graph;
      const std::string text = automata::edges_text(stopped);
      for (const std::size_t states :
           {std::size_t{0}, std::size_t{1}, stopped.size() / 2, stopped.size()}) {
        ClosureBegun begun;
        begun.round = round;
        if (round > 0) {
          begun.closed = part_of(automata::edges_text(whole.earlier[round - 1]), bounds);
        }
        begun.part = part_of(first_states(text, states), bounds);
        REQUIRE(begun.part.states.size() == states);
        const auto again = automata::close_forward(bounds, kPrompts, options, begun);
        CHECK(automata::edges_text(again.graph) == last);
        CHECK(again.earlier.size() == 2 - (round > 0 ? round - 1 : 0));
        CHECK((states == 0 || again.work.states <= whole.work.states));
      }
    }
    ClosureBegun all;  // nothing is left to do
    all.round = 3;
    all.closed = part_of(last, bounds);
    const auto again = automata::close_forward(bounds, kPrompts, options, all);
    CHECK(automata::edges_text(again.graph) == last);
    CHECK(again.work.states + again.work.exact == 0);
  }
}

TEST_CASE("closure: what is no part of it is refused") {
  const Transformer model = small_model(1);
  const automata::SuffixBounds bounds(model, automata::Emission::parse("min-p:0.4"));
  const auto whole = automata::close_forward(bounds, kPrompts, {});
  const std::string first = automata::edges_text(whole.earlier.at(0));
  const auto code_of = [&](const ClosureBegun& begun,
                           const std::vector<automata::PromptEnd>& prompts) {
    try {
      (void)automata::close_forward(bounds, prompts, {}, begun);
    } catch (const Error& e) {
      return e.code();
    }
    return ExitCode::ok;
  };
  ClosureBegun begun;
  begun.part = part_of(first, bounds);
  CHECK(code_of(begun, kPrompts) == ExitCode::ok);
  CHECK(code_of(begun, {{{TokenId(3U)}}}) == ExitCode::artifact);
  begun = {};
  begun.round = 1;
  begun.closed = part_of(first_states(first, whole.earlier[0].size() - 1), bounds);
  CHECK(code_of(begun, kPrompts) == ExitCode::artifact);  // a part of a graph is not closed
  begun.closed = part_of(first, bounds);
  begun.part.states = {bounds.codes().encode(std::vector<TokenId>{TokenId(4U)})};
  begun.part.begin = {0, 0};
  CHECK(code_of(begun, kPrompts) == ExitCode::artifact);

  for (const char* text :
       {"assay-closure 2 states 1\n", "assay-closure 1 \n0 1 2 3: 1\n", "assay-closure 1 \n0 1 1\n",
        "assay-closure 1 \n0 5: 1\n", "assay-closure 1 \n0 1: 2 1\n",
        "assay-closure 1 \n0 1: 1 1\n", "assay-closure 1 \n0 1: 1??\n",
        "assay-closure 1 \n0 1: 1 \n", "assay-closure 1 \n0 1: 1", "assay-closure 1 \n\n",
        "assay-closure 1 \n0 -1: 1\n", "assay-closure 1 \n0 1: 99999999999999999999\n"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(part_of(text, bounds), InputError);
  }
  CHECK(part_of("assay-closure 1 \n0 1: 1 2?\n", bounds).edges ==
        std::vector<ClosedGraph::Edge>{2, 5});
}

TEST_CASE("closure: the machine in HOA is the graph") {
  const Transformer model = small_model(2);
  const automata::SuffixBounds bounds(model, automata::Emission::parse("min-p:0.4"));
  const ClosedGraph graph = automata::close_forward(bounds, kPrompts, {}).graph;
  std::vector<automata::Letter> letters(kTokens);
  letters[1] = {1, 1};
  letters[2] = {0, 2};  // the second ap is not decided there
  const auto name = [](TokenId t) {
    return t.at() == 0 ? std::string("\"\n") : std::to_string(t.at());
  };
  const automata::Hoa hoa =
      automata::parse_hoa(automata::closure_hoa(graph, {"a", "b"}, letters, name), "closure.hoa");
  CHECK(hoa.states == graph.size());
  CHECK(hoa.start.size() == graph.initial());
  CHECK_FALSE(hoa.buchi);
  CHECK_FALSE(hoa.finite_words);
  std::size_t k = 0;
  for (std::size_t s = 0; s < graph.size(); ++s) {
    for (const ClosedGraph::Edge e : graph.edges(static_cast<ClosedGraph::Index>(s))) {
      REQUIRE(k < hoa.edges.size());
      const automata::Hoa::Edge& edge = hoa.edges[k++];
      CHECK(edge.from == s);
      CHECK(edge.to == graph.target(static_cast<ClosedGraph::Index>(s), e >> 1U));
      for (std::uint64_t letter = 0; letter < 4; ++letter) {
        const automata::Letter& known = letters[e >> 1U];
        CHECK(edge.label.holds(letter) ==
              ((letter & known.must) == known.must && (letter & ~known.may) == 0));
      }
    }
  }
  CHECK(k == hoa.edges.size());
}
