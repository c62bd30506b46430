#include "assay/verify/prompt_law.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/model/strict_json.hpp"

namespace assay::verify {
namespace {

constexpr std::uint64_t kMostWeight = std::uint64_t{1} << 40U;
using Stream = CounterRandom::Stream;

[[noreturn]] void refuse(const std::string& file, const std::string& expected,
                         const std::string& found) {
  throw InputError(file, "prompts", expected, found);
}

std::vector<TokenId> prompt_of(const nlohmann::json& ids, const std::string& file,
                               std::size_t vocabulary) {
  if (!ids.is_array() || ids.empty()) {
    refuse(file, "a prompt of at least one token id", ids.dump());
  }
  std::vector<TokenId> out;
  for (const nlohmann::json& id : ids) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= vocabulary) {
      refuse(file, "token ids below " + std::to_string(vocabulary), id.dump());
    }
    out.emplace_back(id.get<std::size_t>());
  }
  return out;
}

}  // namespace

PromptLaw PromptLaw::parse(const std::string& json, const std::string& file,
                           std::size_t vocabulary) {
  const nlohmann::json root = parse_strict_json(json, file);
  PromptLaw law;
  law.vocabulary_ = vocabulary;
  law.digest_ = sha256(json);
  if (!root.is_object() || !root.contains("list")) {
    law.set_ = parse_prompts(json, file, vocabulary);
    return law;
  }
  const nlohmann::json& list = root["list"];
  const bool weighted = root.contains("weights");
  if (root.size() != (weighted ? 2U : 1U) || !list.is_array() || list.empty()) {
    refuse(file, R"({"list":[[IDS],…]} with "weights":[W,…] or not)", "another object");
  }
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    law.list_.push_back(prompt_of(list[i], file, vocabulary));
    std::uint64_t weight = 1;
    if (weighted) {
      const nlohmann::json& weights = root["weights"];
      if (!weights.is_array() || weights.size() != list.size() ||
          !weights[i].is_number_unsigned() || weights[i].get<std::uint64_t>() > kMostWeight) {
        refuse(file, "one whole number from 0 to 2^40 for each prompt as weights", weights.dump());
      }
      weight = weights[i].get<std::uint64_t>();
    }
    total += weight;
    law.ends_.push_back(total);
  }
  if (total == 0 || total > kMostWeight) {
    refuse(file, "weights that add to 1 to 2^40", std::to_string(total));
  }
  return law;
}

std::vector<TokenId> PromptLaw::draw(const CounterRandom& random, std::uint64_t run) const {
  if (!list_.empty()) {
    const std::uint64_t at = random.below(ends_.back(), Stream::prompt, run, 0);
    return list_[static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), at) -
                                          ends_.begin())];
  }
  std::vector<TokenId> out;
  const std::size_t n =
      set_.any() ? 1 + random.below(set_.max_length, Stream::prompt, run, 0) : set_.sets.size();
  for (std::size_t i = 0; i < n; ++i) {
    const auto step = static_cast<std::uint32_t>(i + 1);
    if (set_.any()) {
      out.emplace_back(random.below(vocabulary_, Stream::prompt, run, step));
    } else {
      out.push_back(set_.sets[i][random.below(set_.sets[i].size(), Stream::prompt, run, step)]);
    }
  }
  return out;
}

std::string PromptLaw::words() const {
  if (!list_.empty()) {
    return "one of " + std::to_string(list_.size()) + " listed prompts, by their weights";
  }
  return set_.any() ? "a length uniformly from 1 to " + std::to_string(set_.max_length) +
                          ", then each token uniformly from " + std::to_string(vocabulary_)
                    : "each of " + std::to_string(set_.sets.size()) +
                          " positions uniformly from its set, independently";
}

std::size_t PromptLaw::longest() const {
  if (list_.empty()) {
    return set_.any() ? set_.max_length : set_.sets.size();
  }
  std::size_t longest = 0;
  for (const auto& prompt : list_) {
    longest = std::max(longest, prompt.size());
  }
  return longest;
}

}  // namespace assay::verify
