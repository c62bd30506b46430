#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/base/index.hpp"

namespace assay {

/// Character or byte tokenizer kept in tokenizer.json:
///   {"type":"char","vocab":["\n"," ",…],"unknown":N}  one entry per character (ASCII), other
///   bytes map to `unknown`;   {"type":"byte"}  256 tokens;
/// ids are positions in vocab. A model without tokenizer.json works on ids alone.
class Tokenizer {
 public:
  static Tokenizer bytes();
  /// Vocabulary of the `max_size - 1` most frequent ASCII characters of the text (printable and
  /// newline, sorted by code), plus one unknown token, shown as U+FFFD.
  static Tokenizer characters(std::string_view text, std::size_t max_size = 96);
  static Tokenizer load(const std::filesystem::path& file);
  static Tokenizer parse(const std::string& json, const std::string& file);

  [[nodiscard]] std::string json() const;
  [[nodiscard]] std::size_t size() const { return texts_.size(); }
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const;
  [[nodiscard]] std::string decode(const std::vector<TokenId>& tokens) const;
  /// The token's own text; never empty.
  [[nodiscard]] const std::string& text(TokenId token) const { return texts_.at(token.at()); }

 private:
  std::string type_;
  std::vector<std::string> texts_;
  std::array<TokenId, 256> of_byte_{};
};

}  // namespace assay
