#include "check_sample.hpp"

using namespace check_test;

namespace {

const std::vector<Sample> kSamples = {{kPlain, "neuron"},
                                      {kPlain, "difference"},
                                      {kPlain, "difference", {1e-9, false, 0, false, 0}},
                                      {kGelu, "readout:mlp_out"},
                                      {kNorm, "neuron"},
                                      {kNorm, "feature:post"},
                                      {kNorm, "difference"},
                                      {kNormAttention, "logit"}};

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
        CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.lines[i] = joined(changed); }));
        ++changes;
      }
      if (words[1] == "SPREAD" && s.family.attn_only) {
        continue;  // nothing stands on it
      }
      INFO("without " << c->lines[i].substr(0, 200));
      CHECK_FALSE(accepts_after(
          *c, [&](Case& x) { x.lines.erase(x.lines.begin() + static_cast<std::ptrdiff_t>(i)); }));
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
        CHECK_FALSE(accepts_after(*c, [&](Case& x) { x.lines[i] = joined(words); }));
        words[k] = saved;
        ++numbers;
      }
    }
  }
  CHECK(numbers > 300);
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
