#include "assay/model/tokenizer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/model/strict_json.hpp"
#include "json_fields.hpp"

namespace assay {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_ascii(const std::string& text) {
  return text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80;
}

}  // namespace

Tokenizer Tokenizer::bytes() {
  Tokenizer tokenizer;
  tokenizer.type_ = "byte";
  for (std::size_t b = 0; b < 256; ++b) {
    tokenizer.texts_.emplace_back(1, static_cast<char>(static_cast<unsigned char>(b)));
    tokenizer.of_byte_[b] = TokenId(b);
  }
  return tokenizer;
}

Tokenizer Tokenizer::characters(std::string_view text, std::size_t max_size) {
  require(max_size >= 2, "Tokenizer::characters: max_size must be at least 2");
  std::array<std::size_t, 128> counts{};
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code == '\n' || (code >= 0x20 && code < 0x7F)) {
      ++counts[code];
    }
  }
  std::vector<std::size_t> codes;
  for (std::size_t code = 0; code < counts.size(); ++code) {
    if (counts[code] > 0) {
      codes.push_back(code);
    }
  }
  if (codes.empty()) {
    throw InputError("tokenizer text: expected printable ASCII characters, found none");
  }
  std::stable_sort(codes.begin(), codes.end(),
                   [&counts](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  codes.resize(std::min(codes.size(), max_size - 1));
  std::sort(codes.begin(), codes.end());

  Tokenizer tokenizer;
  tokenizer.type_ = "char";
  tokenizer.of_byte_.fill(TokenId(codes.size()));
  for (const std::size_t code : codes) {
    tokenizer.of_byte_[code] = TokenId(tokenizer.texts_.size());
    tokenizer.texts_.emplace_back(1, static_cast<char>(code));
  }
  tokenizer.texts_.emplace_back(kReplacement);
  return tokenizer;
}

Tokenizer Tokenizer::parse(const std::string& json, const std::string& file) {
  const nlohmann::json root = parse_strict_json(json, file);
  const JsonFields fields(root, file);
  const std::string type = fields.need_text("type");
  if (type == "byte") {
    return bytes();
  }
  if (type != "char") {
    fields.refuse("type", "\"char\" or \"byte\"");
  }
  const auto vocab = root.find("vocab");
  if (vocab == root.end() || !vocab->is_array() || vocab->empty()) {
    throw InputError(file, "vocab", "a non-empty array of strings", "something else");
  }
  const auto unknown = fields.size("unknown");
  if (!unknown || *unknown >= vocab->size()) {
    fields.refuse("unknown", "an index below " + std::to_string(vocab->size()));
  }
  Tokenizer tokenizer;
  tokenizer.type_ = type;
  tokenizer.of_byte_.fill(TokenId(*unknown));
  std::array<bool, 256> seen{};
  for (const auto& entry : *vocab) {
    const std::size_t id = tokenizer.texts_.size();
    const std::string key = "vocab[" + std::to_string(id) + "]";
    const std::string text = entry.is_string() ? entry.get<std::string>() : "";
    if (id == *unknown ? text.empty() : !is_ascii(text)) {
      throw InputError(file, key, "one ASCII character", visible(entry.dump().substr(0, 60)));
    }
    if (id != *unknown) {
      const auto byte = static_cast<unsigned char>(text[0]);
      if (seen[byte]) {
        throw InputError(file, key, "a character not listed before", "'" + visible(text) + "'");
      }
      seen[byte] = true;
      tokenizer.of_byte_[byte] = TokenId(id);
    }
    tokenizer.texts_.push_back(text);
  }
  return tokenizer;
}

Tokenizer Tokenizer::load(const std::filesystem::path& file) {
  return parse(read_file(file), file.string());
}

std::string Tokenizer::json() const {
  nlohmann::ordered_json root = {{"type", type_}};
  if (type_ == "char") {
    root["vocab"] = texts_;
    // 0xFF is never a character of the vocabulary, so it maps to the unknown token.
    root["unknown"] = of_byte_[0xFF].at();
  }
  return root.dump(1, ' ', true) + "\n";
}

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  std::vector<TokenId> tokens;
  tokens.reserve(text.size());
  for (const char c : text) {
    tokens.push_back(of_byte_[static_cast<unsigned char>(c)]);
  }
  return tokens;
}

std::string Tokenizer::decode(const std::vector<TokenId>& tokens) const {
  std::string out;
  for (const TokenId token : tokens) {
    if (token.at() >= texts_.size()) {
      throw InputError("token id: expected below " + std::to_string(texts_.size()) + ", found " +
                       std::to_string(token.at()));
    }
    out += texts_[token.at()];
  }
  return out;
}

}  // namespace assay
