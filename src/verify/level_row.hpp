#pragma once

#include <boost/multiprecision/cpp_int.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/base/rational.hpp"

namespace assay::verify {

/// Numbers of levels: no rounding anywhere.
using Exact = boost::multiprecision::cpp_rational;

[[nodiscard]] Exact exact(const Rational& value);
/// "7/4", or "3" when whole; read_exact reads it back.
[[nodiscard]] std::string exact_text(const Exact& value);

using Terms = std::vector<std::pair<std::size_t, Exact>>;  ///< by ascending level, none 0

/// Σ coefficient · level + constant
struct Form {
  Terms terms;
  Exact constant;
};

/// Σ coefficient · level <= bound, or < bound.
struct Row {
  Terms terms;
  Exact bound;
  bool strict = false;

  [[nodiscard]] bool holds(const std::vector<Exact>& values) const;
  /// Every value satisfies it, or none does, where it names no level.
  [[nodiscard]] std::optional<bool> decided() const;
  [[nodiscard]] Row negated() const;
  /// The same of the values after `update`, as a row of those before it.
  [[nodiscard]] Row before(const std::vector<Form>& update) const;
  bool operator==(const Row&) const = default;
};

/// The terms of a sum of multiples of terms.
class Sum {
 public:
  void add(const Terms& terms, const Exact& factor);
  [[nodiscard]] Terms take() const;

 private:
  std::map<std::size_t, Exact> coefficients_;
};

[[nodiscard]] Exact value_of(const Terms& terms, const std::vector<Exact>& values);
/// `<|<= BOUND n LEVEL COEFFICIENT …`, level i under the number names[i].
[[nodiscard]] std::string row_text(const Row& row, const std::vector<std::size_t>& names);

}  // namespace assay::verify
