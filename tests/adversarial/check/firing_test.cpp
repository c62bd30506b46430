#include "catch.hpp"
#include "check_firing.hpp"

using namespace check_test;

namespace {

const Family kFamily{"relative_bias", "relu", "", true, true, 3, 11};

std::unique_ptr<FiringCase> sample(std::size_t k, double shift) {
  TestDomain domain;
  domain.any = true;
  return make_firing(kFamily, domain, k, shift);
}

}  // namespace

TEST_CASE("feature-on, feature-off: the facts must be those of the claim, enough and strict") {
  {
    const auto c = sample(1, -40);  // below both others everywhere
    CHECK(c->accepts(false, "f"));
    CHECK(c->accepts(false, "f-0"));
    CHECK(c->accepts(false, "f-0 f-2"));
    for (const char* words : {"", "f f-0", "f-0 f", "root", "g", "f-1", "f f"}) {
      INFO(words);
      CHECK_FALSE(c->accepts(false, words));
    }
    CHECK_FALSE(c->accepts(true, "f f-0 f-2"));
    c->k = 2;
    c->save_sae();
    CHECK(c->accepts(false, "f-0 f-2"));
    CHECK_FALSE(c->accepts(false, "f-0"));
    CHECK_FALSE(c->accepts(false, "f-0 f-0"));
    c->k = 3;  // every feature is kept: others larger show nothing
    c->save_sae();
    CHECK_FALSE(c->accepts(false, "f-0 f-2"));
    CHECK(c->accepts(false, "f"));
    c->k = 0;  // a threshold encoder knows no others
    c->save_sae();
    CHECK(c->accepts(false, "f"));
    CHECK_FALSE(c->accepts(false, "f-0 f-2"));
  }
  {
    const auto c = sample(1, 40);
    CHECK(c->accepts(true, "f f-0 f-2"));
    for (const char* words :
         {"f", "f f-0", "f-0 f-2", "f f-0 f-0", "f f-0 f-2 f", "f-0 f f-2", "f f-1"}) {
      INFO(words);
      CHECK_FALSE(c->accepts(true, words));
    }
    CHECK_FALSE(c->accepts(false, "f"));
    c->k = 2;
    c->save_sae();
    CHECK(c->accepts(true, "f f-0"));
    CHECK_FALSE(c->accepts(true, "f"));
    c->k = 0;
    c->save_sae();
    CHECK(c->accepts(true, "f"));
    CHECK_FALSE(c->accepts(true, "f f-0"));
    for (const std::size_t k : {std::size_t{4}}) {
      c->k = k;
      c->save_sae();
      CHECK_FALSE(c->accepts(true, "f f-0"));
    }
  }
}

TEST_CASE("feature-on, feature-off: a tie proves neither") {
  for (const std::size_t k : {1, 2}) {
    const auto c = sample(k, 40);
    for (std::size_t r = 0; r < 4; ++r) {  // features 0 and 1 are equal, feature 2 far below
      c->sae.W_enc[r * 3] = c->sae.W_enc[r * 3 + 1];
    }
    c->sae.b_enc = {40, 40, k == 1 ? -40.0F : 60.0F};
    c->save_sae();
    const auto [off, on] = c->truth();
    CHECK_FALSE(off);
    CHECK_FALSE(on);
    for (const char* words : {"f f-0", "f f-2", "f f-0 f-2", "f-0", "f-2", "f-0 f-2", "f"}) {
      INFO(k << " " << words);
      CHECK_FALSE(c->accepts(true, words));
      CHECK_FALSE(c->accepts(false, words));
    }
  }
  // At its threshold a jumprelu feature is off.
  const auto c = sample(0, 0.25);
  for (std::size_t r = 0; r < 4; ++r) {
    c->sae.W_enc[r * 3 + 1] = 0;
  }
  c->save_sae();
  CHECK(c->accepts(false, "f"));
  CHECK_FALSE(c->accepts(true, "f"));
}

TEST_CASE("feature-on, feature-off: claims are read strictly") {
  const auto c = sample(1, 40);
  const std::vector<std::string> steps{"root ROOT : dom",
                                       "f ENUM root q lo :", "f-0 ENUM root q lo-0 :",
                                       "f-2 ENUM root q lo-2 :", "q MUST-ON : f f-0 f-2"};
  const auto accepts = [&](const std::string& line) {
    INFO(line);
    c->claim(line, steps);
    return c->check().accepted;
  };
  REQUIRE(accepts("feature-on q 1 domain dom"));
  for (const char* line :
       {"feature-off q 1 domain dom", "feature-on q 2 domain dom", "feature-on q 3 domain dom",
        "feature-on q 1 domain other", "feature-on q 1 domain", "feature-on q 1 domain dom dom",
        "feature-on q 1 suffix 1", "feature-on q domain dom", "feature-on q -1 domain dom",
        "token-out q 1 domain dom", "bound q feature 1 domain dom lo 0x0p+0 hi 0x1p+9"}) {
    CHECK_FALSE(accepts(line));
  }
  // A bound claim has no others, and a claim cannot conclude by another's facts.
  c->claim("feature-on q 1 domain dom\nfeature-on p 1 domain dom",
           {"root ROOT : dom", "f ENUM root p lo :", "f-0 ENUM root p lo-0 :",
            "f-2 ENUM root p lo-2 :", "q MUST-ON : f f-0 f-2", "p MUST-ON : f f-0 f-2"});
  CHECK_FALSE(c->check().accepted);
  // Facts of a part are not of the whole.
  c->claim("feature-on q 1 domain dom",
           {"root ROOT : dom", "part PART root : token 0 1", "f ENUM part q lo :",
            "f-0 ENUM root q lo-0 :", "f-2 ENUM root q lo-2 :", "q MUST-ON : f f-0 f-2"});
  CHECK_FALSE(c->check().accepted);
}
