#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay_check {

/// A word of a .spec file. Strings come with their quotes and escapes as written.
struct SpecToken {
  enum class Kind { end, string, number, name, symbol } kind = Kind::end;
  std::string_view text;
  std::size_t line = 0;
};

/// The words of a .spec text, read one after the other; a position can be returned to.
/// Every expectation that is not met throws Reject("spec", …) with file and line.
class SpecTokens {
 public:
  SpecTokens(std::string_view text, std::string file);

  [[nodiscard]] const SpecToken& peek() const { return tokens_[at_]; }
  [[nodiscard]] bool take_if(std::string_view text);
  SpecToken take(SpecToken::Kind kind, const char* what);
  void expect(std::string_view text);
  void skip_to(std::string_view text);
  [[nodiscard]] std::size_t natural();  ///< NAT
  [[noreturn]] void refuse(const std::string& expected) const;
  [[nodiscard]] std::size_t position() const { return at_; }
  void go_to(std::size_t position) { at_ = position; }
  /// The words from `begin` to here, one space between.
  [[nodiscard]] std::string text_since(std::size_t begin) const;
  /// 64 hex digits, which may have been read as several adjacent words.
  [[nodiscard]] std::string digest();

 private:
  [[nodiscard]] std::size_t string_end(std::string_view text, std::size_t begin) const;
  std::vector<SpecToken> tokens_;
  std::string file_;
  std::size_t at_ = 0;
};

}  // namespace assay_check
