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

/// "`text` 61 %": the string that firings end in, `skip` tokens before the firing position. It
/// starts with the one token that at least half of them have there (empty when there is none) and
/// grows to the left by the token that at least four fifths of those still matching share.
std::string common_string(const std::vector<Firing>& firings, const NameSource& source,
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
  if (found.empty()) {
    return "";
  }
  std::string text;
  for (std::size_t i = found.size(); i-- > 0;) {
    text += token_text(source.tokenizer, found[i]);
  }
  return std::string("`").append(text).append("` ").append(
      percent(matching.size(), firings.size()));
}

/// "digit 93 %" for the class of at least 60 % of the tokens `skip` before the firings.
std::string common_class(const std::vector<Firing>& firings, const NameSource& source,
                         std::size_t skip) {
  std::vector<std::size_t> counts(source.classes.size(), 0);
  for (const Firing& f : firings) {
    if (const auto token = token_at(source, f, skip)) {
      ++counts[source.class_of[token->at()]];
    }
  }
  const auto best = std::max_element(counts.begin(), counts.end());
  if (best == counts.end() || 10 * *best < 6 * firings.size()) {
    return "";
  }
  return source.classes[static_cast<std::size_t>(best - counts.begin())].name + " " +
         percent(*best, firings.size());
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

std::string feature_name(const std::vector<Firing>& firings, const NameSource& source) {
  if (firings.empty()) {
    return "never on";
  }
  if (std::string name = common_string(firings, source, 0); !name.empty()) {
    return name;
  }
  if (std::string name = common_class(firings, source, 0); !name.empty()) {
    return name;
  }
  if (std::string name = common_string(firings, source, 1); !name.empty()) {
    return "after " + name;
  }
  if (std::string name = common_class(firings, source, 1); !name.empty()) {
    return "after " + name;
  }
  return mixed(firings, source);
}

}  // namespace assay::features
