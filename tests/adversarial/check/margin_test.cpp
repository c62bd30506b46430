#include "catch.hpp"
#include "check_margin.hpp"

using namespace check_test;

namespace {

const Family kPlain{"relative_bias", "relu", "", true, false, 3, 3};
const Family kNorm{"standard", "gelu", "LN", true, false, 0, 5};

std::unique_ptr<MarginCase> sample(const Family& family) {
  TestDomain domain;
  domain.any = family.positions != "standard";
  auto c = make_margin(family, domain);
  const auto outcome = c->check();
  INFO(outcome.lines.back());
  REQUIRE(outcome.accepted);
  REQUIRE(outcome.lines.size() == 2);
  CHECK(outcome.lines[0].rfind("ACCEPT q PROVED logit-margin 2 lies in [", 0) == 0);
  return c;
}

bool accepts_after(MarginCase& c, const std::function<void(MarginCase&)>& change) {
  const std::vector<std::string> saved = c.lines;
  change(c);
  c.recount();
  const bool accepted = c.check().accepted;
  c.lines = saved;
  return accepted;
}

}  // namespace

TEST_CASE("margins: a RIVAL step needs the right facts") {
  for (const Family& family : {kPlain, kNorm}) {
    const auto c = sample(family);
    const std::size_t hi = c->find("fhi RIVAL"), lo = c->find("flo RIVAL");
    const auto with = [&](std::size_t at, const std::string& line) {
      INFO(line);
      return accepts_after(*c, [&](MarginCase& x) { x.lines[at] = line; });
    };
    const std::string good = c->lines[hi];
    CHECK(with(hi, good));
    CHECK(with(lo, "flo RIVAL root q lo : flo_3 flo_1 flo_0 flo_1"));
    for (const char* line :
         {"flo RIVAL root q lo : flo_0 flo_1", "flo RIVAL root q lo :",
          "flo RIVAL root q lo : flo_0 flo_1 flo_1", "flo RIVAL root q lo : flo_0 flo_1 fhi_3",
          "flo RIVAL root q lo : flo_0 flo_1 flo_2", "flo RIVAL root q lo-1 : flo_0 flo_1 flo_3",
          "flo RIVAL root q hi : flo_0 flo_1 flo_3", "flo RIVAL nowhere q lo : flo_0 flo_1 flo_3",
          "flo RIVAL q lo : flo_0 flo_1 flo_3", "flo RIVAL root p lo : flo_0 flo_1 flo_3",
          "flo JOIN root q lo : flo_0 flo_1 flo_3", "flo RIVAL root q lo : flo_0 flo_1 root"}) {
      CHECK_FALSE(with(lo, line));
    }
    for (const char* line : {"fhi RIVAL root q hi :", "fhi RIVAL root q hi : fhi_0 fhi_1",
                             "fhi RIVAL root q hi : flo_0", "fhi RIVAL root q hi : fhi_2",
                             "fhi RIVAL root q lo : fhi_0"}) {
      CHECK_FALSE(with(hi, line));
    }
    // BOUND concludes from facts of the margin, not from one rival's.
    const std::size_t end = c->find("q BOUND");
    CHECK_FALSE(with(end, "q BOUND : flo fhi_0"));
    CHECK_FALSE(with(end, "q BOUND : flo_0 fhi"));
    CHECK_FALSE(with(end, "q BOUND : fhi flo"));
    // A rival's fact of a part does not hold on the whole.
    const std::size_t part = c->find("fhi_0 JOIN");
    const std::string fact = c->word("fhi_0 JOIN", 6);
    CHECK_FALSE(with(hi, "fhi RIVAL root q hi : " + fact));
    CHECK(part < hi);
  }
}

TEST_CASE("margins: sides and quantities are read strictly") {
  const auto c = sample(kPlain);
  const auto add = [&](const std::string& line) {
    INFO(line);
    return accepts_after(*c, [&](MarginCase& x) {
      x.lines.insert(x.lines.begin() + static_cast<std::ptrdiff_t>(x.find("fhi RIVAL")), line);
    });
  };
  CHECK(add("g ENUM root q hi-0 :"));
  CHECK(add("g ENUM root q hi :"));
  CHECK(add("g LINEAR c1_0 q hi :") == false);
  for (const char* side : {"hi-2", "hi-4", "hi-", "hi--1", "hi-01", "high", "up", "hi-0-0", "lo-2",
                           "lo-x", "HI-0", "-0"}) {
    CHECK_FALSE(add(std::string("g ENUM root q ") + side + " :"));
  }
  const std::string request = read_bytes(*c->inputs.request);
  for (const char* quantity :
       {"logit-margin 4", "logit-margin -1", "logit-margin", "logit-margin 2 1", "logit-margins 2",
        "logit 2", "logit-margin 1"}) {
    std::string other = request;
    other.replace(other.find("logit-margin 2"), 14, quantity);
    write_file(*c->inputs.request, other);
    INFO(quantity);
    CHECK_FALSE(accepts_after(
        *c, [&](MarginCase& x) { x.set_word("statement", 1, digest(*x.inputs.request)); }));
  }
}

TEST_CASE("margins: flipped bits never prove another statement") {
  const auto c = sample(kPlain);
  const std::string good = c->text();
  const auto control = c->check();
  std::mt19937_64 random(8);
  for (int trial = 0; trial < 300; ++trial) {
    std::string bad = good;
    bad[random() % bad.size()] ^= static_cast<char>(1U << random() % 8);
    const auto outcome = c->check_text(bad);
    if (outcome.accepted) {
      CHECK(outcome.lines == control.lines);
    }
  }
}
