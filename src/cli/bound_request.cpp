#include "bound_request.hpp"

#include <algorithm>
#include <limits>

#include "assay/base/errors.hpp"

namespace assay::cli {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& field, const std::string& expected,
                         const std::string& found) {
  throw InputError("request", field, expected, found);
}

std::string shown(const json& value) {
  const std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

std::uint64_t natural(const json& value, const std::string& field, std::uint64_t limit) {
  if (!value.is_number_integer() || value < 0 || value.get<std::uint64_t>() >= limit) {
    refuse(field, "an integer from 0 to " + std::to_string(limit - 1), shown(value));
  }
  return value.get<std::uint64_t>();
}

std::uint32_t token(const json& value, const std::string& field, const Transformer& model) {
  return static_cast<std::uint32_t>(natural(value, field, model.config.d_vocab));
}

std::vector<std::uint32_t> token_list(const json& value, const std::string& field,
                                      const Transformer& model) {
  if (!value.is_array()) {
    refuse(field, "a list of token ids", shown(value));
  }
  std::vector<std::uint32_t> ids;
  for (std::size_t i = 0; i < value.size(); ++i) {
    ids.push_back(token(value[i], field + "[" + std::to_string(i) + "]", model));
  }
  return ids;
}

bounds::Domain domain_of(const json& line, const Transformer& model) {
  const bool by_tokens = line.contains("tokens");
  if (by_tokens == line.contains("suffix")) {
    refuse(by_tokens ? "suffix" : "tokens", "either `tokens` or `suffix`, one of them",
           by_tokens ? "both" : "neither");
  }
  if (by_tokens) {
    if (line.contains("max_length")) {
      refuse("max_length", "only beside `suffix`", "beside `tokens`");
    }
    const json& sets = line["tokens"];
    if (!sets.is_array() || sets.empty()) {
      refuse("tokens", "a list of allowed id lists, one per position", shown(sets));
    }
    std::vector<std::vector<std::uint32_t>> ids;
    for (std::size_t i = 0; i < sets.size(); ++i) {
      ids.push_back(token_list(sets[i], "tokens[" + std::to_string(i) + "]", model));
    }
    return bounds::fixed_domain(ids);
  }
  const std::vector<std::uint32_t> suffix = token_list(line["suffix"], "suffix", model);
  if (suffix.empty()) {
    refuse("suffix", "at least one token id (the query)", "[]");
  }
  if (!line.contains("max_length")) {
    return bounds::any_length_domain(model, suffix);
  }
  const std::uint64_t longest =
      natural(line["max_length"], "max_length", std::numeric_limits<std::uint32_t>::max());
  return bounds::suffix_domain(model, suffix, static_cast<std::size_t>(longest));
}

std::vector<double> direction_of(const json& value) {
  const json& list =
      value.is_array() && value.size() == 1 && value[0].is_array() ? value[0] : value;
  if (!list.is_array()) {
    refuse("quantity.residual_mid", "a list of numbers", shown(value));
  }
  std::vector<double> direction;
  for (const json& x : list) {
    if (!x.is_number()) {
      refuse("quantity.residual_mid", "numbers", shown(x));
    }
    direction.push_back(x.get<double>());
  }
  return direction;
}

bounds::Quantity quantity_of(const json& value) {
  using bounds::QuantityKind;
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 31U;
  const char* expected =
      R"({"neuron":j}, {"feature":i}, {"feature_difference":[i,y]}, {"logit":a}, {"logit_difference":[a,b]}, {"logit_margin":a} or {"residual_mid":[...]})";
  if (!value.is_object() || value.size() != 1) {
    refuse("quantity", expected, shown(value));
  }
  const std::string name = value.begin().key();
  const json& of = value.begin().value();
  const std::string field = "quantity." + name;
  bounds::Quantity quantity;
  const auto take_index = [&](const json& x) {
    return static_cast<std::uint32_t>(natural(x, field, kLimit));
  };
  if (name == "neuron" || name == "feature" || name == "logit" || name == "logit_margin") {
    quantity.kind = name == "neuron"    ? QuantityKind::neuron
                    : name == "feature" ? QuantityKind::feature
                    : name == "logit"   ? QuantityKind::logit
                                        : QuantityKind::logit_margin;
    quantity.index = take_index(of);
  } else if (name == "logit_difference" || name == "feature_difference") {
    if (!of.is_array() || of.size() != 2) {
      refuse(field, "two ids [a, b]", shown(of));
    }
    quantity.kind = name == "logit_difference" ? QuantityKind::logit_difference
                                               : QuantityKind::feature_difference;
    quantity.index = take_index(of[0]);
    quantity.other = take_index(of[1]);
  } else if (name == "residual_mid") {
    quantity.kind = QuantityKind::residual_mid;
    quantity.direction = direction_of(of);
  } else {
    refuse("quantity", expected, "\"" + name + "\"");
  }
  return quantity;
}

json ids(const std::vector<TokenId>& tokens) {
  json out = json::array();
  for (const TokenId t : tokens) {
    out.push_back(t.value);
  }
  return out;
}

}  // namespace

BoundRequest read_bound_request(const json& line, const Transformer& model) {
  if (!line.is_object()) {
    refuse("line", "a JSON object", shown(line));
  }
  for (const auto& [key, value] : line.items()) {
    if (key != "id" && key != "tokens" && key != "suffix" && key != "max_length" &&
        key != "quantity") {
      refuse(key, "one of id, tokens, suffix, max_length, quantity", "this key");
    }
  }
  if (!line.contains("id") || !(line["id"].is_string() || line["id"].is_number_integer())) {
    refuse("id", "a string or an integer", line.contains("id") ? shown(line["id"]) : "none");
  }
  if (!line.contains("quantity")) {
    refuse("quantity", "an object", "none");
  }
  return {line["id"], domain_of(line, model), quantity_of(line["quantity"])};
}

const char* firing(const Sae& sae, std::size_t feature, double lo, double hi) {
  const double threshold =
      sae.threshold.data.empty() ? 0.0 : static_cast<double>(sae.threshold.data[feature]);
  return hi <= threshold ? "must-off" : lo > threshold && !sae.is_top_k() ? "must-on" : "may";
}

nlohmann::ordered_json bound_json(const json& id, const bounds::BoundResult& result,
                                  const std::optional<bounds::FiringVerdict>& verdict) {
  nlohmann::ordered_json o;
  o["id"] = id;
  o["lo"] = result.lo;
  o["hi"] = result.hi;
  o["attained_lo"] = result.attained_lo;
  o["attained_hi"] = result.attained_hi;
  o["witness_lo"] = ids(result.witness_lo);
  o["witness_hi"] = ids(result.witness_hi);
  o["nodes"] = result.nodes;
  o["text_contexts"] = result.text_contexts;
  o["seconds"] = result.seconds;
  o["level"] = "PROVED";
  o["semantics"] = "REAL";
  o["status"] = result.closed ? "closed" : "open";
  o["reason"] = result.closed      ? "both ends are attained"
                : result.exhausted ? "nothing is left to split: the gap is the room for rounding"
                : result.stopped   ? "stopped by the time limit or an interrupt"
                                   : "the node budget is spent";
  o["method"] = result.method;
  if (verdict) {
    o["firing"] = bounds::name(verdict->firing);
    o["firing_reason"] = verdict->reason;
    o["features_compared"] = verdict->compared;
  }
  return o;
}

std::uint32_t one_token(const std::optional<Tokenizer>& tokenizer, const std::string& text,
                        const char* option) {
  if (text.size() > 1 && text.size() <= 10 && text[0] == '#' &&
      std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return static_cast<std::uint32_t>(std::stoul(text.substr(1)));
  }
  if (!tokenizer) {
    throw UsageError(std::string("bound: ") + option +
                     ": expected #ID (the model has no tokenizer.json), found \"" + text + "\"");
  }
  const std::vector<TokenId> ids = tokenizer->encode(text);
  if (ids.size() != 1) {
    throw UsageError(std::string("bound: ") + option + ": expected one token or #ID, found " +
                     std::to_string(ids.size()) + " tokens in \"" + text + "\"");
  }
  return ids[0].value;
}

}  // namespace assay::cli
