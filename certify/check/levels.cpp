#include "levels.hpp"

#include <algorithm>

#include "lexis.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxDigits = 2000;

boost::multiprecision::cpp_int parse_digits(std::string_view word) {
  if (word.empty() || word.size() > kMaxDigits || (word[0] == '0' && word.size() > 1) ||
      word.find_first_not_of("0123456789") != std::string_view::npos) {
    throw Reject("lexis", "expected digits");
  }
  return boost::multiprecision::cpp_int(std::string(word));
}

}  // namespace

void add_terms(LevelTerms& terms, const LevelTerms& more, const Exact& factor) {
  for (const auto& [level, coefficient] : more) {
    Exact& sum = terms[level];
    sum += factor * coefficient;
    if (sum == 0) {
      terms.erase(level);
    }
  }
}

LevelRow LevelRow::negated() const {
  LevelRow out{{}, -bound, !strict};
  add_terms(out.terms, terms, -1);
  return out;
}

LevelRow LevelRow::before(const std::map<std::size_t, LevelForm>& update) const {
  LevelRow out{{}, bound, strict};
  for (const auto& [level, coefficient] : terms) {
    const LevelForm& form = update.at(level);
    add_terms(out.terms, form.terms, coefficient);
    out.bound -= coefficient * form.constant;
  }
  return out;
}

bool LevelRow::holds(const std::map<std::size_t, Exact>& values) const {
  Exact sum = 0;
  for (const auto& [level, coefficient] : terms) {
    sum += coefficient * values.at(level);
  }
  return strict ? sum < bound : sum <= bound;
}

Exact parse_exact(std::string_view word) {
  const bool negative = word.starts_with('-');
  word.remove_prefix(negative ? 1 : 0);
  const std::size_t slash = std::min(word.find('/'), word.size());
  const Exact num(parse_digits(word.substr(0, slash)));
  const Exact den(slash < word.size() ? parse_digits(word.substr(slash + 1)) : 1);
  if (den == 0) {
    throw Reject("lexis", "a denominator of 0");
  }
  return (negative ? -num : num) / den;
}

LevelRow parse_row(std::span<const std::string_view> words, std::size_t& at, std::size_t levels) {
  const auto next = [&] {
    if (at >= words.size()) {
      throw Reject("lexis", "expected a row: <|<= BOUND n LEVEL COEFFICIENT …");
    }
    return words[at++];
  };
  LevelRow row;
  const std::string_view sign = next();
  if (sign != "<" && sign != "<=") {
    throw Reject("lexis", "expected < or <=");
  }
  row.strict = sign == "<";
  row.bound = parse_exact(next());
  for (std::size_t n = parse_nat(next()); n > 0; --n) {
    const std::size_t level = parse_nat_below(next(), levels, "a level");
    const Exact coefficient = parse_exact(next());
    if (coefficient == 0 || !row.terms.emplace(level, coefficient).second) {
      throw Reject("lexis", "a level stands twice in a row, or with 0");
    }
  }
  return row;
}

}  // namespace assay_check
