#include <algorithm>

#include "../../../reports/render/watcher.hpp"
#include "assay/certify/exhibits.hpp"
#include "assay/report/render.hpp"
#include "catch.hpp"
#include "certify_fixture.hpp"

using namespace assay::certify;
using assay::report::render_html;
using fixture::Case;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++n;
  }
  return n;
}

/// "never b after a": start, after an a, unsafe, and one that is settled.
PropertyExhibit property() {
  PropertyExhibit p;
  p.claim = "c";
  p.sentence = "b never follows a.";
  p.formula = "all G(A -> X !B)";
  p.atoms = {{"A", "tok = \"a\""}, {"B", "tok = \"b\""}};
  p.states = {kOpenState, kOpenState, kBadState, kSettledState};
  p.edges = {{0, 0, "!A"}, {0, 1, "A"},    {1, 0, "!A & !B"}, {1, 1, "A & !B"},
             {1, 2, "B"},  {2, 2, "true"}, {0, 3, "C"},       {3, 3, "true"}};
  return p;
}

Counterexample run() {
  return {
      "c",
      "xy",
      "Replayed.",
      {{"a", "A", "1", {{"T/1", "2.000"}}}, {"b", "B; violates here", "2", {{"T/7", "4.000"}}}}};
}

/// The fixture's claim with an automaton and, when violated, a run.
struct Drawn : Case {
  explicit Drawn(Status status, const PropertyExhibit& p = property(),
                 const Counterexample& r = run()) {
    Claim& claim = statement.claims[0];
    claim.status = status;
    add_evidence(statement, paths, "property.json", kPropertyRole, property_json(p));
    claim.evidence.emplace_back("property.json");
    if (status == Status::violated) {
      add_evidence(statement, paths, "run.json", kCounterexampleRole, counterexample_json(r));
      claim.counterexample = "run.json";
      claim.evidence.emplace_back("run.json");
    }
  }
  [[nodiscard]] std::string html() const {
    return render_html({statement_json(statement), {"SHA256:abc"}, paths.evidence});
  }
  [[nodiscard]] std::string chapter() const {
    const std::string page = html();
    const std::size_t begin = page.find("<section id=\"verdicts\"");
    REQUIRE(begin != std::string::npos);
    return page.substr(begin, page.find("</section>", begin) - begin);
  }
};

}  // namespace

TEST_CASE("a violated property: drawn automaton, unsafe state, the run token by token") {
  const Drawn c(Status::violated);
  const std::string chapter = c.chapter();
  REQUIRE(has(chapter, "id=\"verdict-1\""));
  REQUIRE(has(chapter, "b never follows a."));
  REQUIRE(has(chapter, "The run below reaches an unsafe state."));
  REQUIRE(count(chapter, "<g class=\"node open\">") == 2);
  REQUIRE(count(chapter, "<g class=\"node bad\">") == 1);
  REQUIRE(count(chapter, "<g class=\"node settled\">") == 1);
  // One arrow for each edge and one for the start; the two that the run takes are thick.
  REQUIRE(count(chapter, "class=\"tip\"") == property().edges.size() + 1);
  REQUIRE(count(chapter, "class=\"edge taken\"") == 2);
  REQUIRE(has(chapter, "<code>A &amp; !B</code>"));  // the table
  // Prompt in the initial state, then each token with atoms, state and features.
  const std::size_t walk = chapter.find("<ol class=\"walk\"");
  REQUIRE(walk != std::string::npos);
  const std::string steps = chapter.substr(walk);
  const std::string wanted[] = {"prompt</span><bdi class=\"tok\">xy</bdi>",
                                "state <b>0</b>",
                                "1</span><bdi class=\"tok\">a</bdi>",
                                "state <b>1</b>",
                                "--w:50%",
                                "T/1",
                                "2</span><bdi class=\"tok\">b</bdi>",
                                "B; violates here",
                                "class=\"q bad\">state <b>2</b> unsafe",
                                "--w:100%",
                                "T/7"};
  std::size_t at = 0;
  for (const std::string& part : wanted) {
    CAPTURE(part);
    at = steps.find(part, at);
    REQUIRE(at != std::string::npos);
  }
  // The other chapters point here, and the contents name the chapter.
  REQUIRE(count(c.html(), "href=\"#verdict-1\"") == 2);
  REQUIRE(has(c.html(), "href=\"#verdicts\""));
  REQUIRE(count(c.html(), "<ol class=\"walk\"") == 1);
}

TEST_CASE("a property that holds or is not decided has no run; each says what it means") {
  const std::string holds = Drawn(Status::holds).chapter();
  REQUIRE(has(holds, "<b>No</b> run of the domain reaches an unsafe state."));
  REQUIRE_FALSE(has(holds, "class=\"walk\""));
  REQUIRE_FALSE(has(holds, "edge taken"));
  Drawn unknown(Status::unknown);
  unknown.statement.claims[0].reason = "the budget of 3 lemmas is used up.";
  REQUIRE(has(unknown.chapter(), "the budget of 3 lemmas is used up. Treat as <b>not shown</b>."));
  REQUIRE_FALSE(has(unknown.chapter(), "<b>No</b> run"));
  Drawn chance(Status::holds);
  chance.statement.claims[0].kind = "chance";
  chance.statement.claims[0].bound = "1/100";
  chance.statement.claims[0].threshold = "1/20";
  REQUIRE(has(chance.chapter(), "right side of its threshold: 1/100 vs 1/20"));
  REQUIRE(has(chance.chapter(), ">decided</text>"));
  REQUIRE_FALSE(has(chance.chapter(), "unsafe"));
  REQUIRE_FALSE(has(Case().statement.claims[0].kind, "chance"));
  REQUIRE_FALSE(has(render_html({statement_json(Case().statement), {}, ""}), "id=\"verdicts\""));
}

TEST_CASE("a run that names no state of the automaton is walked without states") {
  for (const char* state : {"", "4", "x", "-1", "1 ", "99999999999999999999"}) {
    Counterexample odd = run();
    odd.steps[1].state = state;
    CAPTURE(state);
    REQUIRE(assay::report::path_of(property(), odd).empty());
    const std::string chapter = Drawn(Status::violated, property(), odd).chapter();
    REQUIRE(has(chapter, "class=\"walk\""));
    REQUIRE_FALSE(has(chapter, "edge taken"));
    REQUIRE_FALSE(has(chapter, "class=\"q"));
  }
  REQUIRE(assay::report::path_of(property(), run()) == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE(
    "an automaton that is too large to draw stands as a table, one without states as a word") {
  PropertyExhibit large = property();
  for (std::size_t s = 4; s < 13; ++s) {
    large.states.emplace_back(kOpenState);
    large.edges.push_back({0, s, "A" + std::to_string(s)});
  }
  const std::string table = Drawn(Status::holds, large).chapter();
  REQUIRE_FALSE(has(table, "class=\"watcher\""));
  REQUIRE(has(table, "13 states"));
  REQUIRE(has(table, "<code>A12</code>"));
  large.states.clear();
  large.edges.clear();
  const std::string none = Drawn(Status::violated, large).chapter();
  REQUIRE(has(none, "too many states to be shown"));
  REQUIRE(has(none, "class=\"walk\""));
}

TEST_CASE("hostile names in a property and its run are text") {
  const std::string evil = "\"'><script>x</script>\x1b[2J\xe2\x80\xae";
  PropertyExhibit p = property();
  p.sentence = p.formula = evil;
  p.atoms = {{evil, evil}};
  for (PropertyExhibit::Edge& e : p.edges) {
    e.when = evil;
  }
  p.edges[0].when = "<script>";  // short enough for the drawing
  const std::string page =
      Drawn(Status::violated, p, {"c", evil, evil, {{evil, evil, evil, {{evil, evil}}}}}).html();
  REQUIRE_FALSE(has(page, "<script"));
  REQUIRE_FALSE(has(page, "\x1b"));
  REQUIRE_FALSE(has(page, "\xe2\x80\xae"));
  REQUIRE(has(page, ">&lt;script&gt;</text>"));
}

TEST_CASE("a property or a run that is missing or altered is withheld") {
  Drawn c(Status::violated);
  fixture::put(c.paths.evidence / "run.json", "{}");
  REQUIRE(has(c.chapter(), "Withheld."));
  REQUIRE(has(c.chapter(), "class=\"watcher\""));
  REQUIRE_FALSE(has(c.chapter(), "edge taken"));
  fixture::put(c.paths.evidence / "property.json", "{}");
  REQUIRE(has(c.chapter(), "Withheld."));
  REQUIRE_FALSE(has(c.chapter(), "class=\"watcher\""));
  Case odd;
  add_evidence(odd.statement, odd.paths, "odd.json", kPropertyRole, "{\"version\":\"x\"}");
  odd.statement.claims[0].evidence.emplace_back("odd.json");
  REQUIRE(has(render_html({statement_json(odd.statement), {}, odd.paths.evidence}),
              "not of the documented form"));
}

TEST_CASE("arcs share no place in a lane, and every drawing stays inside its frame") {
  // Every edge between eight states: the fullest drawing.
  PropertyExhibit p = property();
  p.states.assign(8, kOpenState);
  p.edges.clear();
  for (std::size_t from = 0; from < 8; ++from) {
    for (std::size_t to = 0; to < 8; ++to) {
      p.edges.push_back({from, to, "A" + std::to_string(10 * from + to)});
    }
  }
  const std::string svg = assay::report::watcher_svg(p, {}, "unsafe");
  REQUIRE(count(svg, "class=\"tip\"") == 65);
  const auto number_after = [&](std::size_t from, const std::string& key) {
    const std::size_t at = svg.find(key, from);
    return std::stod(svg.substr(at + key.size()));
  };
  const std::size_t frame = svg.find("viewBox=\"0 0 ");
  const double width = std::stod(svg.substr(frame + 13));
  const double height = std::stod(svg.substr(svg.find(' ', frame + 13)));
  std::vector<std::pair<double, double>> labels;
  for (std::size_t at = svg.find("<text class=\"when\""); at != std::string::npos;
       at = svg.find("<text class=\"when\"", at + 1)) {
    labels.emplace_back(number_after(at, " x=\""), number_after(at, " y=\""));
  }
  REQUIRE(labels.size() == 64);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    REQUIRE(labels[i].first >= 20);
    REQUIRE(labels[i].first <= width - 20);
    REQUIRE(labels[i].second >= 11);
    REQUIRE(labels[i].second <= height);
    for (std::size_t j = 0; j < i; ++j) {
      // "A77" is 21 wide and 12 high.
      const bool apart = std::abs(labels[i].first - labels[j].first) >= 21 ||
                         std::abs(labels[i].second - labels[j].second) >= 12;
      REQUIRE(apart);
    }
  }
}
