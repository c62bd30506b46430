#pragma once

#include <span>
#include <string>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/base/random.hpp"
#include "assay/base/rational.hpp"

namespace assay {

enum class TemperatureOrder {
  before,
  after
};  ///< temperature applied before or after the min-p cut

/// The min-p decoder: keeps every token whose probability is at least min_p times the largest,
/// renormalises and samples. A hypothesis of every claim about generated text.
struct Decoder {
  Rational min_p{1, 10};
  Rational temperature{1, 1};
  TemperatureOrder order = TemperatureOrder::after;

  /// "min-p 1/10 temperature 1 order after"
  [[nodiscard]] std::string text() const;
};

/// Tokens kept, ascending (ties with the cut are kept), and their renormalised probabilities.
struct Support {
  std::vector<TokenId> tokens;
  std::vector<double> probabilities;
};
[[nodiscard]] Support support(const Decoder& decoder, std::span<const double> logits);
[[nodiscard]] TokenId sample(const Support& support, Random& random);

/// Throws UsageError unless 0 < min_p <= 1 and temperature > 0.
[[nodiscard]] Decoder make_decoder(const std::string& min_p, const std::string& temperature,
                                   const std::string& order);

}  // namespace assay
