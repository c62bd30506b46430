// Kind refined: certificates of tiny models for true properties are accepted, each condition of the rules is needed,
// and nothing makes the checker accept a property that a run violates.
#include "catch.hpp"
#include "check_refined.hpp"

using namespace check_test;

namespace {

using Lines = std::vector<std::string>;

const std::vector<RefinedOptions> kTrue = {
    {1, "min-p 1/2 temperature 1 order after", "any 2", false, true, 2},
    {2, "min-p 1/2 temperature 3 order before", "any 7", false, true, 1},
    {3, "greedy", "sets 1 2", false, true, 2},
    {4, "top-k 1", "sets 0 3 2", false, true, 2},
    {5, "top-k 2", "sets 0 1 2 3 4 0", false, true, 2},
    {6, "min-p 4/5 temperature 1 order after", "sets 3", true, true, 3},
    {7, "top-k 2", "sets 2 2", true, true, 2},
    {8, "plain", "any 1", true, true, 2},
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string each; in >> each;) {
    out.push_back(each);
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

/// The certificate with one thing wrong, in any line and word; `visit` gets about 200.
template <typename Visit>
void mutate(const RefinedCase& c, const Visit& try_it) {
  std::mt19937_64 random(4);
  const std::size_t rare = 1 + c.lines.size() / 4;
  const auto visit = [&](const Lines& lines) {
    if (random() % rare == 0) {
      try_it(lines);
    }
  };
  const std::size_t first = c.find("statement") + 1, last = c.lines.size() - 1;
  for (std::size_t i = first; i < last; ++i) {
    Lines lines = c.lines;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
    visit(lines);
    lines = c.lines;
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(first + random() % (i - first + 1)),
                 "z" + c.lines[i]);
    visit(lines);
    const std::vector<std::string> good = words_of(c.lines[i]);
    for (std::size_t w = 0; w < good.size(); ++w) {
      const auto put = [&](const std::string& word) {
        std::vector<std::string> bad = good;
        bad[w] = word;
        lines = c.lines;
        lines[i] = joined(bad);
        visit(lines);
      };
      const std::vector<std::string> other = words_of(c.lines[first + random() % (last - first)]);
      put(w < other.size() ? other[w] : "*");
      if (std::isdigit(static_cast<unsigned char>(good[w][0])) != 0) {
        put(std::to_string(std::stoul(good[w]) + 1));
        put(good[w][0] == '0' ? "1" : std::to_string(std::stoul(good[w]) - 1));
        put("0-4");
        put("any");
      } else {
        put(good[w] == "hi"    ? "lo"
            : good[w] == "+"   ? "-"
            : good[w] == "any" ? "2"
            : good[w] == "*"   ? "1"
                               : "0");
      }
    }
  }
}

}  // namespace

TEST_CASE("refined: the certificates of true properties are accepted, and true line by line") {
  for (const RefinedOptions& options : kTrue) {
    const auto c = make_refined(options);
    INFO(options.decoder << ", " << options.prompts << ", seed " << c->options.seed);
    const auto outcome = c->check();
    INFO(outcome.lines.back());
    REQUIRE(outcome.accepted);
    CHECK(c->is_true(c->body));
    CHECK(outcome.lines.size() == 4);
    CHECK(outcome.lines[0].rfind("ACCEPT p PROVED HOLDS of every run of the model (real", 0) == 0);
    CHECK(outcome.lines[1] == "not concluded other");
  }
}

TEST_CASE("refined: the certificates of false properties are rejected") {
  for (RefinedOptions options : kTrue) {
    options.holds = false;
    const auto c = make_refined(options);
    INFO(options.decoder << ", " << options.prompts << ", seed " << c->options.seed);
    const auto outcome = c->check();
    INFO(outcome.lines.back());
    CHECK_FALSE(outcome.accepted);
    CHECK(outcome.lines.back().find("REFINED: after STATE") != std::string::npos);
  }
}

TEST_CASE("refined: no corruption makes a false property accepted") {
  for (RefinedOptions options : kTrue) {
    options.holds = false;
    const auto c = make_refined(options);
    if (c->lines.size() > 500) {
      continue;
    }
    mutate(*c, [&](const Lines& lines) { REQUIRE_FALSE(accepts(*c, lines)); });
  }
}

TEST_CASE("refined: a corrupted certificate of a true property is rejected, or true as well") {
  for (const RefinedOptions& options : kTrue) {
    const auto c = make_refined(options);
    if (c->lines.size() > 500) {
      continue;
    }
    REQUIRE(accepts(*c, c->lines));
    std::size_t tried = 0, accepted = 0;
    mutate(*c, [&](const Lines& lines) {
      ++tried;
      if (accepts(*c, lines)) {
        ++accepted;
        const auto begin = static_cast<std::ptrdiff_t>(c->find("statement")) + 1;
        REQUIRE(c->is_true({lines.begin() + begin, lines.end() - 1}));
      }
    });
    CHECK(accepted < tried / 2);
  }
}
