#include "assay/automata/emission_probability.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "assay/base/errors.hpp"

namespace assay::automata {
namespace {

Grid floor_grid(double p) {
  return p > 0 ? std::min(kGridOne, static_cast<Grid>(std::floor(p * 0x1p40))) : 0;
}
Grid ceil_grid(double p) {
  // not below 1 (or a NaN): no upper bound better than 1
  return p < 1 ? static_cast<Grid>(std::ceil(std::max(p, 0.0) * 0x1p40)) : kGridOne;
}

/// "temperature FRAC" of the decoder's words; 1 where they name none.
Interval temperature_of(const std::string& words) {
  std::istringstream in(words);
  std::string word;
  while (in >> word) {
    if (word == "temperature" && in >> word) {
      const Rational t = parse_rational(word);
      return Interval(static_cast<double>(t.num)) / Interval(static_cast<double>(t.den));
    }
  }
  return Interval(1.0);
}

}  // namespace

EmissionChances::EmissionChances(const Emission& decoder)
    : greedy_(decoder.kind() == Emission::Kind::greedy),
      temperature_(temperature_of(decoder.text())) {
  if (decoder.text().find(" allow after ") != std::string::npos) {
    throw UsageError("a probability under decoder " + decoder.text() +
                     ": expected one that always keeps a token, found an allow-list after it");
  }
}

void EmissionChances::read(std::span<const double> lo, std::span<const double> hi,
                           std::span<const Edge> kinds, std::vector<Chance>& out) const {
  const std::size_t n = kinds.size();
  out.assign(n, Chance{});
  double top = -std::numeric_limits<double>::infinity();
  for (std::size_t t = 0; t < n; ++t) {
    top = kinds[t] == Edge::absent ? top : std::max(top, hi[t]);
  }
  std::vector<Interval> weight(n);
  double sure_lo = 0, all_hi = 0;
  for (std::size_t t = 0; t < n; ++t) {
    if (greedy_ || kinds[t] == Edge::absent) {
      out[t] = {kinds[t] == Edge::witnessed ? kGridOne : 0,
                kinds[t] == Edge::absent ? 0 : kGridOne};
      continue;
    }
    weight[t] = exp((Interval(lo[t], hi[t]) - Interval(top)) / temperature_);
    sure_lo =
        kinds[t] == Edge::witnessed ? round_down(sure_lo + std::max(weight[t].lo, 0.0)) : sure_lo;
    all_hi = round_up(all_hi + weight[t].hi);
  }
  for (std::size_t t = 0; t < n && !greedy_; ++t) {
    if (kinds[t] == Edge::absent) {
      continue;
    }
    const double w_lo = std::max(weight[t].lo, 0.0), w_hi = weight[t].hi;
    const bool sure = kinds[t] == Edge::witnessed;
    const double others_lo = std::max(sure ? round_down(sure_lo - w_lo) : sure_lo, 0.0);
    const double others_hi = round_up(all_hi - w_hi);
    out[t].hi = ceil_grid(round_up(w_hi / round_down(w_hi + others_lo)));
    out[t].lo = sure ? floor_grid(round_down(w_lo / round_up(w_lo + others_hi))) : 0;
  }
}

}  // namespace assay::automata
