#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/model/strict_json.hpp"
#include "assay/verify/exact.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kMaxPositions = 1'000'000;

[[noreturn]] void refuse(const std::string& file, const std::string& expected,
                         const std::string& found) {
  throw InputError(file, "prompts", expected, found);
}

std::vector<TokenId> allowed(const nlohmann::json& ids, const std::string& file,
                             std::size_t position, std::size_t vocabulary) {
  const std::string where = "position " + std::to_string(position);
  if (!ids.is_array() || ids.empty()) {
    refuse(file, "at least one token id at " + where,
           ids.is_array() ? "an empty set: no prompt" : "no array");
  }
  std::vector<TokenId> out;
  for (const nlohmann::json& id : ids) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= vocabulary) {
      refuse(file, "token ids below " + std::to_string(vocabulary) + " at " + where, id.dump());
    }
    out.emplace_back(id.get<std::size_t>());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

PromptSet parse_prompts(const std::string& json, const std::string& file, std::size_t vocabulary) {
  const nlohmann::json root = parse_strict_json(json, file);
  const std::string forms = R"({"tokens":[[IDS],…]} or {"any":true,"max_length":N})";
  if (!root.is_object()) {
    refuse(file, forms, "no object");
  }
  for (const auto& [key, value] : root.items()) {
    if (key != "tokens" && key != "any" && key != "max_length") {
      refuse(file, forms, "the key " + key);
    }
  }
  const bool any = root.contains("any");
  if (any == root.contains("tokens") || any != root.contains("max_length")) {
    refuse(file, forms, "both forms, or neither");
  }
  PromptSet out;
  if (any) {
    const nlohmann::json& length = root["max_length"];
    if (root["any"] != true || !length.is_number_unsigned() || length.get<std::uint64_t>() == 0 ||
        length.get<std::uint64_t>() > kMaxPositions) {
      refuse(file, R"("any":true and a "max_length" of 1 to 1000000)",
             root["any"].dump() + " and " + length.dump());
    }
    out.max_length = length.get<std::size_t>();
    return out;
  }
  const nlohmann::json& sets = root["tokens"];
  if (!sets.is_array() || sets.empty() || sets.size() > kMaxPositions) {
    refuse(file, "a prompt of 1 to 1000000 positions", "another number");
  }
  for (std::size_t i = 0; i < sets.size(); ++i) {
    out.sets.push_back(allowed(sets[i], file, i, vocabulary));
  }
  return out;
}

bool fits_exact(const PromptSet& prompts, const TransformerConfig& config, std::size_t states) {
  const std::size_t window = std::max<std::size_t>(config.attention_window, 1);
  const std::size_t n = std::min(prompts.any() ? prompts.max_length : prompts.sets.size(), window);
  double ends = 1;
  for (std::size_t i = 0; i < n; ++i) {
    ends *= static_cast<double>(prompts.any() ? config.d_vocab
                                              : prompts.sets[prompts.sets.size() - 1 - i].size());
  }
  return ends <= static_cast<double>(states);
}

void PromptSet::for_each_window(const automata::WindowCodes& codes, std::size_t vocabulary,
                                const std::function<bool(automata::WindowCode)>& visit) const {
  std::vector<TokenId> all;
  for (std::size_t t = 0; any() && t < vocabulary; ++t) {
    all.emplace_back(t);
  }
  const std::size_t longest = std::min(any() ? max_length : sets.size(), codes.window());
  for (std::size_t n = any() ? 1 : longest; n <= longest; ++n) {
    std::vector<const std::vector<TokenId>*> choices;
    for (std::size_t i = 0; i < n; ++i) {
      choices.push_back(any() ? &all : &sets[sets.size() - n + i]);
    }
    std::vector<std::size_t> at(n, 0);  // an odometer, the last position fastest
    for (bool more = true; more;) {
      automata::WindowCode code = 0;
      for (std::size_t i = 0; i < n; ++i) {
        code = codes.append(code, (*choices[i])[at[i]].at());
      }
      if (!visit(code)) {
        return;
      }
      std::size_t i = n;
      while (i > 0 && ++at[i - 1] == choices[i - 1]->size()) {
        at[--i] = 0;
      }
      more = i > 0;
    }
  }
}

std::vector<TokenId> PromptSet::prompt_of(const automata::WindowCodes& codes,
                                          automata::WindowCode window) const {
  const std::vector<TokenId> end = codes.decode(window);
  std::vector<TokenId> out;
  for (std::size_t i = 0; !any() && i + end.size() < sets.size(); ++i) {
    out.push_back(sets[i].front());
  }
  out.insert(out.end(), end.begin(), end.end());
  return out;
}

}  // namespace assay::verify
