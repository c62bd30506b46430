#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "facts.hpp"

namespace assay_check {

/// The words of a step from the left to the right; whatever does not fit is refused in the step's name.
class WordReader {
 public:
  WordReader(const Step& step, std::span<const std::string_view> words)
      : step_(step), rest_(words) {}

  [[nodiscard]] bool next_is(std::string_view word) const {
    return !rest_.empty() && rest_[0] == word;
  }
  void expect(std::string_view word) {
    if (next() != word) {
      refuse(step_, "expected " + std::string(word));
    }
  }
  [[nodiscard]] std::string_view next() {
    if (rest_.empty()) {
      refuse(step_, "words are missing");
    }
    const std::string_view word = rest_[0];
    rest_ = rest_.subspan(1);
    return word;
  }
  [[nodiscard]] std::size_t index(std::size_t limit, const char* what) {
    return parse_nat_below(next(), limit, what);
  }
  [[nodiscard]] double number() { return parse_hex(next()); }
  [[nodiscard]] std::vector<double> numbers(std::size_t count) {
    std::vector<double> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(number());
    }
    return all;
  }
  void end() const {
    if (!rest_.empty()) {
      refuse(step_, "more words than expected");
    }
  }

 private:
  const Step& step_;
  std::span<const std::string_view> rest_;
};

}  // namespace assay_check
