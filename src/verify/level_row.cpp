#include "level_row.hpp"

namespace assay::verify {

Exact exact(const Rational& value) {
  return Exact(value.num, value.den);
}

std::string exact_text(const Exact& value) {
  const auto den = boost::multiprecision::denominator(value);
  const std::string num = boost::multiprecision::numerator(value).str();
  return den == 1 ? num : num + "/" + den.str();
}

Exact value_of(const Terms& terms, const std::vector<Exact>& values) {
  Exact out = 0;
  for (const auto& [level, coefficient] : terms) {
    out += coefficient * values[level];
  }
  return out;
}

bool Row::holds(const std::vector<Exact>& values) const {
  const Exact value = value_of(terms, values);
  return strict ? value < bound : value <= bound;
}

std::optional<bool> Row::decided() const {
  if (!terms.empty()) {
    return std::nullopt;
  }
  return strict ? bound > 0 : bound >= 0;
}

Row Row::negated() const {
  Row out = *this;
  for (auto& [level, coefficient] : out.terms) {
    coefficient = -coefficient;
  }
  out.bound = -bound;
  out.strict = !strict;
  return out;
}

Row Row::before(const std::vector<Form>& update) const {
  Sum sum;
  Row out{{}, bound, strict};
  for (const auto& [level, coefficient] : terms) {
    sum.add(update[level].terms, coefficient);
    out.bound -= coefficient * update[level].constant;
  }
  out.terms = sum.take();
  return out;
}

void Sum::add(const Terms& terms, const Exact& factor) {
  for (const auto& [level, coefficient] : terms) {
    coefficients_[level] += factor * coefficient;
  }
}

Terms Sum::take() const {
  Terms out;
  for (const auto& [level, coefficient] : coefficients_) {
    if (coefficient != 0) {
      out.emplace_back(level, coefficient);
    }
  }
  return out;
}

std::string row_text(const Row& row, const std::vector<std::size_t>& names) {
  std::string out =
      (row.strict ? "< " : "<= ") + exact_text(row.bound) + " " + std::to_string(row.terms.size());
  for (const auto& [level, coefficient] : row.terms) {
    out += " " + std::to_string(names[level]) + " " + exact_text(coefficient);
  }
  return out;
}

}  // namespace assay::verify
