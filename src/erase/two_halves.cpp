#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/erase/population.hpp"
#include "concentration.hpp"

namespace assay::erase {

double covariance_bound(const PairFigures& p, double alpha) {
  require(p.a > 0 && p.b > 0 && alpha > 0 && alpha < 1, "covariance_bound: no pairs, or no alpha");
  const double log = std::log(3.0 / alpha), na = static_cast<double>(p.a),
               nb = static_cast<double>(p.b);
  const double root = root_of_mean(p.lambda, p.largest, log, na);
  const double b = room(root, p.largest, log, na);
  const double a = std::max(p.along + p.norm * room(root, p.largest, log, nb), 0.0);
  return (b + std::sqrt(b * b + 4.0 * a)) / 2.0;
}

double leakage_bound(const PairFigures& p, double alpha) {
  require(p.b > 0 && alpha > 0 && alpha < 1, "leakage_bound: no pairs, or no alpha");
  const double log = std::log(2.0 / alpha), nb = static_cast<double>(p.b);
  if (!(p.norm > 0)) {
    return 0.0;
  }
  const double size = p.norm * p.largest;
  const double root = root_of_mean(p.square_along, size, log, nb);
  return std::max((p.along - room(root, size, log, nb)) / p.norm, 0.0);
}

double mcdiarmid_bound(double norm, double largest, std::size_t n, double alpha) {
  return norm + largest * (1.0 + std::sqrt(2.0 * std::log(1.0 / alpha))) /
                    std::sqrt(static_cast<double>(n));
}

Rational fraction_above(double x) {
  double unit = 1e12;  // 15 digits at most, and well inside a double
  while (unit > 1.0 && x * unit > 1e14) {
    unit /= 10.0;
  }
  const double k = std::max(std::ceil(x * unit), 1.0);
  require(k < 1e15, "fraction_above: too large");
  return parse_rational(std::to_string(static_cast<std::int64_t>(k)) + "/" +
                        std::to_string(static_cast<std::int64_t>(unit)));
}

Rational fraction_below(double x) {
  const double k = std::floor(x * 1e9);
  require(k >= 0 && k < 1e15, "fraction_below: outside the range");
  return parse_rational(std::to_string(static_cast<std::int64_t>(k)) + "/1000000000");
}

}  // namespace assay::erase
