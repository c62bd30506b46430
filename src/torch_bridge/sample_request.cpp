#include <array>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/model/strict_json.hpp"
#include "assay/torch_bridge/sample.hpp"

namespace assay::torch_bridge {
namespace {

constexpr std::array kKinds = {"greedy", "min-p", "top-k", "top-p", "plain"};
constexpr std::array kMasks = {"none", "before", "after"};

nlohmann::json ids_json(const std::vector<TokenId>& tokens) {
  nlohmann::json out = nlohmann::json::array();
  for (const TokenId t : tokens) {
    out.push_back(t.at());
  }
  return out;
}

/// Reads the fields of one request.
class Reader {
 public:
  Reader(const nlohmann::json& object, std::string file) : o_(object), file_(std::move(file)) {}

  [[nodiscard]] const nlohmann::json& get(const char* key) const {
    if (!o_.is_object() || !o_.contains(key)) {
      throw InputError(file_, key, "a value", "none");
    }
    return o_[key];
  }
  [[nodiscard]] std::size_t count(const char* key) const {
    if (!get(key).is_number_unsigned()) {
      throw InputError(file_, key, "a whole number", get(key).type_name());
    }
    return get(key).get<std::size_t>();
  }
  [[nodiscard]] std::string text(const char* key) const {
    if (!get(key).is_string()) {
      throw InputError(file_, key, "a string", get(key).type_name());
    }
    return get(key).get<std::string>();
  }
  [[nodiscard]] Rational positive(const char* key) const {
    const Rational r = parse_rational(text(key));
    if (r.num <= 0) {
      throw InputError(file_, key, "a fraction above 0", r.text());
    }
    return r;
  }
  template <std::size_t N>
  [[nodiscard]] std::size_t word(const char* key, const std::array<const char*, N>& words) const {
    for (std::size_t i = 0; i < N; ++i) {
      if (text(key) == words[i]) {
        return i;
      }
    }
    throw InputError(file_, key, "a known word", visible(text(key)));
  }
  [[nodiscard]] std::vector<TokenId> ids(const nlohmann::json& list, const char* key,
                                         std::size_t below) const {
    std::vector<TokenId> out;
    for (const nlohmann::json& id : list) {
      if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= below) {
        throw InputError(file_, key, "token ids below " + std::to_string(below), id.dump());
      }
      out.emplace_back(id.get<std::size_t>());
    }
    return out;
  }

 private:
  const nlohmann::json& o_;
  std::string file_;
};

DecoderRule rule_of(const Reader& r, std::size_t d_vocab) {
  DecoderRule rule;
  rule.kind = static_cast<DecoderRule::Kind>(r.word("kind", kKinds));
  rule.share = r.positive("share");
  rule.temperature = r.positive("temperature");
  rule.temperature_first = r.get("temperatureFirst").get<bool>();
  rule.k = r.count("k");
  rule.mask = static_cast<DecoderRule::Mask>(r.word("mask", kMasks));
  rule.allowed = r.ids(r.get("allowed"), "allowed", d_vocab);
  return rule;
}

}  // namespace

std::string sample_request_json(const SampleRequest& request) {
  const DecoderRule& rule = request.plan.rule;
  nlohmann::json prompts = nlohmann::json::array();
  for (const auto& prompt : request.prompts) {
    prompts.push_back(ids_json(prompt));
  }
  const nlohmann::json out = {{"assay-sample-request", 1},
                              {"kind", kKinds.at(static_cast<std::size_t>(rule.kind))},
                              {"share", rule.share.text()},
                              {"temperature", rule.temperature.text()},
                              {"temperatureFirst", rule.temperature_first},
                              {"k", rule.k},
                              {"mask", kMasks.at(static_cast<std::size_t>(rule.mask))},
                              {"allowed", ids_json(rule.allowed)},
                              {"seed", request.plan.seed},
                              {"maxNew", request.plan.max_new},
                              {"batch", request.batch},
                              {"prompts", prompts}};
  return out.dump() + "\n";
}

SampleRequest parse_sample_request(const std::string& json, const std::string& file,
                                   std::size_t d_vocab) {
  const nlohmann::json root = parse_strict_json(json, file);
  const Reader r(root, file);
  if (r.count("assay-sample-request") != 1) {
    throw InputError(file, "assay-sample-request", "1", "another version");
  }
  if (!r.get("temperatureFirst").is_boolean() || !r.get("prompts").is_array()) {
    throw InputError(file, "request", "temperatureFirst true or false, prompts a list", "another");
  }
  SampleRequest out;
  out.plan = {rule_of(r, d_vocab), r.count("seed"), r.count("maxNew"), d_vocab};
  out.batch = r.count("batch");
  for (const nlohmann::json& prompt : r.get("prompts")) {
    out.prompts.push_back(r.ids(prompt, "prompts", d_vocab));
    if (out.prompts.back().empty()) {
      throw InputError(file, "prompts", "at least one token id in each", "none");
    }
  }
  if (out.batch == 0 || out.prompts.empty()) {
    throw InputError(file, "batch, prompts", "at least one", "none");
  }
  return out;
}

}  // namespace assay::torch_bridge
