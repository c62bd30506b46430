#include "check_sample.hpp"

using namespace check_test;

// Every rule of kind `bounds`: a certificate with it is accepted, one where its step is false is rejected, and
// one where its step is no step at all is rejected without a crash.

namespace {

using Words = std::vector<std::string>;

std::size_t colon(const Words& words) {
  return static_cast<std::size_t>(std::find(words.begin(), words.end(), ":") - words.begin());
}
std::string shifted(const std::string& hex_word, double by) {
  return hex(std::strtod(hex_word.c_str(), nullptr) + by);
}
bool holds(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// The step made false; empty when it cannot be by this rule's change (HEADS with T are free numbers).
Words falsified(Words words) {
  const std::string& rule = words[1];
  const std::size_t at = colon(words);
  const auto ends_with = [&](const std::string& end) {
    return rule.size() >= end.size() && rule.substr(rule.size() - end.size()) == end;
  };
  if (ends_with("-RANGE") || rule == "LINEAR" || rule == "FOLD" || rule == "NORM-FOLD" ||
      rule == "PART-NUM" || rule.rfind("FEATURE-OFF", 0) == 0) {
    if (holds(words, "T")) {
      return {};
    }
    words.back() = shifted(words.back(), -1e-6);  // ATTN-MAX: below the maximum
  } else if (ends_with("SPREAD")) {
    words.back() = shifted(words.back(), -1e-6);  // s_hi below the largest scale
  } else if (rule == "PART") {
    words.back() = words[at + 1] == "neuron" ? (words.back() == "+" ? "-" : "+") : "0-3";
  } else if (rule == "SUFFIX" || rule == "ROOT") {
    words.back() = rule == "ROOT" ? "other" : "1";
  } else if (ends_with("NEURONS") || rule == "BOX") {
    words.back() = "3";  // not as many as there are
  } else if (rule == "TOKEN-OUT") {
    words[at + 4] = "49153";  // the weights do not add to 1
  } else if (rule == "JOIN") {
    words.pop_back();  // the parts do not cover
  } else if (rule == "BOUND") {
    std::swap(words[at + 1], words[at + 2]);
  } else if (rule == "FINAL") {
    words[at + 1] = words[at + 2];
  } else {  // NORM-LINEAR, SPHERE, ENUM: a fact of the other side
    words[at - 1] = words[at - 1] == "hi" ? "lo" : "hi";
  }
  return words;
}

const std::vector<std::string> kRules = {
    "SUFFIX",       "ROOT",   "PART",         "NEURONS",      "CASE-NEURONS",
    "NORM-NEURONS", "BOX",    "NEURON-RANGE", "CASE-RANGE",   "NORM-RANGE",
    "BOX-RANGE",    "SPREAD", "LINEAR",       "FOLD",         "NORM-LINEAR",
    "NORM-FOLD",    "SPHERE", "PART-NUM",     "FINAL-SPREAD", "FINAL",
    "ENUM",         "JOIN",   "BOUND",        "FEATURE-OFF",  "FEATURE-OFF-MLP",
    "TOKEN-OUT",    "HULL"};

}  // namespace

TEST_CASE("rules: each is accepted, rejected when its step is false, and survives no step at all") {
  std::set<std::string> accepted, rejected, survived;
  for (const auto& c : every_rule()) {
    const auto outcome = c->check();
    INFO(outcome.lines.back());
    REQUIRE(outcome.accepted);
    for (std::size_t i = c->find("statement") + 1; i + 1 < c->lines.size(); ++i) {
      const Words words = words_of(c->lines[i]);
      const std::string rule = words[1];
      accepted.insert(rule);
      if (const Words bad = falsified(words); !bad.empty() && bad != words) {
        INFO(joined(words).substr(0, 200) << " -> " << joined(bad).substr(0, 200));
        CHECK_FALSE(accepts_after(*c, put(words[0] + " ", joined(bad))));
        rejected.insert(rule);
      }
      if (!survived.insert(rule).second) {
        continue;
      }
      const std::size_t at = colon(words);
      const std::string head = words[0] + " " + rule;
      std::string all = head;
      for (std::size_t k = 2; k <= at; ++k) {
        all += " " + words[k];
      }
      std::string many = all;
      for (int k = 0; k < 20000; ++k) {
        many += " 0x1p+1000";
      }
      for (const std::string& line :
           {head, head + " :", head + " : :", all.substr(0, all.size() - 2), all + " T", all + " M",
            all + " nan", all + " -1", all + " 0x1p+1001", all + " 4294967296", all + " \xff",
            all + " " + std::string(200000, '9'), many, joined(words) + " T",
            joined(words) + " 0x0p+0", head + " " + joined(words), words[0] + " : " + rule}) {
        if (line == joined(words)) {
          continue;
        }
        INFO(line.substr(0, 200));
        const auto saved = c->lines;
        c->lines[i] = line;
        const auto bad = c->check();
        c->lines = saved;
        CHECK_FALSE(bad.accepted);
        CHECK(bad.lines.back().rfind("REJECT ", 0) == 0);
        CHECK(bad.lines.back().find("internal") == std::string::npos);
      }
    }
  }
  const std::set<std::string> every(kRules.begin(), kRules.end());
  CHECK(accepted == every);
  CHECK(rejected == every);
  CHECK(survived == every);
}
