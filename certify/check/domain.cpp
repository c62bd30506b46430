#include "domain.hpp"

#include <algorithm>
#include <iterator>

#include "lexis.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

void need(bool good, const std::string& reason) {
  if (!good) {
    throw Reject("domain", reason);
  }
}

}  // namespace

SetText parse_set(std::string_view word) {
  SetText set;
  if (word == "*") {
    set.all = true;
    return set;
  }
  for (std::size_t begin = 0; begin <= word.size();) {
    const std::size_t end = std::min(word.find(',', begin), word.size());
    const std::string_view run = word.substr(begin, end - begin);
    const std::size_t dash = run.find('-');
    const std::size_t first = parse_nat(run.substr(0, dash));
    const std::size_t last =
        dash == std::string_view::npos ? first : parse_nat(run.substr(dash + 1));
    need(dash == std::string_view::npos || first < last, "a run A-B of a set has A < B");
    need(set.runs.empty() || first > set.runs.back().second + 1,
         "the runs of a set rise and are not adjacent");
    set.runs.emplace_back(first, last);
    begin = end + 1;
  }
  return set;
}

TokenSet SetText::tokens(std::size_t d_vocab) const {
  TokenSet out;
  const auto add = [&](std::size_t first, std::size_t last) {
    for (std::size_t t = first; t <= last; ++t) {
      out.push_back(static_cast<std::uint32_t>(t));
    }
  };
  if (all && d_vocab > 0) {
    add(0, d_vocab - 1);
  }
  for (const auto& [first, last] : runs) {
    need(last < d_vocab, "a set names a token that the model does not have");
    add(first, last);
  }
  return out;
}

Domain parse_domain(std::span<const std::string_view> words) {
  need(words.size() >= 7 && words[0] == "lengths" && words[3] == "sets",
       "expected lengths NAT NAT|any sets NAT SET … rest SET");
  Domain domain;
  domain.lo = parse_nat(words[1]);
  const bool any = words[2] == "any";
  domain.hi = any ? 0 : parse_nat(words[2]);
  const std::size_t count = parse_nat(words[4]);
  need(count >= 1 && words.size() == 7 + count && words[5 + count] == "rest",
       "expected sets K, K sets, rest SET");
  need(count <= domain.lo && (any || domain.lo <= domain.hi), "expected K <= lo <= hi");
  std::string sets;
  for (std::size_t i = 0; i < count; ++i) {
    domain.last.push_back(parse_set(words[5 + i]));
    sets += " " + std::string(words[5 + i]);
  }
  domain.rest = parse_set(words[6 + count]);
  domain.words = "every context of " + std::string(words[1]) +
                 (any ? " or more" : " to " + std::string(words[2])) + " tokens whose last " +
                 std::to_string(count) + " lie in" + sets + " and whose others lie in " +
                 std::string(words[6 + count]);
  return domain;
}

}  // namespace assay_check
