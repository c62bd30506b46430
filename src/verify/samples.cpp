#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/base/errors.hpp"
#include "assay/model/strict_json.hpp"
#include "assay/verify/check.hpp"

namespace assay::verify {
namespace {

std::size_t index(const nlohmann::json& value, std::size_t limit, const std::string& where,
                  const std::string& key) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= limit) {
    throw InputError(where, key, "a number below " + std::to_string(limit),
                     value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
  }
  return value.get<std::size_t>();
}

}  // namespace

std::vector<Sample> parse_samples(const std::string& text, const std::string& file,
                                  std::size_t prompts, std::size_t vocabulary) {
  std::vector<Sample> out;
  std::istringstream lines(text);
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    const std::string where = file + " line " + std::to_string(number);
    const nlohmann::json object = parse_strict_json(line, where);
    if (!object.is_object() || !object.contains("prompt") || !object.contains("tokens") ||
        !object["tokens"].is_array()) {
      throw InputError(where, "value", "{\"prompt\":INDEX,\"tokens\":[IDS]}", object.type_name());
    }
    Sample sample;
    sample.prompt = index(object["prompt"], prompts, where, "prompt");
    for (const auto& id : object["tokens"]) {
      sample.tokens.emplace_back(index(id, vocabulary, where, "tokens"));
    }
    out.push_back(std::move(sample));
  }
  return out;
}

}  // namespace assay::verify
