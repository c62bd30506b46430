#include "catch.hpp"
#include "check_general.hpp"

using namespace check_test;

namespace {

const Family kPlain{"relative_bias", "relu", "", true, false, 3, 3};
const Family kGelu{"standard", "gelu", "", false, false, 0, 4};
const Family kNorm{"rotary", "gelu_new", "LN", false, false, 3, 5};
const Family kNormAttention{"standard", "relu", "LNPre", true, true, 0, 6};

bool accepts_after(GeneralCase& c, const std::function<void(GeneralCase&)>& change,
                   bool recount = true) {
  const std::vector<std::string> saved = c.lines;
  change(c);
  if (recount) {
    c.recount();
  }
  const bool accepted = c.check().accepted;
  c.lines = saved;
  return accepted;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string each; in >> each;) {
    words.push_back(each);
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    line += (line.empty() ? "" : " ") + word;
  }
  return line;
}

struct Sample {
  Family family;
  std::string kind;
};

const std::vector<Sample> kSamples = {
    {kPlain, "neuron"},      {kPlain, "difference"}, {kGelu, "readout:mlp_out"}, {kNorm, "neuron"},
    {kNorm, "feature:post"}, {kNorm, "difference"},  {kNormAttention, "logit"}};

std::unique_ptr<GeneralCase> sample(const Sample& s) {
  TestDomain domain;
  domain.any = s.family.window != 0 && s.family.positions != "standard";
  auto c = make_general(s.family, domain, s.kind);
  const auto outcome = c->check();
  INFO(outcome.lines.back());
  REQUIRE(outcome.accepted);
  REQUIRE(outcome.lines.size() == 2);
  CHECK(outcome.lines[0].rfind("ACCEPT q PROVED " + c->quantity.words + " lies in [", 0) == 0);
  CHECK(outcome.lines[0].find("in every context of 2 ") != std::string::npos);
  return c;
}

/// Replaces line `prefix` by `line`.
std::function<void(GeneralCase&)> put(const std::string& prefix, const std::string& line) {
  return [=](GeneralCase& c) { c.lines[c.find(prefix)] = line; };
}

}  // namespace

TEST_CASE("general: every word of every step is needed as it is") {
  std::size_t changes = 0;
  for (const Sample& s : kSamples) {
    const auto c = sample(s);
    for (std::size_t i = c->find("statement") + 1; i + 1 < c->lines.size(); ++i) {
      const std::vector<std::string> words = words_of(c->lines[i]);
      const bool range = words[1].find("-RANGE") != std::string::npos;
      for (std::size_t k = range ? 1 : 0; k < words.size(); ++k) {
        const char* const junk[] = {"x", "0", "nan", "0x1p+1100", "-inf", "0x1p+900", "*"};
        const char* const with = junk[(i + k) % 7];
        const bool number = words[k].find("0x") != std::string::npos;
        if (words[k] == with || (number && std::string(with) == "0x1p+900")) {
          continue;  // a larger bound may do
        }
        std::vector<std::string> changed = words;
        const auto at = changed.begin() + static_cast<std::ptrdiff_t>(k);
        if ((i + 2 * k) % 4 < 2) {
          changed[k] = with;
        } else if ((i + 2 * k) % 4 == 2 || words[1] == "JOIN") {  // a fact may stand twice
          changed.erase(at);
        } else {
          changed.insert(at, words[k]);
        }
        INFO(joined(words).substr(0, 200) << " -> " << joined(changed).substr(0, 200));
        CHECK_FALSE(accepts_after(*c, [&](GeneralCase& x) { x.lines[i] = joined(changed); }));
        ++changes;
      }
      if (words[1] == "SPREAD" && s.family.attn_only) {
        continue;  // nothing stands on it
      }
      INFO("without " << c->lines[i].substr(0, 200));
      CHECK_FALSE(accepts_after(*c, [&](GeneralCase& x) {
        x.lines.erase(x.lines.begin() + static_cast<std::ptrdiff_t>(i));
      }));
    }
  }
  CHECK(changes > 1000);
}

TEST_CASE("general: every ATTN-MAX number is rejected when it is below the true maximum") {
  std::size_t numbers = 0;
  for (const Sample& s : kSamples) {
    const auto c = sample(s);
    for (std::size_t i = c->find("statement") + 1; i + 1 < c->lines.size(); ++i) {
      std::vector<std::string> words = words_of(c->lines[i]);
      const std::string& rule = words[1];
      // The last H numbers of LINEAR, FOLD, NORM-FOLD, PART-NUM; all of a range line.
      const bool range = rule.find("-RANGE") != std::string::npos;
      const bool end =
          rule == "LINEAR" || rule == "FOLD" || rule == "NORM-FOLD" || rule == "PART-NUM";
      const std::size_t count = range ? 4 : end ? 2 : 0;
      for (std::size_t k = words.size() - count; k < words.size(); ++k) {
        const std::string saved = words[k];
        const double L = std::strtod(saved.c_str(), nullptr);
        words[k] = hex(L - 1e-7 * (1 + std::fabs(L)));
        CHECK_FALSE(accepts_after(*c, [&](GeneralCase& x) { x.lines[i] = joined(words); }));
        words[k] = saved;
        ++numbers;
      }
    }
  }
  CHECK(numbers > 300);
}

TEST_CASE("general: cases, parts, joins and bounds") {
  const auto c = sample({kPlain, "neuron"});
  const auto accepts = [&](const std::function<void(GeneralCase&)>& change) {
    return accepts_after(*c, change);
  };
  const auto add = [](const std::string& before, const std::string& line) {
    return [=](GeneralCase& x) {
      x.lines.insert(x.lines.begin() + static_cast<std::ptrdiff_t>(x.find(before)), line);
    };
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
  // A case without a fact, and a fact that is not used, change nothing.
  CHECK(accepts(add("fhi JOIN", "d1 PART root : length 2 2")));
  CHECK(accepts(add("fhi JOIN", "e ENUM c1 q hi :")));
  // Parts by length, and by token at another place, cover together with nothing of the first kind.
  CHECK_FALSE(accepts([&](GeneralCase& x) {
    add("fhi JOIN", "d1 PART root : length 2 2")(x);
    add("fhi JOIN", "e1 ENUM d1 q hi :")(x);
    put("fhi JOIN", "fhi JOIN root q hi : fc1hi e1")(x);
  }));
  CHECK_FALSE(accepts([&](GeneralCase& x) {
    add("fhi JOIN", "d1 PART root : length 3 3")(x);
    add("fhi JOIN", "e1 ENUM d1 q hi :")(x);
    put("fhi JOIN", "fhi JOIN root q hi : e1")(x);
  }));
  CHECK(accepts([&](GeneralCase& x) {  // the control: both lengths
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
        *c, [&](GeneralCase& x) { x.lines.insert(x.lines.end() - 1, steps.begin(), steps.end()); });
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
    return accepts_after(*c, [&](GeneralCase& x) {
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

TEST_CASE("general: domains that the model does not have, and requests that are malformed") {
  const auto check_domain = [](const Family& family, const std::string& line) {
    const auto c = make_general(family, TestDomain{}, "residual");
    std::string text = read_bytes(*c->inputs.request);
    const std::size_t at = text.find("domain");
    text.replace(at, text.find('\n', at) - at, line);
    const std::size_t lo = text.find(" lo ");
    text.replace(lo, text.find('\n', lo) - lo, " lo -0x1p+20 hi 0x1p+20");
    write_file(*c->inputs.request, text);
    c->finish({"root ROOT : dom", "fhi ENUM root q hi :", "flo ENUM root q lo :"});
    return c->check().accepted;
  };
  Family full = kPlain;
  full.window = 0;
  CHECK(check_domain(kPlain, "domain dom lengths 2 any sets 1 * rest *"));
  CHECK(check_domain(kPlain, "domain dom lengths 2 99999 sets 1 * rest *"));
  CHECK(check_domain(kPlain, "domain dom lengths 7 any sets 6 0 1 2 3 0 1 rest 0-2"));
  CHECK(check_domain(full, "domain dom lengths 2 5 sets 1 * rest *"));
  CHECK(check_domain(kGelu, "domain dom lengths 2 5 sets 1 1,3 rest 0,2"));
  CHECK_FALSE(check_domain(full, "domain dom lengths 2 6 sets 1 1 rest 0"));
  CHECK_FALSE(check_domain(full, "domain dom lengths 2 any sets 1 1 rest 0"));
  CHECK_FALSE(check_domain(kGelu, "domain dom lengths 2 6 sets 1 1 rest 0"));
  CHECK_FALSE(check_domain(kGelu, "domain dom lengths 2 any sets 1 1 rest 0"));
  for (const char* line :
       {"domain dom lengths 2 any sets 1 4 rest 0",
        "domain dom lengths 2 any sets 1 0-4 rest 0",
        "domain dom lengths 2 any sets 1 1 rest 4",
        "domain dom lengths 0 any sets 0 rest 0",
        "domain dom lengths 1 any sets 2 1 1 rest 0",
        "domain dom lengths 3 2 sets 1 1 rest 0",
        "domain dom lengths 0 2 sets 1 1 rest 0",
        "domain dom lengths 2 any sets 2 1 rest 0",
        "domain dom lengths 2 any sets 1 1 1 rest 0",
        "domain dom lengths 2 any sets 1 1",
        "domain dom lengths 2 any sets 1 1 rest 0 0",
        "domain dom lengths 2 any sets 1 1 rest",
        "domain dom lengths 2 any set 1 1 rest 0",
        "domain dom length 2 any sets 1 1 rest 0",
        "domain dom lengths 2 all sets 1 1 rest 0",
        "domain dom lengths any 3 sets 1 1 rest 0",
        "domain dom lengths 2 any sets 1 **  rest 0",
        "domain dom lengths 2 any sets 1 1-*  rest 0",
        "domain dom lengths 2 any sets 1 0x1 rest 0",
        "domain dom2 lengths 2 any sets 1 1 rest 0",
        "domain dom lengths 2 any sets 1 1 rest 0\ndomain dom lengths 2 any sets 1 1 rest 0"}) {
    INFO(line);
    CHECK_FALSE(check_domain(kPlain, line));
  }
}

TEST_CASE("general: bound and direction lines are read strictly") {
  const auto c = sample({kPlain, "residual"});
  const std::string request = read_bytes(*c->inputs.request);
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"residual-mid g", "residual-mid h"},
                                                        {"residual-mid g", "residual-mid"},
                                                        {"residual-mid g", "residual-mid g g"},
                                                        {"residual-mid g", "residual-post g"},
                                                        {"residual-mid g", "neuron 5"},
                                                        {"residual-mid g", "neuron -1"},
                                                        {"residual-mid g", "logit 4"},
                                                        {"residual-mid g", "logit-difference 1"},
                                                        {"residual-mid g", "logit-difference 1 4"},
                                                        {"residual-mid g", "feature 1"},
                                                        {"residual-mid g", "readout g"},
                                                        {"direction g 4", "direction g 5"},
                                                        {"direction g 4", "direction g 3"},
                                                        {"direction g 4", "direction g 4 0x0p+0"},
                                                        {"direction g 4", "direction g"},
                                                        {"direction g 4", "direction h 4"},
                                                        {"domain dom lo", "domain nodom lo"},
                                                        {"domain dom lo", "domain dom hi"},
                                                        {"domain dom lo", "dom dom lo"},
                                                        {" hi 0x", " hi nan0x"},
                                                        {" hi 0x", " hi 0X"},
                                                        {" lo -0x", " lo inf0x"},
                                                        {"bound q", "bound q q"},
                                                        {"bound q", "bounds q"}}) {
    std::string other = request;
    REQUIRE(other.find(from) != std::string::npos);
    other.replace(other.find(from), from.size(), to);
    write_file(*c->inputs.request, other);
    INFO(to);
    CHECK_FALSE(accepts_after(
        *c, [&](GeneralCase& x) { x.set_word("statement", 1, digest(*x.inputs.request)); }));
  }
  c->state(1, -1);
  CHECK_FALSE(c->check().accepted);
  c->state(-0x1p20, 0x1p20);
  CHECK(c->check().accepted);
}

TEST_CASE("general: norms") {
  const auto c = sample({kNorm, "difference"});
  const auto accepts = [&](const std::function<void(GeneralCase&)>& change) {
    return accepts_after(*c, change);
  };
  const auto number = [&](const std::string& prefix, std::size_t back) {
    const auto words = words_of(c->lines[c->find(prefix)]);
    return std::pair(words.size() - back, std::strtod(words[words.size() - back].c_str(), nullptr));
  };
  for (const char* prefix : {"tc1 SPREAD", "rfc1hi FINAL-SPREAD"}) {
    const auto [lo, s_lo] = number(prefix, 2);
    const auto [hi, s_hi] = number(prefix, 1);
    CHECK_FALSE(accepts([&](GeneralCase& x) { x.set_word(prefix, lo, hex(s_lo * (1 + 1e-7))); }));
    CHECK_FALSE(accepts([&](GeneralCase& x) { x.set_word(prefix, hi, hex(s_hi * (1 - 1e-7))); }));
    for (const char* bad : {"0x0p+0", "-0x1p-9"}) {
      CHECK_FALSE(accepts([&](GeneralCase& x) { x.set_word(prefix, lo, bad); }));
      CHECK_FALSE(accepts([&](GeneralCase& x) { x.set_word(prefix, hi, bad); }));
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
    return accepts([&](GeneralCase& x) {
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

TEST_CASE("general: models outside the families are refused") {
  for (const Family& family : {kPlain, kNorm, kGelu}) {
    const auto c = make_general(family, TestDomain{}, "residual");
    REQUIRE(c->check().accepted);
    const std::string path = c->inputs.model + "/config.json", config = read_bytes(path);
    const std::string bias = family.bias ? "\"relative_bias\":true" : "\"relative_bias\":false";
    const std::string norm = family.norm.empty() ? "null" : "\"" + family.norm + "\"";
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"\"n_layers\":1", "\"n_layers\":2"},
             {"\"act_fn\":\"" + family.act, "\"act_fn\":\"silu"},
             {"\"act_fn\":\"" + family.act + "\"", "\"act_fn\":null"},
             {"\"normalization_type\":" + norm, "\"normalization_type\":\"RMS\""},
             {"\"normalization_type\":" + norm + ",", ""},
             {"\"normalization_type\":" + norm + ",",
              "\"normalization_type\":" + norm + ",\"normalization\":" + norm + ","},
             {"\"" + family.positions + "\"", "\"shortformer\""},
             {"\"" + family.positions + "\"", "null"},
             {"\"eps\":1e-2", "\"eps\":0"},
             {"\"eps\":1e-2", "\"eps\":-1"},
             {"\"eps\":1e-2", "\"eps\":1e-2,\"rotary_adjacent_pairs\":true"},
             {"\"eps\":1e-2", "\"eps\":1e-2,\"final_rms\":true"},
             {"\"eps\":1e-2", "\"eps\":1e-2,\"gated_mlp\":true"},
             {"\"attn_scale\":1.7", "\"attn_scale\":0"},
             {"\"attn_only\":false", "\"attn_only\":true"},
             {bias, family.bias ? "\"relative_bias\":false" : "\"relative_bias\":true"},
             {"\"d_head\":4", "\"d_head\":2"}}) {
      std::string other = config;
      REQUIRE(other.find(from) != std::string::npos);
      other.replace(other.find(from), from.size(), to);
      write_file(path, other);
      INFO(other);
      CHECK_FALSE(accepts_after(*c, [&](GeneralCase& x) { x.set_word("model", 1, digest(path)); }));
    }
    for (const char* dim : {"\"rotary_dim\":3", "\"rotary_dim\":6", "\"rotary_dim\":0"}) {
      std::string other = config;
      other.replace(other.find("\"rotary_dim\":2"), 14, dim);
      write_file(path, other);
      CHECK(accepts_after(*c, [&](GeneralCase& x) { x.set_word("model", 1, digest(path)); }) ==
            (family.positions != "rotary"));
    }
  }
}

TEST_CASE("general: SUFFIX rules and WITNESS keep to their family") {
  for (const Family& family : {kGelu, kNorm, kNormAttention}) {
    const auto c = make_general(family, TestDomain{}, "residual");
    REQUIRE(c->check().accepted);
    CHECK_FALSE(accepts_after(*c, [&](GeneralCase& x) {
      x.lines.insert(x.lines.begin() + static_cast<std::ptrdiff_t>(x.find("root ROOT")),
                     "s SUFFIX : 1");
    }));
  }
  const auto c = sample({kPlain, "neuron"});
  const auto with = [&](const std::vector<std::string>& steps) {
    return accepts_after(*c, [&](GeneralCase& x) {
      x.lines.insert(x.lines.begin() + static_cast<std::ptrdiff_t>(x.find("root ROOT")),
                     steps.begin(), steps.end());
    });
  };
  CHECK(with({"s SUFFIX : 3 1"}));
  CHECK_FALSE(with({"s SUFFIX : 3 1", "p PART s : token 2 1"}));
  CHECK_FALSE(with({"s SUFFIX : 3 1", "p CASE-NEURONS s : 5"}));
  CHECK_FALSE(with({"s SUFFIX : 3 1", "p BOX s : 4"}));
}

TEST_CASE("general: flipped bits never prove another statement") {
  for (const Sample& s : kSamples) {
    const auto c = sample(s);
    const std::string good = c->text();
    const auto control = c->check();
    std::mt19937_64 random(s.family.seed);
    for (int trial = 0; trial < 150; ++trial) {
      std::string bad = good;
      bad[random() % bad.size()] ^= static_cast<char>(1U << random() % 8);
      const auto outcome = c->check_text(bad);
      if (outcome.accepted) {
        CHECK(outcome.lines == control.lines);
      }
    }
    for (std::size_t n = 0; n < good.size(); n += good.size() / 20) {
      CHECK_FALSE(c->check_text(good.substr(0, n)).accepted);
    }
  }
}

TEST_CASE(
    "general: scores of any size: the largest value is a bound, a number below the maximum is "
    "not") {
  std::size_t rejected = 0;
  for (const double size : {1.0, 1e2, 1e3, 1e5, 1e9, 1e14, 1e25}) {
    for (unsigned seed = 1; seed <= 12; ++seed) {
      Family family{"none", "relu", "", false, true, 3, seed};
      TestDomain domain;
      domain.lo = 1;
      domain.any = true;
      domain.sets = {{seed % 4}};
      domain.rest = {0, 1, 2, 3};
      const auto c = make_general(family, domain, "residual");
      for (float& w : c->model.weights.at("blocks.0.attn.W_Q")) {
        w = static_cast<float>(static_cast<double>(w) * size);
      }
      c->model.save(c->inputs.model);
      // Per head: what is along the direction for every token. The hull is the largest.
      const FamilyModel& m = c->model;
      std::vector<Vector> nu(m.H, Vector(m.V));
      for (std::size_t h = 0; h < m.H; ++h) {
        for (std::size_t u = 0; u < m.V; ++u) {
          const Vector v = m.value(h, u, 0);
          for (std::size_t i = 0; i < m.d; ++i) {
            nu[h][u] += c->quantity.g[i] * v[i];
          }
        }
      }
      const auto accepts = [&](const Vector& L) {
        std::string words;
        for (const double x : L) {
          words += " " + hex(x);
        }
        c->state(-0x1p40, 0x1p40);
        c->finish({"root ROOT : dom", "fhi LINEAR root q hi :" + words,
                   "flo LINEAR root q lo : 0x1p+30 0x1p+30"});
        return c->check().accepted;
      };
      Vector hull;
      for (const Vector& values : nu) {
        hull.push_back(*std::max_element(values.begin(), values.end()) + 1e-9);
      }
      INFO("size " << size << " seed " << seed);
      CHECK(accepts(hull));
      for (std::size_t h = 0; h < m.H; ++h) {
        Vector low = hull;  // the context of the query alone has its own value
        low[h] = nu[h][seed % 4] - 1e-9;
        CHECK_FALSE(accepts(low));
        const auto best =
            static_cast<std::size_t>(std::max_element(nu[h].begin(), nu[h].end()) - nu[h].begin());
        low[h] = hull[h] - 2e-9;
        // Where the best token's weight is not small against the query's, it can all but take the head.
        const double gap = std::log(m.weight(h, seed % 4, 4, 0, best)) -
                           std::log(m.weight(h, seed % 4, 4, 0, seed % 4));
        if (gap > 40) {
          CHECK_FALSE(accepts(low));
          ++rejected;
        }
      }
    }
  }
  CHECK(rejected > 5);
}
