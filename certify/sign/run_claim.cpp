#include "run_claim.hpp"

#include <array>
#include <string_view>
#include <vector>

#include "assay/base/text.hpp"

namespace assay::certify {
namespace {

constexpr std::string_view kReal = " (real arithmetic): ";

/// How the rules about runs begin, what they speak of, and whose runs those are.
struct Words {
  const char *conclusion, *claim, *who;
};
constexpr std::array<Words, 6> kWords = {{
    {"HOLDS of every run of the model", "all ", "every run of the model"},
    {"HOLDS of every endless run of the model", "all ", "every endless run of the model"},
    {"VIOLATED by the model", "all ", "one run of the model"},
    {"HOLDS of a run of the model", "some ", "one run of the model"},
    {"VIOLATED by every run of the model", "some ", "every run of the model"},
    {"VIOLATED by every endless run of the model", "some ", "every endless run of the model"},
}};

/// Removes " (N WORDS)" at the end, the size of the proof, which is no part of the claim.
std::string without_size(const std::string& text) {
  const std::size_t open = text.rfind(" (");
  const bool sized = open != std::string::npos && text.back() == ')' && open + 2 < text.size() &&
                     text[open + 2] >= '0' && text[open + 2] <= '9';
  return sized ? text.substr(0, open) : text;
}

/// "PREFIX (real arithmetic): DOMAIN: CLAIM"; domains are made of numbers and fixed words, so that the first ": CLAIM…"
/// ends them. False when the words are of another form.
bool divide(const std::string& statement, const std::string& claim_word, RunClaim& claim) {
  const std::size_t real = statement.find(kReal);
  if (real == std::string::npos) {
    return false;
  }
  const std::size_t begin = real + kReal.size();
  const std::size_t end = statement.find(": " + claim_word, begin);
  if (end == std::string::npos) {
    return false;
  }
  claim.who = statement.substr(0, real);
  claim.domain = without_size(statement.substr(begin, end - begin));
  claim.formal = statement.substr(end + 2);
  return true;
}

/// "Pmax <= p [ φ ], within N tokens (φ is …): P(φ) at most k/n" into formula, horizon and bound.
bool read_chance(RunClaim& claim) {
  const std::string& text = claim.formal;
  const std::size_t bound = text.rfind(": P(φ) at ");
  const std::size_t meaning = text.rfind(" (φ is ", bound);
  const std::size_t close = text.rfind(']', meaning);
  if (bound == std::string::npos || meaning == std::string::npos || close == std::string::npos) {
    return false;
  }
  const std::vector<std::string> said = split(text.substr(bound + 2), ' ');
  const std::vector<std::string> words = split(text.substr(0, close + 1), ' ');
  if (said.size() != 4 || words.size() < 4 || (said[2] != "most" && said[2] != "least")) {
    return false;
  }
  claim.is_upper = said[2] == "most";
  claim.bound = said[3];
  claim.threshold = words[2];
  claim.domain += text.substr(close + 1, bound - close - 1);
  claim.formal = text.substr(0, close + 1);
  return true;
}

}  // namespace

bool is_run_kind(const std::string& kind) {
  return kind == "exact" || kind == "refined";
}

std::optional<RunClaim> parse_run_claim(const std::string& statement) {
  RunClaim claim;
  claim.holds = statement.starts_with("HOLDS ");
  for (const Words& words : kWords) {
    if (statement.starts_with(words.conclusion) && divide(statement, words.claim, claim) &&
        claim.who == words.conclusion) {
      claim.who = words.who;
      return claim;
    }
  }
  const std::string by = "VIOLATED whatever nature picks, by prompt ";
  if (!divide(statement, "P", claim) || !read_chance(claim)) {
    return std::nullopt;
  }
  const std::string any = "HOLDS for every prompt and every choice of nature";
  if (claim.who == any) {
    claim.who = "every prompt and every choice of nature";
    return claim;
  }
  if (claim.who.starts_with(by)) {
    claim.who = "prompt " + claim.who.substr(by.size()) + ", whatever nature picks";
    return claim;
  }
  return std::nullopt;
}

}  // namespace assay::certify
