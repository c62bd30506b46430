#include "chance_bound.hpp"

#include <algorithm>
#include <cmath>

#include "assay/num/interval.hpp"

namespace assay::verify {
namespace {

using automata::Grid;
using automata::kGridOne;
using Kind = automata::Emission::Kind;

constexpr double kMostExponent = 600;

Interval entropy_of(const bounds::Quantity& quantity) {
  Interval out(0.0);
  for (const auto& [y, weight] : quantity.mixture) {
    if (weight > 0) {
      const Interval w(static_cast<double>(weight) / bounds::kWholeMixture);
      out = out - w * log(w);
    }
  }
  return out;
}

}  // namespace

bool has_most(const automata::Emission& emission) {
  return emission.is_pairwise() ||
         (emission.kind() == Kind::plain && emission.mask() == automata::Emission::Mask::none);
}

Grid most_after(const automata::Emission& emission, const bounds::Quantity& quantity, double U) {
  const Kind kind = emission.kind();
  if (!has_most(emission) || std::isnan(U)) {
    return kGridOne;
  }
  if ((kind == Kind::greedy || kind == Kind::min_p) && U < emission.cut().lo) {
    return 0;
  }
  const bool is_mixture = quantity.kind == bounds::QuantityKind::logit_mixture;
  const std::size_t rivals = is_mixture ? quantity.mixture.size() : 1;
  if (kind == Kind::greedy || (kind == Kind::top_k && rivals + 1 > emission.k()) ||
      std::abs(U) > 1e6) {
    return kGridOne;
  }
  const Rational t = emission.rule().temperature;
  const Interval temperature =
      Interval(static_cast<double>(t.num)) / Interval(static_cast<double>(t.den));
  const double exponent =
      std::min((entropy_of(quantity) - Interval(U) / temperature).lo, kMostExponent);
  const Interval sum = Interval(1.0) + exp(Interval(exponent));  // of T and its rivals, over T
  double p = (Interval(1.0) / sum).hi;
  if (kind == Kind::min_p) {
    const Interval r(static_cast<double>(rivals));
    p = ((Interval(1.0) + r * exp(emission.cut() / temperature)) / sum).hi;
    if (const Interval others = sum - r; others.lo > 0) {
      p = std::min(p, (Interval(1.0) / others).hi);
    }
  }
  return p < 1 ? static_cast<Grid>(std::ceil(p * 0x1p40)) : kGridOne;
}

}  // namespace assay::verify
