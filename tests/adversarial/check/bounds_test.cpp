#include "catch.hpp"
#include "check_case.hpp"

using namespace check_test;

namespace {

/// A copy of the case's lines is changed, checked and put back.
bool accepts_after(Case& c, const std::function<void(Case&)>& change, bool recount = true) {
  const std::vector<std::string> saved = c.lines;
  change(c);
  if (recount) {
    c.recount();
  }
  const auto outcome = c.check();
  INFO(outcome.lines.back());
  c.lines = saved;
  return outcome.accepted;
}

double number(const std::string& word) {
  return std::strtod(word.c_str(), nullptr);
}

}  // namespace

TEST_CASE("the untouched certificate is accepted, for every hook, order and suffix length") {
  for (const char* hook : {"blocks.0.hook_resid_mid", "blocks.0.mlp.hook_post"}) {
    for (const char* order : {"before", "after"}) {
      for (const Tokens& suffix : {Tokens{2}, Tokens{3, 0}, Tokens{1, 4, 4, 2}}) {
        const auto c = make_bounds({5, suffix, hook, 1e-6, order});
        const auto outcome = c->check();
        INFO(outcome.lines.back());
        CHECK(outcome.accepted);
        REQUIRE(outcome.lines.size() == 3);
        CHECK(outcome.lines[0].rfind("ACCEPT f PROVED feature 1 is off", 0) == 0);
        CHECK(outcome.lines[1].rfind("ACCEPT t PROVED token 2 is never emitted", 0) == 0);
        CHECK(outcome.lines[2].rfind("accepted 2 claims, kernel", 0) == 0);
      }
    }
  }
}

TEST_CASE("a bound that misses its threshold is rejected") {
  for (const char* hook : {"blocks.0.hook_resid_mid", "blocks.0.mlp.hook_post"}) {
    CHECK_FALSE(make_bounds({5, {3, 0}, hook, -1e-5, "after"})->check().accepted);
  }
  const auto c = make_bounds({});
  CHECK_FALSE(accepts_after(*c, [](Case& x) {
    x.lines.erase(x.lines.begin() + static_cast<std::ptrdiff_t>(x.find("f ")));
  }));
}

TEST_CASE("every ATTN-MAX number is rejected when it is below the true maximum") {
  for (const char* hook : {"blocks.0.hook_resid_mid", "blocks.0.mlp.hook_post"}) {
    const auto c = make_bounds({9, {3, 0}, hook, 1e-3, "after"});
    REQUIRE(c->check().accepted);
    const bool mid = std::string(hook) == "blocks.0.hook_resid_mid";
    std::vector<std::pair<std::string, std::size_t>> numbers;
    for (std::size_t h = 0; h < 2; ++h) {
      numbers.emplace_back("f FEATURE", mid ? 4 + h : 12 + h);
      numbers.emplace_back("t TOKEN-OUT", 18 + h);
      for (std::size_t j = 0; j < 6; ++j) {
        numbers.emplace_back("n" + std::to_string(j) + " NEURON-RANGE", 5 + h);
        numbers.emplace_back("n" + std::to_string(j) + " NEURON-RANGE", 7 + h);
      }
    }
    for (const auto& [prefix, index] : numbers) {
      const double L = number(c->word(prefix, index));
      INFO(prefix << " " << index << " " << c->word(prefix, index));
      CHECK_FALSE(accepts_after(
          *c, [&](Case& x) { x.set_word(prefix, index, hex(L - 1e-7 * (1 + std::fabs(L)))); }));
      for (const char* garbage : {"nan", "-nan", "inf", "0x1p+9999", "0X1p+1", "0x1.8", "1.5",
                                  "0x1.00000000000001p+0", "0x1p+1x", "--0x1p+1", "0x", ":"}) {
        CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word(prefix, index, garbage); }));
      }
    }
  }
}

TEST_CASE("slopes, weights and rivals are held to their ranges") {
  const auto c = make_bounds({});
  REQUIRE(c->check().accepted);
  for (const char* slope : {"0x1.0000000000001p+0", "-0x1p-40", "0x1p+1"}) {
    CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("t TOKEN-OUT", 11, slope); }));
  }
  for (const char* weight : {"49151", "49153", "65536", "0"}) {
    CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("t TOKEN-OUT", 7, weight); }));
  }
  for (const char* rival : {"2", "4", "5", "99"}) {  // the token, a repetition, out of range
    CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("t TOKEN-OUT", 6, rival); }));
  }
  for (const char* count : {"0", "1", "3", "2147483647"}) {
    CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("t TOKEN-OUT", 5, count); }));
  }
}

TEST_CASE("structure: suffix, ids, missing, extra and swapped steps, counts") {
  const auto c = make_bounds({});
  REQUIRE(c->check().accepted);
  const auto at = [&](const char* prefix) { return static_cast<std::ptrdiff_t>(c->find(prefix)); };
  for (const char* suffix :
       {"s SUFFIX : 0 3", "s SUFFIX : 0", "s SUFFIX : 3 0 0", "s SUFFIX : 1 3 0", "s SUFFIX : 3 5",
        "s SUFFIX : 1 1 1 3 0", "s SUFFIX x : 3 0"}) {
    CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.lines[x.find("s ")] = suffix; }));
  }
  CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.lines.erase(x.lines.begin() + at("n3 ")); }));
  CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.lines.erase(x.lines.begin() + at("n5 ")); }));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { std::swap(x.lines[x.find("n3 ")], x.lines[x.find("n4 ")]); }));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { std::swap(x.lines[x.find("s ")], x.lines[x.find("n NEURONS")]); }));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines.insert(x.lines.begin() + at("f "), x.lines[x.find("n5 ")]); }));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines.insert(x.lines.begin() + at("f "), "s SUFFIX : 3 0"); }));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines.insert(x.lines.begin() + at("f "), x.lines[x.find("f ")]); }));
  CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("f FEATURE", 0, "t9"); }));
  CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("f FEATURE", 0, "t"); }));
  CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("f FEATURE", 2, "zz"); }));
  CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("t TOKEN-OUT", 2, "s"); }));
  CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("n0 ", 1, "SUFFIX"); }));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines.insert(x.lines.begin() + at("f "), "n9 NEURONS s : 6"); }));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines.back() = "end 8"; }, false));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines.pop_back(); }, false));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines.push_back("end 10"); }, false));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines.erase(x.lines.begin() + at("s "), x.lines.end() - 1); }));
  // An unused second suffix changes nothing that is claimed.
  CHECK(accepts_after(
      *c, [&](Case& x) { x.lines.insert(x.lines.begin() + at("f "), "s2 SUFFIX : 1"); }));
}

TEST_CASE("header, digests and statement are the given files'") {
  const auto c = make_bounds({});
  REQUIRE(c->check().accepted);
  const std::string zero(64, '0');
  for (const char* prefix : {"model", "sae"}) {
    CHECK_FALSE(accepts_after(
        *c, [&](Case& x) { x.set_word(prefix, 1, zero); }, false));
    CHECK_FALSE(accepts_after(
        *c, [&](Case& x) { x.set_word(prefix, 2, zero); }, false));
  }
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.set_word("statement", 1, zero); }, false));
  for (const char* line : {"kind automaton", "kind erasure", "kind BOUNDS", "kind bounds "}) {
    CHECK_FALSE(accepts_after(
        *c, [&](Case& x) { x.lines[1] = line; }, false));
  }
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines[2] = "semantics DEPLOYED"; }, false));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines[0] = "assay-cert 2"; }, false));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { x.lines.erase(x.lines.begin() + 4); }, false));
  CHECK_FALSE(accepts_after(
      *c, [&](Case& x) { std::swap(x.lines[1], x.lines[2]); }, false));

  // Another statement, even with its own digest in the header, needs its own proof.
  const std::string request = read_bytes(*c->inputs.request);
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"feature-off f 1", "feature-off f 0"},
                                                        {"token-out t 2", "token-out t 1"},
                                                        {"1/10", "1/20"},
                                                        {"suffix 3 0", "suffix 0 3"},
                                                        {"suffix 3 0", "suffix 0"},
                                                        {"feature-off f 1", "feature-off f 3"},
                                                        {"token-out t 2", "token-out t 5"},
                                                        {"min-p 1/10", "min-p 0"},
                                                        {"temperature 2", "temperature 0"}}) {
    std::string other = request;
    other.replace(other.find(from), from.size(), to);
    write_file(*c->inputs.request, other);
    CHECK_FALSE(c->check().accepted);
    CHECK_FALSE(
        accepts_after(*c, [&](Case& x) { x.set_word("statement", 1, digest(*x.inputs.request)); }));
  }
  write_file(*c->inputs.request, request);

  // A lower threshold in the SAE file, with the right digest, is another claim.
  TinySae lower = c->sae;
  lower.threshold[1] = static_cast<float>(c->feature_bound - 1e-4);
  lower.save(*c->inputs.sae);
  CHECK_FALSE(c->check().accepted);
  CHECK_FALSE(accepts_after(*c, [&](Case& x) {
    x.set_word("sae", 2, digest(*x.inputs.sae + "/sae_weights.safetensors"));
  }));
  lower.threshold[1] = std::nanf("");
  lower.save(*c->inputs.sae);
  CHECK_FALSE(accepts_after(*c, [&](Case& x) {
    x.set_word("sae", 2, digest(*x.inputs.sae + "/sae_weights.safetensors"));
  }));
}

TEST_CASE("models outside the stated semantics are refused") {
  const auto c = make_bounds({});
  const std::string path = c->inputs.model + "/config.json";
  const std::string config = read_bytes(path);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"n_layers\":1", "\"n_layers\":2"},
           {"\"relu\"", "\"gelu\""},
           {"\"normalization_type\":null", "\"normalization_type\":\"LN\""},
           {"\"normalization_type\":null,", ""},
           {"\"attn_only\":false", "\"attn_only\":true"},
           {"\"relative_bias\",", "\"standard\","},
           {"\"attention_window\":4", "\"attention_window\":null"},
           {"\"attention_window\":4", "\"attention_window\":3"},
           {"\"relative_bias\":true", "\"relative_bias\":false"},
           {"\"eps\":1e-5", "\"eps\":1e-5,\"gated_mlp\":true"},
           {"\"d_vocab\":5", "\"d_vocab\":6"},
           {"\"eps\":1e-5", "\"eps\":1e-5,\"attn_scale\":1"},
           {"\"eps\":1e-5", "\"eps\":1e-5,\"eps\":1"}}) {
    std::string other = config;
    REQUIRE(other.find(from) != std::string::npos);
    other.replace(other.find(from), from.size(), to);
    write_file(path, other);
    INFO(other);
    CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.set_word("model", 1, digest(path)); }));
  }
  write_file(path, config);
  CHECK(c->check().accepted);
}

TEST_CASE("truncated and flipped certificates never crash and never prove another statement") {
  const auto c = make_bounds({});
  const std::string good = c->text();
  const auto control = c->check_text(good);
  REQUIRE(control.accepted);
  for (std::size_t n = 0; n < good.size(); n += 97) {
    CHECK_FALSE(c->check_text(good.substr(0, n)).accepted);
  }
  CHECK_FALSE(c->check_text(good.substr(0, good.size() - 1)).accepted);
  CHECK_FALSE(c->check_text(good + "\n").accepted);
  CHECK_FALSE(c->check_text("").accepted);
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 600; ++trial) {
    std::string bad = good;
    bad[random() % bad.size()] ^= static_cast<char>(1U << random() % 8);
    const auto outcome = c->check_text(bad);
    if (outcome.accepted) {  // a number moved the harmless way: the statement must be the same
      CHECK(outcome.lines == control.lines);
    } else {
      CHECK(outcome.lines.back().rfind("REJECT ", 0) == 0);
    }
  }
}
