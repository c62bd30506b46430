#include "assay/model/decoder.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"

namespace assay {

std::string Decoder::text() const {
  return "min-p " + min_p.text() + " temperature " + temperature.text() + " order " +
         (order == TemperatureOrder::before ? "before" : "after");
}

Support support(const Decoder& decoder, std::span<const double> logits) {
  require(!logits.empty(), "support: no logits");
  const double top = *std::max_element(logits.begin(), logits.end());
  const double temperature = decoder.temperature.nearest();
  // p_t >= rho * p_max  <=>  (l_t - max l) / T' >= ln rho, T' = T when it is applied before the cut
  const double cut = std::log(decoder.min_p.nearest()) *
                     (decoder.order == TemperatureOrder::before ? temperature : 1.0);
  Support kept;
  double total = 0;
  for (std::size_t t = 0; t < logits.size(); ++t) {
    if (logits[t] - top >= cut) {
      kept.tokens.emplace_back(t);
      kept.probabilities.push_back(std::exp((logits[t] - top) / temperature));
      total += kept.probabilities.back();
    }
  }
  for (double& p : kept.probabilities) {
    p /= total;
  }
  return kept;
}

TokenId sample(const Support& support, Random& random) {
  double u = random.unit();
  for (std::size_t i = 0; i + 1 < support.tokens.size(); ++i) {
    u -= support.probabilities[i];
    if (u < 0) {
      return support.tokens[i];
    }
  }
  return support.tokens.back();
}

Decoder make_decoder(const std::string& min_p, const std::string& temperature,
                     const std::string& order) {
  Decoder d;
  try {
    d.min_p = parse_rational(min_p);
    d.temperature = parse_rational(temperature);
  } catch (const InputError& e) {
    throw UsageError(std::string("decoder: ") + e.what());
  }
  if (d.min_p.num <= 0 || d.min_p.num > d.min_p.den || d.temperature.num <= 0) {
    throw UsageError("decoder: expected 0 < min-p <= 1 and temperature > 0, found " + min_p + ", " +
                     temperature);
  }
  if (order != "before" && order != "after") {
    throw UsageError("decoder: order: expected before or after, found " + order);
  }
  d.order = order == "before" ? TemperatureOrder::before : TemperatureOrder::after;
  return d;
}

}  // namespace assay
