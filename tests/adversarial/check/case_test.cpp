#include "check_sample.hpp"

using namespace check_test;

TEST_CASE("general: cases and parts of another form are rejected") {
  const auto c = sample({kPlain, "neuron"});
  const auto accepts = [&](const std::function<void(Case&)>& change) {
    return accepts_after(*c, change);
  };
  for (const char* part :
       {"c1 PART root : token 0 0",   "c1 PART root : token 0 1-3", "c1 PART root : token 0 *",
        "c1 PART root : token 2 1",   "c1 PART root : token 3 1",   "c1 PART root : token 0 4",
        "c1 PART root : token 0 1,1", "c1 PART root : token 0 3,1", "c1 PART root : token 0 1,2",
        "c1 PART root : token 0 1-1", "c1 PART root : token 0 3-1", "c1 PART root : token 0 ,1",
        "c1 PART root : token 0 1,",  "c1 PART root : token 0 -",   "c1 PART root : token 0 01",
        "c1 PART root : length 1 2",  "c1 PART root : length 2 4",  "c1 PART root : length 3 2",
        "c1 PART c1 : token 0 1",     "c1 PART q : token 0 1",      "c1 PART root root : token 0 1",
        "c1 PART root : token 1 0-3", "c1 PART root : lengths 2 3"}) {
    INFO(part);
    CHECK_FALSE(accepts(put("c1 PART", part)));
  }
  for (const char* root : {"root ROOT : nodom", "root ROOT dom : dom", "root ROOT : dom dom",
                           "root SUFFIX : 1", "root ROOT : 1"}) {
    CHECK_FALSE(accepts(put("root ROOT", root)));
  }
}

TEST_CASE("general: joins and bounds of another form are rejected") {
  const auto c = sample({kPlain, "neuron"});
  const auto accepts = [&](const std::function<void(Case&)>& change) {
    return accepts_after(*c, change);
  };
  for (const char* join :
       {"fhi JOIN root q hi : fc1hi", "fhi JOIN root q hi : fc3hi fc3hi",
        "fhi JOIN root q hi : fc1lo fc3hi", "fhi JOIN root q lo : fc1hi fc3hi",
        "fhi JOIN c1 q hi : fc1hi fc3hi", "fhi JOIN root q hi : fc1hi fc3hi root",
        "fhi JOIN root q hi :", "fhi JOIN root q hi", "fhi JOIN root fc1hi hi : fc1hi fc3hi"}) {
    INFO(join);
    CHECK_FALSE(accepts(put("fhi JOIN", join)));
  }
  for (const char* bound : {"q BOUND : fhi flo", "q BOUND : flo flo", "q BOUND : fhi fhi",
                            "q BOUND : fc1lo fc1hi", "q BOUND : flo", "q BOUND root : flo fhi",
                            "q BOUND : flo fhi fhi", "q LINEAR root q hi : 0x0p+0 0x0p+0"}) {
    INFO(bound);
    CHECK_FALSE(accepts(put("q BOUND", bound)));
  }
}

TEST_CASE("general: what is not used changes nothing, parts of two kinds cover nothing together") {
  const auto c = sample({kPlain, "neuron"});
  const auto accepts = [&](const std::function<void(Case&)>& change) {
    return accepts_after(*c, change);
  };
  // A case without a fact, and a fact that is not used, change nothing.
  CHECK(accepts(add("fhi JOIN", "d1 PART root : length 2 2")));
  CHECK(accepts(add("fhi JOIN", "e ENUM c1 q hi :")));
  // Parts by length, and by token at another place, cover together with nothing of the first kind.
  CHECK_FALSE(accepts([&](Case& x) {
    add("fhi JOIN", "d1 PART root : length 2 2")(x);
    add("fhi JOIN", "e1 ENUM d1 q hi :")(x);
    put("fhi JOIN", "fhi JOIN root q hi : fc1hi e1")(x);
  }));
  CHECK_FALSE(accepts([&](Case& x) {
    add("fhi JOIN", "d1 PART root : length 3 3")(x);
    add("fhi JOIN", "e1 ENUM d1 q hi :")(x);
    put("fhi JOIN", "fhi JOIN root q hi : e1")(x);
  }));
  CHECK(accepts([&](Case& x) {  // the control: both lengths
    add("fhi JOIN", "d1 PART root : length 2 2")(x);
    add("fhi JOIN", "d2 PART root : length 3 3")(x);
    add("fhi JOIN", "e1 ENUM d1 q hi :")(x);
    add("fhi JOIN", "e2 ENUM d2 q hi :")(x);
    put("fhi JOIN", "fhi JOIN root q hi : e2 e1")(x);
  }));
  for (const char* step :
       {"g LINEAR root q hi : 0x1p+9 0x1p+9", "g LINEAR c1 q : 0x1p+9 0x1p+9",
        "g LINEAR c1 q up : 0x1p+9 0x1p+9", "g LINEAR c1 z hi : 0x1p+9 0x1p+9",
        "g LINEAR c1 q hi : 0x1p+9", "g LINEAR c1 q hi : 0x1p+9 0x1p+9 0x1p+9",
        "g SPHERE c1 q hi :", "g ENUM c1 q hi : 0", "g NORM-LINEAR nc1 q hi :",
        "g CASE-NEURONS root : 5", "g CASE-NEURONS c1 : 4", "g NEURONS c1 : 5", "g BOX root : 4",
        "g CASE-RANGE nc1 0 : 0x1p+9 0x1p+9 0x1p+9 0x1p+9", "g SUFFIX : 1 1 1 1"}) {
    INFO(step);
    CHECK_FALSE(accepts(add("fhi JOIN", step)));
  }
  CHECK(accepts(add("fhi JOIN", "g LINEAR c1 q hi : 0x1p+9 0x1p+9")));
}

TEST_CASE(
    "general: a chain of parts by the position that dominates covers the case, or is rejected") {
  // Where the first token of 0, 2 stands: last but one, else before, else nowhere (DOMINANT).
  TestDomain domain{3, 3, false, {{0, 1, 2}, {0, 2, 3}, {1}}, {0}};
  auto c = make_general(kPlain, domain, "difference");
  c->brute_force();
  c->state(-c->reached[1] - 1e-9, c->reached[0] + 1e-9);
  std::vector<std::string> steps = {"root ROOT : dom", "p1 PART root : token 1 0,2",
                                    "r1 PART root : token 1 3", "p2 PART r1 : token 2 0,2",
                                    "r2 PART r1 : token 2 1"};
  for (const std::string side : {"hi", "lo"}) {
    for (const std::string part : {"p1", "p2", "r2"}) {
      steps.push_back(part + side + " ENUM " + part + " q " + side + " :");
    }
    steps.push_back("j" + side + " JOIN r1 q " + side + " : p2" + side + " r2" + side);
    steps.push_back("f" + side + " JOIN root q " + side + " : p1" + side + " j" + side);
  }
  c->finish(steps);
  const auto outcome = c->check();
  INFO(outcome.lines.back());
  REQUIRE(outcome.accepted);
  const auto accepts = [&](const std::function<void(Case&)>& change) {
    return accepts_after(*c, change);
  };
  // A token in both sets is no gap, a token in neither is one; and so is a link on the wrong case.
  CHECK(accepts(put("r1 PART", "r1 PART root : token 1 2-3")));
  CHECK(accepts(put("r1 PART", "r1 PART root : token 1 0,2-3")));
  for (const char* part :
       {"p1 PART root : token 1 0", "p1 PART root : token 1 2", "r1 PART root : token 1 2",
        "p2 PART r1 : token 2 0", "r2 PART r1 : token 2 0", "r2 PART r1 : token 2 2",
        "p2 PART root : token 2 0,2", "r2 PART root : token 2 1", "p2 PART p1 : token 2 0,2",
        "r1 PART p1 : token 1 0", "p2 PART r1 : token 1 3", "r2 PART r1 : token 2 3"}) {
    INFO(part);
    CHECK_FALSE(accepts(put(std::string(part).substr(0, 7), part)));
  }
  for (const char* join :
       {"jhi JOIN r1 q hi : p2hi", "jhi JOIN r1 q hi : r2hi", "jhi JOIN root q hi : p2hi r2hi",
        "jhi JOIN r1 q hi : p1hi p2hi r2hi", "fhi JOIN root q hi : p1hi",
        "fhi JOIN root q hi : jhi", "fhi JOIN root q hi : p1hi p2hi r2hi",
        "flo JOIN root q lo : p1lo jhi"}) {
    INFO(join);
    CHECK_FALSE(accepts(put(std::string(join).substr(0, 8), join)));
  }
}

TEST_CASE("general: a fact of another claim or domain, the size of an ENUM") {
  const auto c = sample({kPlain, "neuron"});
  const std::string request = read_bytes(*c->inputs.request);
  const auto state = [&](const std::string& extra) {
    std::string text = request;
    text.insert(text.find("bound q"), extra);
    write_file(*c->inputs.request, text);
    c->set_word("statement", 1, digest(*c->inputs.request));
  };
  const auto bound = [&](const std::string& id, const std::string& quantity,
                         const std::string& domain) {
    return "bound " + id + " " + quantity + " domain " + domain + " lo -0x1p+20 hi 0x1p+20\n";
  };
  const auto with = [&](const std::vector<std::string>& steps) {
    return accepts_after(
        *c, [&](Case& x) { x.lines.insert(x.lines.end() - 1, steps.begin(), steps.end()); });
  };
  state(bound("p", "neuron 2", "dom"));
  CHECK_FALSE(with({}));  // p is not concluded
  CHECK_FALSE(with({"p BOUND : flo fhi"}));
  CHECK_FALSE(with({"h ENUM root p hi :", "l ENUM root p lo :", "p BOUND : l fhi"}));
  CHECK(with({"h ENUM root p hi :", "l ENUM root p lo :", "p BOUND : l h"}));
  CHECK_FALSE(with({"h ENUM root p hi :", "p ENUM root p lo :", "p2 BOUND : p h"}));
  state("domain dom2 lengths 1 any sets 1 * rest *\n" + bound("p", "neuron 2", "dom2"));
  CHECK_FALSE(with({"h ENUM root p hi :", "l ENUM root p lo :", "p BOUND : l h"}));
  CHECK(with({"r2 ROOT : dom2", "h ENUM r2 p hi :", "l ENUM r2 p lo :", "p BOUND : l h"}));
  CHECK_FALSE(with({"r2 ROOT : dom2", "h ENUM root p hi :", "l ENUM r2 p lo :", "p BOUND : l h"}));
  // 4 · 4 · 4 contexts of 3 and more tokens, 4 · 4 of 2, 4 of 1; a window of 9 has 4^9 and is too much.
  const std::string path = c->inputs.model + "/config.json";
  Family wide = kPlain;
  wide.window = 9;
  const FamilyModel model(wide);
  model.save(c->inputs.model);
  c->set_word("model", 1, digest(path));
  c->set_word("model", 2, digest(c->inputs.model + "/model.safetensors"));
  state("domain a lengths 1 8 sets 1 1 rest *\ndomain b lengths 1 9 sets 1 * rest *\n" +
        bound("p", "neuron 2", "a") + bound("p2", "neuron 2", "b"));
  const auto enumerated = [&](const std::string& domain, const std::string& claim) {
    return accepts_after(*c, [&](Case& x) {
      x.lines.resize(x.find("statement") + 1);
      x.lines.push_back("r ROOT : " + domain);
      x.lines.push_back("h ENUM r " + claim + " hi :");
      x.lines.push_back("end 2");
    });
  };
  CHECK_FALSE(enumerated("b", "p2"));
  const auto outcome = [&] {
    const std::vector<std::string> saved = c->lines;
    c->lines.resize(c->find("statement") + 1);
    for (const char* line : {"r ROOT : b", "h ENUM r p2 hi :", "end 2"}) {
      c->lines.push_back(line);
    }
    const auto result = c->check();
    c->lines = saved;
    return result.lines.back();
  }();
  CHECK(outcome.find("65536") != std::string::npos);
}

TEST_CASE("general: SUFFIX rules and WITNESS keep to their family") {
  for (const Family& family : {kGelu, kNorm, kNormAttention}) {
    const auto c = make_general(family, TestDomain{}, "residual");
    REQUIRE(c->check().accepted);
    CHECK_FALSE(accepts_after(*c, [&](Case& x) {
      x.lines.insert(x.lines.begin() + static_cast<std::ptrdiff_t>(x.find("root ROOT")),
                     "s SUFFIX : 1");
    }));
  }
  const auto c = sample({kPlain, "neuron"});
  const auto with = [&](const std::vector<std::string>& steps) {
    return accepts_after(*c, [&](Case& x) {
      x.lines.insert(x.lines.begin() + static_cast<std::ptrdiff_t>(x.find("root ROOT")),
                     steps.begin(), steps.end());
    });
  };
  CHECK(with({"s SUFFIX : 3 1"}));
  CHECK_FALSE(with({"s SUFFIX : 3 1", "p PART s : token 2 1"}));
  CHECK_FALSE(with({"s SUFFIX : 3 1", "p CASE-NEURONS s : 5"}));
  CHECK_FALSE(with({"s SUFFIX : 3 1", "p BOX s : 4"}));
}

TEST_CASE("general: norms") {
  const auto c = sample({kNorm, "difference"});
  const auto accepts = [&](const std::function<void(Case&)>& change) {
    return accepts_after(*c, change);
  };
  const auto number = [&](const std::string& prefix, std::size_t back) {
    const auto words = words_of(c->lines[c->find(prefix)]);
    return std::pair(words.size() - back, std::strtod(words[words.size() - back].c_str(), nullptr));
  };
  for (const char* prefix : {"tc1 SPREAD", "rfc1hi FINAL-SPREAD"}) {
    const auto [lo, s_lo] = number(prefix, 2);
    const auto [hi, s_hi] = number(prefix, 1);
    CHECK_FALSE(accepts([&](Case& x) { x.set_word(prefix, lo, hex(s_lo * (1 + 1e-7))); }));
    CHECK_FALSE(accepts([&](Case& x) { x.set_word(prefix, hi, hex(s_hi * (1 - 1e-7))); }));
    for (const char* bad : {"0x0p+0", "-0x1p-9"}) {
      CHECK_FALSE(accepts([&](Case& x) { x.set_word(prefix, lo, bad); }));
      CHECK_FALSE(accepts([&](Case& x) { x.set_word(prefix, hi, bad); }));
    }
  }
  for (const auto& [prefix, line] : std::vector<std::pair<std::string, std::string>>{
           {"fc1hi FINAL", "fc1hi FINAL c1 q hi : pfc1lo rfc1hi"},
           {"fc1hi FINAL", "fc1hi FINAL c1 q hi : pfc3hi rfc1hi"},
           {"fc1hi FINAL", "fc1hi FINAL c1 q hi : pfc1hi rfc3hi"},
           {"fc1hi FINAL", "fc1hi FINAL c1 q hi : pfc1hi tc1"},
           {"fc1hi FINAL", "fc1hi FINAL root q hi : pfc1hi rfc1hi"},
           {"fhi JOIN", "fhi JOIN root q hi : pfc1hi fc3hi"},
           {"nc1 NORM-NEURONS", "nc1 CASE-NEURONS c1 : 5"},
           {"nc1 NORM-NEURONS", "nc1 NORM-NEURONS tc3 : 5"},
           {"nc1 NORM-NEURONS", "nc1 NORM-NEURONS bc1 : 5"},
           {"nc1.0 ", "nc1.0 NORM-RANGE nc1 1 : 0x1p+9 0x1p+9 0x1p+9 0x1p+9"},
           {"bc1 BOX", "bc1 BOX c1 : 5"},
           {"bc1 BOX", "bc1 BOX root : 4"}}) {
    INFO(line);
    CHECK_FALSE(accepts(put(prefix, line)));
  }
  const auto add = [&](const std::string& line) {
    return accepts([&](Case& x) {
      x.lines.insert(x.lines.begin() + static_cast<std::ptrdiff_t>(x.find("fhi JOIN")), line);
    });
  };
  const std::string heads = " 0x1p+9 0x1p+9", slopes = " 0x0p+0 0x0p+0 0x0p+0 0x0p+0 0x0p+0";
  CHECK_FALSE(add("g LINEAR c1 q hi :" + heads));  // a logit under LNfinal is no such target
  CHECK_FALSE(add("g NORM-FOLD c1 nc1 q hi : S" + slopes + " A" + heads + " B" + heads));
  CHECK_FALSE(add("g NORM-LINEAR nc1 q hi :"));
  CHECK_FALSE(add("g PART-NUM c1 q hi : FOLD nc1 S" + slopes + " L" + heads));
  CHECK_FALSE(add("g PART-NUM c1 q hi : LINEAR" + heads));
  CHECK_FALSE(add("g PART-NUM c3 q hi : NORM-FOLD nc1 S" + slopes + " A" + heads + " B" + heads));
  CHECK_FALSE(add("g FINAL-SPREAD c1 : bc1 - 0x1p-9 0x1p+9"));
  CHECK_FALSE(add("g FINAL-SPREAD c1 : bc3 nc1 0x1p-9 0x1p+9"));
  CHECK_FALSE(add("g FINAL-SPREAD c1 : bc1 bc1 0x1p-9 0x1p+9"));
  CHECK(add("g PART-NUM c1 q hi : NORM-FOLD nc1 S" + slopes + " A" + heads + " B" + heads));
  CHECK(add("g FINAL-SPREAD c1 : bc1 nc1 0x1p-9 0x1p+9"));
  CHECK(add("g SPHERE root q hi :"));
}
