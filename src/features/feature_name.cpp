#include "feature_name.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "assay/base/text.hpp"

namespace assay::features {
namespace {

constexpr std::size_t kLongestSuffix = 8;

/// The token `back` tokens before the firing position.
std::optional<TokenId> token_at(const NameSource& source, const Firing& firing, std::size_t back) {
  if (firing.position < back) {
    return std::nullopt;
  }
  return source.sequences[firing.sequence][firing.position - back];
}

std::string percent(std::size_t part, std::size_t whole) {
  return std::to_string((200 * part + whole) / (2 * whole)) + " %";
}

/// The string that firings end in, `skip` tokens before the firing position; last token first. It
/// starts with the one token that at least half of them have there (empty when there is none) and
/// grows to the left by the token that at least four fifths of those still matching share.
std::vector<TokenId> common_string(const std::vector<Firing>& firings, const NameSource& source,
                                   std::size_t skip) {
  std::vector<Firing> matching = firings;
  std::vector<TokenId> found;
  while (found.size() < kLongestSuffix) {
    std::map<TokenId, std::size_t> counts;
    for (const Firing& f : matching) {
      if (const auto token = token_at(source, f, skip + found.size())) {
        ++counts[*token];
      }
    }
    const auto best =
        std::max_element(counts.begin(), counts.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best == counts.end() || 2 * best->second < firings.size() ||
        (!found.empty() && 5 * best->second < 4 * matching.size())) {
      break;
    }
    const TokenId token = best->first;
    std::erase_if(matching, [&](const Firing& f) {
      return token_at(source, f, skip + found.size()) != std::optional(token);
    });
    found.push_back(token);
  }
  return found;
}

/// The class of at least 60 % of the tokens `skip` before the firings.
std::optional<std::size_t> common_class(const std::vector<Firing>& firings,
                                        const NameSource& source, std::size_t skip) {
  std::vector<std::size_t> counts(source.classes.size(), 0);
  for (const Firing& f : firings) {
    if (const auto token = token_at(source, f, skip)) {
      ++counts[source.class_of[token->at()]];
    }
  }
  const auto best = std::max_element(counts.begin(), counts.end());
  if (best == counts.end() || 10 * *best < 6 * firings.size()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(best - counts.begin());
}

/// What a name says of a position: a string (last token first) or a class, `skip` tokens back.
struct Rule {
  std::vector<TokenId> string;
  std::size_t token_class = 0;
  std::size_t skip = 0;

  [[nodiscard]] bool matches(const NameSource& source, const Firing& at) const {
    if (string.empty()) {
      const auto token = token_at(source, at, skip);
      return token && source.class_of[token->at()] == token_class;
    }
    for (std::size_t i = 0; i < string.size(); ++i) {
      if (token_at(source, at, skip + i) != std::optional(string[i])) {
        return false;
      }
    }
    return true;
  }
};

std::optional<Rule> rule_of(const std::vector<Firing>& firings, const NameSource& source) {
  for (const std::size_t skip : {0, 1}) {
    if (auto string = common_string(firings, source, skip); !string.empty()) {
      return Rule{std::move(string), 0, skip};
    }
    if (const auto token_class = common_class(firings, source, skip)) {
      return Rule{{}, *token_class, skip};
    }
  }
  return std::nullopt;
}

/// "`text` 61 %", "digit 93 %", "after …": what the rule says, and of how many firings.
std::string words(const Rule& rule, const NameSource& source, std::size_t part, std::size_t whole) {
  std::string text = rule.skip > 0 ? "after " : "";
  if (rule.string.empty()) {
    text += source.classes[rule.token_class].name;
  } else {
    text += "`";
    for (std::size_t i = rule.string.size(); i-- > 0;) {
      text += token_text(source.tokenizer, rule.string[i]);
    }
    text += "`";
  }
  return text + " " + percent(part, whole);
}

/// Positions of the text where the rule holds.
std::size_t places(const Rule& rule, const NameSource& source) {
  std::size_t count = 0;
  for (std::uint32_t s = 0; s < source.sequences.size(); ++s) {
    for (std::uint32_t p = 0; p < source.sequences[s].size(); ++p) {
      count += rule.matches(source, {s, p, 0}) ? 1U : 0U;
    }
  }
  return count;
}

std::string mixed(const std::vector<Firing>& firings, const NameSource& source) {
  std::map<TokenId, std::size_t> counts;
  for (const Firing& f : firings) {
    ++counts[source.sequences[f.sequence][f.position]];
  }
  std::vector<std::pair<TokenId, std::size_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text = "mixed";
  for (std::size_t i = 0; i < std::min<std::size_t>(2, order.size()); ++i) {
    text += std::string(i == 0 ? ": `" : ", `") + token_text(source.tokenizer, order[i].first) +
            "` " + percent(order[i].second, firings.size());
  }
  return text;
}

}  // namespace

std::string token_text(const Tokenizer* tokenizer, TokenId token) {
  if (tokenizer == nullptr || token.at() >= tokenizer->size()) {
    return std::string("#").append(std::to_string(token.at()));
  }
  return visible(tokenizer->text(token));
}

FeatureName feature_name(const std::vector<Firing>& firings, const NameSource& source) {
  if (firings.empty()) {
    return {"never on", 0};
  }
  const std::optional<Rule> rule = rule_of(firings, source);
  if (!rule) {
    return {mixed(firings, source), 0};
  }
  const auto hits = static_cast<std::size_t>(std::count_if(
      firings.begin(), firings.end(), [&](const Firing& f) { return rule->matches(source, f); }));
  const double f1 =
      2 * static_cast<double>(hits) / static_cast<double>(firings.size() + places(*rule, source));
  return {words(*rule, source, hits, firings.size()), f1};
}

}  // namespace assay::features
