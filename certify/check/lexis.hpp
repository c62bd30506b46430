#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "interval.hpp"

namespace assay_check {

/// FRAC: num/den, den > 0, not reduced.
struct Fraction {
  std::int64_t num = 0;
  std::int64_t den = 1;
  [[nodiscard]] Interval interval() const { return quotient(num, den); }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool equals(const Fraction& other) const;
};

/// A whole file, up to `limit` bytes. Throws Reject.
[[nodiscard]] std::string read_file(const std::string& path, std::size_t limit);

[[nodiscard]] std::string one_line(std::string text);  ///< without control characters
// The words of the certificate page, section "Lexis". Each throws Reject("lexis", …).
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view line);
[[nodiscard]] bool is_id(std::string_view word);
[[nodiscard]] std::string parse_id(std::string_view word);
[[nodiscard]] std::size_t parse_nat(std::string_view word);
[[nodiscard]] std::size_t parse_nat_below(std::string_view word, std::size_t limit,
                                          const char* what);
[[nodiscard]] double parse_hex(std::string_view word);
[[nodiscard]] Fraction parse_fraction(std::string_view word);
[[nodiscard]] std::string parse_sha(std::string_view word);

}  // namespace assay_check
