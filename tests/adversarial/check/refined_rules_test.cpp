// Kind refined, rule by rule: what each condition refuses, with the untouched control accepted.
#include "catch.hpp"
#include "check_refined.hpp"

using namespace check_test;

namespace {

/// With OUT, ATOM, NEVER and STATE lines, about a feature.
std::unique_ptr<RefinedCase> feature_case() {
  return make_refined({6, "min-p 4/5 temperature 1 order after", "sets 3", true, true, 3});
}

/// The lines with `more` before the step that concludes.
Lines with(const RefinedCase& c, const Lines& more) {
  Lines lines = c.lines;
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(c.find("p REFINED")), more.begin(),
               more.end());
  return lines;
}

/// What the checker says of the lines: "" when it accepts them, else the reason.
std::string reason(RefinedCase& c, Lines lines) {
  const Lines good = std::exchange(c.lines, std::move(lines));
  c.recount();
  const auto outcome = c.check();
  c.lines = good;
  return outcome.accepted ? "" : outcome.lines.back().substr(outcome.lines.back().find(": ") + 2);
}

/// The first step by a rule.
std::string step_by(const RefinedCase& c, const std::string& rule) {
  for (const std::string& line : c.lines) {
    const std::size_t at = line.find(' ') + 1;
    if (line.compare(at, rule.size() + 1, rule + " ") == 0) {
      return line;
    }
  }
  throw std::runtime_error("no step by " + rule);
}

void refuses(RefinedCase& c, const Lines& more, const std::string& why) {
  INFO(more.back());
  const std::string said = reason(c, with(c, more));
  INFO("said: " << said);
  CHECK(said.find(why) != std::string::npos);
  CHECK(said != "");
}

const std::string kAll = " lengths 1 any sets 1 * rest *";

/// A lemma, its ROOT and an ENUM fact.
Lines fact(const std::string& id, const std::string& quantity, const std::string& box,
           const std::string& side) {
  return {"l" + id + " LEMMA : " + quantity + " " + box, "r" + id + " ROOT : l" + id,
          "f" + id + " ENUM r" + id + " l" + id + " " + side + " :"};
}

Lines operator+(Lines a, const Lines& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("refined rules: LEMMA names a quantity and a box that has a view") {
  const auto c = feature_case();
  REQUIRE(reason(*c, c->lines) == "");
  for (const char* good : {"feature 1 lengths 1 any sets 1 * rest *",
                           "logit-difference 0 1 lengths 4 9 sets 4 0 1 2 3 rest 4",
                           "logit-mixture 2 2 0 65535 4 1 lengths 2 2 sets 1 0 rest *",
                           "logit-mixture 2 1 0 65536 lengths 2 2 sets 1 0 rest *",
                           "readout none lengths 1 2 sets 1 * rest 0-2,4"}) {
    INFO(good);
    CHECK(reason(*c, with(*c, {std::string("x LEMMA : ") + good})) == "");
  }
  for (const char* bad : {"feature 1",
                          "lengths 1 any sets 1 * rest *",
                          "",
                          "feature lengths 1 any sets 1 * rest *",
                          "feature 1 2 lengths 1 any sets 1 * rest *",
                          "token 1 lengths 1 any sets 1 * rest *",
                          "feature 1 lengths 5 any sets 1 * rest *",
                          "feature 1 lengths 5 6 sets 1 * rest *",
                          "feature 1 lengths 3 2 sets 1 * rest *",
                          "feature 1 lengths 0 2 sets 1 * rest *",
                          "feature 1 lengths 1 2 sets 2 * * rest *",
                          "feature 1 lengths 1 2 sets 0 rest *",
                          "feature 1 lengths 1 2 sets 1 5 rest *",
                          "feature 1 lengths 1 2 sets 1 * rest 2-5",
                          "feature 1 lengths 1 2 sets 1 * *",
                          "feature 1 lengths 1 2 sets 1 * rest * *",
                          "logit-mixture 2 2 0 65535 4 2 lengths 1 2 sets 1 0 rest *",
                          "logit-mixture 2 2 0 65535 4 0 lengths 1 2 sets 1 0 rest *",
                          "logit-mixture 2 2 0 65537 4 0 lengths 1 2 sets 1 0 rest *",
                          "logit-mixture 2 2 0 32768 0 32768 lengths 1 2 sets 1 0 rest *",
                          "logit-mixture 2 2 2 32768 0 32768 lengths 1 2 sets 1 0 rest *",
                          "logit-mixture 2 0 lengths 1 2 sets 1 0 rest *",
                          "logit-mixture 2 1 0 65536 1 lengths 1 2 sets 1 0 rest *",
                          "logit-mixture 2 1 0 65536 1 0 lengths 1 2 sets 1 0 rest *",
                          "logit-mixture 2 1 0 -1 lengths 1 2 sets 1 0 rest *"}) {
    INFO(bad);
    CHECK(reason(*c, with(*c, {std::string("x LEMMA : ") + bad})) != "");
  }
  refuses(*c, {"x LEMMA d : feature 1" + kAll}, "expected LEMMA");
  refuses(*c, {"x LEMMA : feature 1" + kAll, "x LEMMA : feature 1" + kAll}, "second step");
  refuses(*c, {"p LEMMA : feature 1" + kAll}, "id of a claim");
  refuses(*c, {"other LEMMA : feature 1" + kAll}, "id of a claim");
}

TEST_CASE("refined rules: facts are of lemmas, ROOT cases serve equal boxes only") {
  const auto c = feature_case();
  const std::string F = "feature 1", box = "lengths 1 9 sets 1 0-4 rest *";
  // `lengths 1 9`, `1 any`, 0-4 and * are the same box here
  CHECK(reason(*c, with(*c, fact("x", F, kAll.substr(1), "hi") +
                                Lines{"ly LEMMA : " + F + " " + box,
                                      "fy ENUM rx ly hi :", "rz ROOT : ly",
                                      "fz JOIN rz ly hi :"})) != "");  // JOIN of nothing
  CHECK(reason(*c, with(*c, fact("x", F, kAll.substr(1), "hi") +
                                Lines{"ly LEMMA : " + F + " " + box, "fy ENUM rx ly hi :"})) == "");
  refuses(*c, {"rx ROOT : nothing"}, "no earlier lemma");
  refuses(*c, {"rx ROOT : d"}, "no earlier lemma");
  refuses(*c, {"rx ROOT : p"}, "no earlier lemma");
  const std::string root = step_by(*c, "ROOT");
  const std::string r = root.substr(0, root.find(' '));
  refuses(*c, {"fx ENUM " + r + " nothing hi :"}, "no earlier lemma");
  refuses(*c, {"fx ENUM " + r + " p hi :"}, "no earlier lemma");
  refuses(*c, fact("x", "feature 3", kAll.substr(1), "hi"), "no such feature");
  refuses(*c, fact("x", "logit-difference 0 5", kAll.substr(1), "hi"), "no such token");
  refuses(*c, fact("x", "logit-mixture 5 1 0 65536", kAll.substr(1), "hi"), "no such token");
  refuses(*c, fact("x", "logit-mixture 0 1 5 65536", kAll.substr(1), "hi"), "no such token");
  refuses(*c, fact("x", "readout none", kAll.substr(1), "hi"), "readout");
  refuses(*c, fact("x", "residual-mid g", kAll.substr(1), "hi"), "not a request");
  refuses(*c, fact("x", "feature 1", kAll.substr(1), "hi-2"), "rivals");
}

TEST_CASE("refined rules: rules of other kinds do not belong to the kind") {
  const auto c = feature_case();
  for (const char* step :
       {"s SUFFIX : 1", "n NEURONS s : 6", "w WINDOWS d : 0 0 1", "p EXACT d :", "p BOUND : a b",
        "p MUST-OFF : a", "p INV d : 0,0", "b BOX r : 4", "p FLOAT32 r :", "t SPREAD b : 0"}) {
    INFO(step);
    CHECK(reason(*c, with(*c, {step})).find("no such rule") != std::string::npos);
  }
  for (const char* kind : {"bounds", "exact", "automaton", "erasure", "site", "refine"}) {
    Lines lines = c->lines;
    lines[1] = std::string("kind ") + kind;
    CHECK(reason(*c, lines) != "");
  }
  Lines lines = c->lines;
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(c->find("runs ")));
  CHECK(reason(*c, lines) != "");
  lines = c->lines;
  lines[2] = "semantics DEPLOYED";
  CHECK(reason(*c, lines) != "");
  lines = c->lines;
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(c->find("sae ")));
  CHECK(reason(*c, lines) != "");
}

TEST_CASE("refined rules: a block of ranges is not interrupted, and is complete") {
  const auto c = feature_case();
  const Lines open = {"lx LEMMA : feature 1 lengths 1 1 sets 1 0 rest *", "rx ROOT : lx",
                      "nx CASE-NEURONS rx : 6"};
  CHECK(reason(*c, with(*c, open)) != "");
  CHECK(reason(*c, with(*c, open + Lines{"x NEVER : lengths 1 1 sets 1 0 rest *"}))
            .find("range lines") != std::string::npos);
  Lines lines = c->lines;
  lines.insert(lines.end() - 1, open.begin(), open.end());
  CHECK(reason(*c, lines).find("not complete") != std::string::npos);
}

TEST_CASE("refined rules: OUT needs a whole box, side hi, a strict bound below the cut") {
  const auto c = feature_case();
  const std::string line = step_by(*c, "OUT");
  // token t is out in this box of single current token, by this lemma
  const std::string f = line.substr(line.rfind(' ') + 1), id = f.substr(1);
  const std::string lemma = c->lines[c->find("l" + id + " LEMMA")];
  const std::string box = lemma.substr(lemma.find("lengths"));
  const std::string quantity =
      lemma.substr(lemma.find(": ") + 2, lemma.find(" lengths") - lemma.find(": ") - 2);
  const std::string T = quantity.substr(quantity.find(' ') + 1, 1);
  const std::string root = "r" + id;
  CHECK(reason(*c, with(*c, {"ux OUT : " + f})) == "");
  refuses(*c, {"ux OUT :"}, "expected OUT");
  refuses(*c, {"ux OUT : " + f + " " + f}, "expected OUT");
  refuses(*c, {"ux OUT d : " + f}, "expected OUT");
  refuses(*c, {"ux OUT : nothing"}, "whole box");
  refuses(*c, {"ux OUT : d"}, "whole box");
  refuses(*c, {"ux OUT : l" + id}, "whole box");
  refuses(*c, fact("x", quantity, box, "lo") + Lines{"ux OUT : fx"}, "side hi");
  refuses(*c, fact("x", "logit " + T, box, "hi") + Lines{"ux OUT : fx"}, "side hi");
  refuses(*c, fact("x", "feature 1", box, "hi") + Lines{"ux OUT : fx"}, "side hi");
  refuses(*c, fact("x", "logit-difference " + T + " " + T, box, "hi") + Lines{"ux OUT : fx"},
          "cut");
  // a fact about a part of the box, or about another box, is not one about the box
  refuses(*c,
          {"lx LEMMA : " + quantity + kAll, "rx ROOT : lx", "px PART rx : token 0 0",
           "fx ENUM px lx hi :", "ux OUT : fx"},
          "whole box");
  refuses(*c,
          fact("x", "feature 1", "lengths 1 1 sets 1 0 rest *", "hi") +
              Lines{"ly LEMMA : " + quantity + kAll, "fy ENUM rx ly hi :", "uy OUT : fy"},
          "whole box");
  // by JOIN over parts that cover it, it is
  Lines parts = {"lx LEMMA : logit-difference 0 1 lengths 1 2 sets 1 3 rest *",
                 "rx ROOT : lx",
                 "p1 PART rx : length 1 1",
                 "p2 PART rx : length 2 2",
                 "f1x ENUM p1 lx hi :",
                 "f2x ENUM p2 lx hi :"};
  refuses(*c, parts + Lines{"jx JOIN rx lx hi : f1x", "ux OUT : jx"}, "do not cover");
  const std::string by_join =
      reason(*c, with(*c, parts + Lines{"jx JOIN rx lx hi : f1x f2x", "ux OUT : jx"}));
  const std::string by_enum =
      reason(*c, with(*c, parts + Lines{"ex ENUM rx lx hi :", "ux OUT : ex"}));
  CHECK(by_join == by_enum);
}

TEST_CASE("refined rules: the cut is the decoder's") {
  // Q on one view in doubles, and decoders whose cut lies just above and just below it
  const auto c = feature_case();
  const Tokens view = c->views.front();
  const Vector& l = c->logits.at(view);
  std::size_t t = 0, y = 0;
  for (std::size_t i = 0; i < l.size(); ++i) {
    t = l[i] < l[t] ? i : t;
    y = l[i] > l[y] ? i : y;
  }
  const double gap = l[t] - l[y];
  REQUIRE(gap < -0.01);
  const Lines out = fact("x", "logit-difference " + std::to_string(t) + " " + std::to_string(y),
                         "lengths 1 1 sets 1 " + std::to_string(view[0]) + " rest *", "hi") +
                    Lines{"ux OUT : fx"};
  const auto said = [&](const std::string& decoder) {
    write_file(*c->inputs.runs,
               "assay-runs 1\ndecoder " + decoder + "\nprompts sets 3\nmax-new any\nend\n");
    c->set_word("runs", 1, digest(*c->inputs.runs));
    // the steps alone, so that OUT is what decides; nothing is concluded in the end
    Lines lines(c->lines.begin(),
                c->lines.begin() + static_cast<std::ptrdiff_t>(c->find("statement")) + 1);
    lines = lines + out + Lines{c->lines.back()};
    return reason(*c, lines);
  };
  const auto min_p = [&](double cut, double T, const char* order) {
    const auto num = static_cast<long long>(std::exp(cut / (order[0] == 'b' ? T : 1)) * 1e12);
    return said("min-p " + std::to_string(num) + "/1000000000000 temperature " +
                std::to_string(static_cast<int>(T)) + " order " + order);
  };
  const std::string shown = "nothing is concluded", not_shown = "decoder's cut";
  CHECK(min_p(gap + 1e-6, 1, "after").find(shown) != std::string::npos);
  CHECK(min_p(gap - 1e-6, 1, "after").find(not_shown) != std::string::npos);
  CHECK(min_p(gap + 1e-6, 3, "after").find(shown) != std::string::npos);
  CHECK(min_p(gap - 1e-6, 3, "after").find(not_shown) != std::string::npos);
  CHECK(min_p(gap + 1e-6, 3, "before").find(shown) != std::string::npos);
  CHECK(min_p(gap - 1e-6, 3, "before").find(not_shown) != std::string::npos);
  CHECK(said("greedy").find(shown) != std::string::npos);
  CHECK(said("top-k 1").find(shown) != std::string::npos);
  CHECK(said("top-k 2").find("fewer than k") != std::string::npos);
  for (const char* other :
       {"plain", "top-p 1/2 temperature 1 order after", "greedy allow before 0-4",
        "greedy allow after 0-4", "top-k 1 allow before 0-4",
        "min-p 1/1 temperature 1 order after allow before 0-4"}) {
    INFO(other);
    CHECK(said(other).find(shown) == std::string::npos);
  }
  CHECK(said("min-p 1/1 temperature 1 order after").find(shown) != std::string::npos);
}

TEST_CASE("refined rules: top-k counts different tokens that are greater in one box") {
  const auto c = make_refined({5, "top-k 2", "sets 0 1 2 3 4 0", false, true, 2});
  const std::string line = step_by(*c, "OUT");
  std::istringstream in(line);
  std::string u, rule, colon, f1, f2;
  in >> u >> rule >> colon >> f1 >> f2;
  REQUIRE(f2 != "");
  const std::string lemma = c->lines[c->find("l" + f1.substr(1) + " LEMMA")];
  const std::string box = lemma.substr(lemma.find("lengths"));
  const std::string quantity =
      lemma.substr(lemma.find(": ") + 2, lemma.find(" lengths") - lemma.find(": ") - 2);
  const std::string T = quantity.substr(quantity.find(' ') + 1, 1),
                    y = quantity.substr(quantity.rfind(' ') + 1);
  CHECK(reason(*c, with(*c, {"ux OUT : " + f1 + " " + f2})) == "");
  CHECK(reason(*c, with(*c, {"ux OUT : " + f2 + " " + f1 + " " + f1})) == "");
  refuses(*c, {"ux OUT : " + f1}, "fewer than k");
  refuses(*c, {"ux OUT : " + f1 + " " + f1}, "fewer than k");
  refuses(*c, fact("x", quantity, box, "hi") + Lines{"ux OUT : " + f1 + " fx"}, "fewer than k");
  refuses(*c,
          fact("x", "logit-mixture " + T + " 1 " + y + " 65536", box, "hi") +
              Lines{"ux OUT : " + f1 + " fx"},
          "side hi about");
  refuses(*c, {"ux OUT :"}, "expected OUT");
  // the second fact is about a smaller box
  const ViewBox big = c->read_box([&] {
    std::istringstream words(box);
    std::vector<std::string> out;
    for (std::string each; words >> each;) {
      out.push_back(each);
    }
    return out;
  }());
  for (const ViewBox& part : c->split(big)) {
    const std::string other = c->lines[c->find("l" + f2.substr(1) + " LEMMA")];
    const std::string q2 =
        other.substr(other.find(": ") + 2, other.find(" lengths") - other.find(": ") - 2);
    refuses(*c, fact("x", q2, c->text(part), "hi") + Lines{"ux OUT : " + f1 + " fx"}, "this box");
    break;
  }
}

TEST_CASE("refined rules: ATOM decides what the ap reads, by the fact's side") {
  const auto c = feature_case();
  // one view where the feature is on, one where it is off
  const auto view = [&](bool on) {
    for (const Tokens& v : c->views) {
      if (std::fabs(c->pre.at(v)) > 1e-3 && (c->pre.at(v) > 0) == on && v.size() == 1) {
        return "lengths 1 1 sets 1 " + std::to_string(v[0]) + " rest *";
      }
    }
    throw std::runtime_error("no such view");
  };
  const std::string on = view(true), off = view(false);
  const auto atom = [](const std::string& ap, const std::string& value) {
    return Lines{"tx ATOM : fx " + ap + " " + value};
  };
  CHECK(reason(*c, with(*c, fact("x", "feature 1", on, "lo") + atom("1", "+"))) == "");
  CHECK(reason(*c, with(*c, fact("x", "feature 1", off, "hi") + atom("1", "-"))) == "");
  const std::string no = "not shown to be decided";
  refuses(*c, fact("x", "feature 1", on, "hi") + atom("1", "+"), no);
  refuses(*c, fact("x", "feature 1", on, "hi") + atom("1", "-"), no);
  refuses(*c, fact("x", "feature 1", on, "lo") + atom("1", "-"), no);
  refuses(*c, fact("x", "feature 1", off, "lo") + atom("1", "-"), no);
  refuses(*c, fact("x", "feature 1", off, "lo") + atom("1", "+"), no);
  refuses(*c, fact("x", "feature 1", off, "hi") + atom("1", "+"), no);
  refuses(*c, fact("x", "feature 1", on, "lo") + atom("0", "+"), "what the ap reads");
  refuses(*c, fact("x", "feature 1", on, "lo") + atom("2", "+"), "an ap below 2");
  refuses(*c, fact("x", "feature 1", on, "lo") + atom("1", "1"), "expected ATOM");
  refuses(*c, fact("x", "feature 1", on, "lo") + Lines{"tx ATOM : fx 1"}, "expected ATOM");
  refuses(*c, fact("x", "feature 2", on, "lo") + atom("1", "+"), "what the ap reads");
  refuses(*c, fact("x", "feature-difference 1 2", on, "lo") + atom("1", "+"), "what the ap reads");
  refuses(*c, fact("x", "neuron 1", on, "lo") + atom("1", "+"), "what the ap reads");
  refuses(*c,
          {"lx LEMMA : feature 1" + kAll, "rx ROOT : lx", "px PART rx : token 0 0",
           "fx ENUM px lx lo :", "tx ATOM : fx 1 +"},
          "whole box");
}

TEST_CASE("refined rules: no STATE is bad, no NEVER holds what may be reached") {
  const auto c = feature_case();
  const std::string line = step_by(*c, "STATE");
  REQUIRE(reason(*c, c->lines) == "");
  refuses(*c, {"x STATE d : 2" + kAll}, "bad state");
  refuses(*c, {"x STATE d : 3" + kAll}, "a state below 3");
  refuses(*c, {"x STATE d :" + kAll}, "natural number");
  refuses(*c, {"x STATE d : 0"}, "expected lengths");
  refuses(*c, {"x STATE : 0" + kAll}, "not a DFA");
  refuses(*c, {"x STATE p : 0" + kAll}, "not a DFA");
  refuses(*c, {"x STATE d d : 0" + kAll}, "expected STATE");
  refuses(*c, {"x STATE d : 0 lengths 5 any sets 1 * rest *"}, "no view");
  refuses(*c, {"x NEVER d :" + kAll}, "expected NEVER");
  refuses(*c, {"x NEVER :"}, "expected lengths");
  refuses(*c, {"x NEVER : lengths 5 any sets 1 * rest *"}, "no view");
  refuses(*c, {"x NEVER : lengths 1 1 sets 1 3 rest *"}, "a prompt lies in a NEVER box");
  refuses(*c, {"x NEVER :" + kAll}, "a prompt lies in a NEVER box");
  // every reached view that is not a prompt, one at a time
  std::size_t tried = 0;
  for (const ViewBox& box : c->boxes_of(c->reachable)) {
    if (box.lo > 1 && ++tried < 20) {
      refuses(*c, {"x NEVER : " + c->text(box)}, "may be reached by token");
    }
  }
  CHECK(tried > 0);
  // a NEVER box cannot be believed because another, false one is: both are shown together
  refuses(*c, {"x NEVER : lengths 2 any sets 1 * rest *"}, "may be reached by token");
  // the same STATE twice says nothing new; more views than are reached only help where they close up
  CHECK(reason(*c, with(*c, {"x" + line})) == "");
}

TEST_CASE(
    "refined rules: every STATE, NEVER, OUT and ATOM that is left out is missed, or was not "
    "needed") {
  const auto c = feature_case();
  std::map<std::string, std::pair<int, int>> count;  // rule: left out, missed
  for (std::size_t i = c->find("statement") + 1; i + 1 < c->lines.size(); ++i) {
    std::istringstream in(c->lines[i]);
    std::string id, rule;
    in >> id >> rule;
    if (i % 3 == 0 && (rule == "STATE" || rule == "NEVER" || rule == "OUT" || rule == "ATOM")) {
      Lines lines = c->lines;
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
      const std::string said = reason(*c, lines);
      CHECK((said == "" || said.find("REFINED: ") != std::string::npos));
      ++count[rule].first;
      count[rule].second += said == "" ? 0 : 1;
    }
  }
  for (const auto& [rule, n] : count) {
    INFO(rule << ": " << n.second << " of " << n.first << " missed");
    CHECK(n.second > 0);
  }
  CHECK(count.size() == 4);
}

TEST_CASE("refined rules: REFINED is of a safety property and its own DFA") {
  const auto c = feature_case();
  Lines lines = c->lines;
  std::string& last = lines[c->find("p REFINED")];
  const auto said = [&](const std::string& step) {
    last = step;
    return reason(*c, lines);
  };
  REQUIRE(said("p REFINED d :") == "");
  CHECK(said("p REFINED d : 1") != "");
  CHECK(said("p REFINED : d") != "");
  CHECK(said("p REFINED d d :") != "");
  CHECK(said("p REFINED s :").find("not a DFA") != std::string::npos);
  CHECK(said("other REFINED d :").find("not a DFA of this property") != std::string::npos);
  CHECK(said("live REFINED d :").find("not a DFA of this property") != std::string::npos);
  CHECK(said("zzz REFINED d :") != "");
  // a DFA that allows more, and a second DFA without STATE lines
  lines = c->lines;
  lines[c->find("d DFA")] = "d DFA p : 3 0 B T 0 1 0 1 0 1 2 2 2 2 2 2";
  CHECK(reason(*c, lines) != "");
  lines = with(*c, {"d2 DFA p : 3 0 B 2 T 0 1 0 1 0 1 2 2 2 2 2 2"});
  lines[lines.size() - 2] = "p REFINED d2 :";
  CHECK(reason(*c, lines).find("a prompt lies in no STATE") != std::string::npos);
}

TEST_CASE("refined rules: models outside the family are refused") {
  const auto c = feature_case();
  REQUIRE(reason(*c, c->lines) == "");
  const std::string path = c->inputs.model + "/config.json", config = read_bytes(path);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"relu\"", "\"gelu\""},
           {"\"normalization_type\":null", "\"normalization_type\":\"LNPre\""},
           {"\"attention_window\":4", "\"attention_window\":null"},
           {"\"relative_bias\":true", "\"relative_bias\":false"},
           {"\"d_vocab_out\":5", "\"d_vocab_out\":4"}}) {
    std::string other = config;
    const std::size_t at = other.find(from);
    REQUIRE(at != std::string::npos);
    write_file(path, other.replace(at, from.size(), to));
    c->set_word("model", 1, digest(path));
    INFO(to);
    CHECK(reason(*c, c->lines) != "");
  }
  write_file(path, config);
  c->set_word("model", 1, digest(path));
  CHECK(reason(*c, c->lines) == "");
}

TEST_CASE("refined rules: other runs are another statement") {
  const auto c = feature_case();
  const auto said = [&](const std::string& prompts, const std::string& decoder) {
    write_file(*c->inputs.runs, "assay-runs 1\ndecoder " + decoder + "\nprompts " + prompts +
                                    "\nmax-new any\nend\n");
    c->set_word("runs", 1, digest(*c->inputs.runs));
    return reason(*c, c->lines);
  };
  const std::string decoder = c->options.decoder;
  REQUIRE(said("sets 3", decoder) == "");
  CHECK(said("sets 2", decoder) != "");
  CHECK(said("sets 2-3", decoder) != "");
  CHECK(said("any 1", decoder) != "");
  CHECK(said("any 9", decoder) != "");
  CHECK(said("sets 3 3 3 3 3 3", decoder) != "");
  CHECK(said("sets 3", "plain") != "");
  CHECK(said("sets 3", "min-p 1/2 temperature 1 order after") != "");
}
