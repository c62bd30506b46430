#include "assay/erase/label_source.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/model/strict_json.hpp"

namespace assay::erase {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 6> kClasses = {
    {{"digit", "[0-9]"},
     {"letter", "[A-Za-z]"},
     {"upper", "[A-Z]"},
     {"lower", "[a-z]"},
     {"space", "[ \\t]"},
     {"punctuation", "[!-/:-@\\[-`{-~]"}}};

Concept class_concept(const std::string& name) {
  std::string known;
  for (const auto& [word, pattern] : kClasses) {
    if (name == word) {
      return make_concept(name + "-token", pattern);
    }
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  throw UsageError("token class: expected one of " + known + ", found '" + visible(name) + "'");
}

std::vector<std::uint8_t> marked(const nlohmann::json& value, std::size_t size,
                                 const std::string& file, const std::string& name) {
  const auto refuse = [&]() {
    throw InputError(file, "documents." + visible(name),
                     "0, 1 or ranges [[FROM, TO], …] with FROM < TO <= " + std::to_string(size),
                     visible(value.dump(-1, ' ', true).substr(0, 60)));
  };
  if (value.is_number_unsigned() && value.get<std::size_t>() <= 1) {
    return std::vector<std::uint8_t>(size, value.get<std::uint8_t>());
  }
  if (!value.is_array()) {
    refuse();
  }
  std::vector<std::uint8_t> out(size, 0);
  for (const auto& range : value) {
    if (!range.is_array() || range.size() != 2 || !range[0].is_number_unsigned() ||
        !range[1].is_number_unsigned() || range[0] >= range[1] ||
        range[1].get<std::size_t>() > size) {
      refuse();
    }
    std::fill(out.begin() + range[0].get<std::ptrdiff_t>(),
              out.begin() + range[1].get<std::ptrdiff_t>(), std::uint8_t{1});
  }
  return out;
}

/// Labels of the rows: which of them the feature fires on.
void label_by_feature(Rows& rows, const Sae& sae, std::size_t feature) {
  Matrix x{rows.n(), rows.d, {rows.x.begin(), rows.x.end()}};
  Matrix values = pre_activations(sae, x);
  apply_activation(sae, values);
  for (std::size_t i = 0; i < rows.n(); ++i) {
    rows.z[i] = values.at(i, feature) > 0 ? 1 : 0;
  }
}

}  // namespace

std::vector<std::vector<std::uint8_t>> label_file(const std::filesystem::path& path,
                                                  const std::vector<Document>& documents) {
  const std::string file = path.string();
  const nlohmann::json root = parse_strict_json(read_file(path), file);
  if (!root.is_object() || !root.contains("assay-labels") || root["assay-labels"] != 1 ||
      !root.contains("documents") || !root["documents"].is_object()) {
    throw InputError(file, "assay-labels", "1, with documents", "another file");
  }
  std::vector<std::vector<std::uint8_t>> out;
  for (const Document& document : documents) {
    const auto it = root["documents"].find(document.name);
    if (it == root["documents"].end()) {
      throw InputError(file, "documents", "a label of '" + visible(document.name) + "'", "none");
    }
    out.push_back(marked(*it, document.text.size(), file, document.name));
  }
  if (root["documents"].size() != documents.size()) {
    throw InputError(file, "documents", std::to_string(documents.size()) + " as in the text",
                     std::to_string(root["documents"].size()));
  }
  return out;
}

LabelledRows label_rows(const Transformer& model, const Tokenizer& tokenizer,
                        const std::string& hook, std::vector<Document> documents,
                        const LabelSource& source, std::size_t most, std::uint64_t seed,
                        std::optional<Part> part) {
  LabelledText text;
  LabelledRows out;
  std::optional<Sae> sae;
  std::optional<Concept> rule = source.rule;
  if (source.token_class) {
    rule = class_concept(*source.token_class);
  }
  if (source.sae) {
    sae = load_sae(*source.sae);
    if (sae->hook_name != hook || source.feature >= sae->d_sae) {
      throw UsageError("a feature's firing: expected a feature below " +
                       std::to_string(sae->d_sae) + " read at " + sae->hook_name + ", found " +
                       std::to_string(source.feature) + " at " + hook);
    }
    out.words = "feature " + std::to_string(source.feature) + " of a dictionary fires";
    out.digest = sae->weights_digest;
  } else if (source.file) {
    text.labels = label_file(*source.file, documents);
    out.words = "labels of a file";
    out.digest = sha256_file(*source.file);
  } else {
    require(rule.has_value(), "label_rows: no source of labels");
    out.words = rule->rule();
    out.digest = rule->digest();
  }
  for (const Document& document : documents) {
    if (text.labels.size() < documents.size()) {
      text.labels.push_back(rule ? label(*rule, document.text)
                                 : std::vector<std::uint8_t>(document.text.size(), 0));
    }
  }
  for (const Document& document : documents) {  // without one, parts are drawn by `erase split`
    text.parts.push_back(part ? part_of(document) : Part::fit);
  }
  text.documents = std::move(documents);
  out.rows = collect_rows(model, tokenizer, hook, text,
                          choose_windows(text, part.value_or(Part::fit), model, most, seed));
  if (sae) {
    label_by_feature(out.rows, *sae, source.feature);
  }
  return out;
}

}  // namespace assay::erase
