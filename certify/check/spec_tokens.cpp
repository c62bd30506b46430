#include "spec_tokens.hpp"

#include <algorithm>
#include <utility>

#include "lexis.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

using Kind = SpecToken::Kind;

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The length of the number or name that begins at text[0]; 0 when neither does.
std::size_t word_length(std::string_view text) {
  std::size_t n = 0;
  if (is_letter(text[0])) {
    while (n < text.size() && (is_letter(text[n]) || is_digit(text[n]))) {
      ++n;
    }
    return n;
  }
  const bool negative = text[0] == '-' && text.size() > 1 && is_digit(text[1]);
  if (!negative && !is_digit(text[0])) {
    return 0;
  }
  bool point = false;
  for (n = 1; n < text.size(); ++n) {
    if (!point && text[n] == '.' && n + 1 < text.size() && is_digit(text[n + 1])) {
      point = true;
    } else if (!is_digit(text[n])) {
      break;
    }
  }
  return n;
}

}  // namespace

SpecTokens::SpecTokens(std::string_view text, std::string file) : file_(std::move(file)) {
  std::size_t line = 1;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      line += c == '\n' ? 1 : 0;
      ++i;
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else {
      tokens_.push_back({Kind::symbol, text.substr(i, 1), line});
      at_ = tokens_.size() - 1;  // for messages
      SpecToken& token = tokens_.back();
      if (c == '"') {
        token.kind = Kind::string;
        token.text = text.substr(i, string_end(text, i) - i);
      } else if (const std::size_t n = word_length(text.substr(i)); n > 0) {
        token.kind = is_letter(c) ? Kind::name : Kind::number;
        token.text = text.substr(i, n);
      } else {
        for (const std::string_view symbol : {"<->", "->", ">=", "<="}) {
          if (token.text.size() == 1 && text.substr(i).starts_with(symbol)) {
            token.text = text.substr(i, symbol.size());
          }
        }
      }
      i += token.text.size();
    }
  }
  tokens_.push_back({Kind::end, {}, line});
  at_ = 0;
}

std::size_t SpecTokens::string_end(std::string_view text, std::size_t begin) const {
  for (std::size_t i = begin + 1; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '"') {
      return i + 1;
    }
    i += text[i] == '\\' && text.substr(i + 1, 1) != "\n" ? 1 : 0;
  }
  refuse("the end of the string");
}

void SpecTokens::refuse(const std::string& expected) const {
  const std::string found(peek().text.substr(0, 40));
  throw Reject("spec", "expected " + expected + ", found '" + found + "'", file_, peek().line);
}

bool SpecTokens::take_if(std::string_view text) {
  const SpecToken& next = peek();
  if (next.text != text || (next.kind != Kind::name && next.kind != Kind::symbol)) {
    return false;
  }
  ++at_;
  return true;
}

SpecToken SpecTokens::take(Kind kind, const char* what) {
  if (peek().kind != kind || kind == Kind::end) {
    refuse(what);
  }
  return tokens_[at_++];
}

void SpecTokens::expect(std::string_view text) {
  if (!take_if(text)) {
    refuse("'" + std::string(text) + "'");
  }
}

void SpecTokens::skip_to(std::string_view text) {
  while (peek().text != text) {
    if (peek().kind == Kind::end) {
      expect(text);
    }
    ++at_;
  }
}

std::size_t SpecTokens::natural() {
  if (peek().kind != Kind::number) {
    refuse("a number");
  }
  const std::size_t value = parse_nat(peek().text);
  ++at_;
  return value;
}

std::string SpecTokens::text_since(std::size_t begin) const {
  std::string text;
  for (std::size_t i = begin; i < at_; ++i) {
    text += text.empty() ? "" : " ";
    text += tokens_[i].text;
  }
  return text;
}

std::string SpecTokens::digest() {
  std::string hex;
  const char* end = peek().text.data();
  while ((peek().kind == Kind::number || peek().kind == Kind::name) && peek().text.data() == end) {
    hex += peek().text;
    end += peek().text.size();
    ++at_;
  }
  return parse_sha(hex);
}

}  // namespace assay_check
