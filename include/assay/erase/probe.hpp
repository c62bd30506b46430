#pragma once

#include <cstdint>
#include <vector>

#include "assay/model/forward.hpp"

namespace assay::erase {

/// x [n,d] with labels z [n] of 0/1.
struct ProbeData {
  Matrix x;
  std::vector<std::uint8_t> z;
};

/// An affine predictor of the label: logit = <weights, x> + bias on the raw inputs.
struct Probe {
  std::vector<double> weights;
  double bias = 0;
  double base_rate = 0;  ///< share of z = 1 in the training half
  double cut = 0;        ///< the logit at which the probe says "as likely as the base rate"
  bool converged = true;
};

/// Figures on a test half. OBSERVED: this probe, these rows.
struct ProbeFigures {
  std::size_t n = 0;
  std::size_t positive = 0;
  double accuracy = 0;           ///< predicting 1 iff logit > 0
  double majority = 0;           ///< accuracy of always the commoner label
  double balanced_accuracy = 0;  ///< mean of both recalls, cut at the training base rate
  double auc = 0;                ///< P(score of a 1 > score of a 0), ties count half
  double log_loss = 0;           ///< mean, nats
  double constant_loss = 0;      ///< log-loss of the training base rate
};

/// Logistic regression on inputs scaled to unit variance, by Newton steps with halving:
/// mean log-loss + (ridge / 2) |w|^2, bias free. Throws Refusal when z is constant.
[[nodiscard]] Probe fit_logistic(const ProbeData& train, double ridge = 1e-4);

/// Least squares of z on x, no ridge: reads directions however small their variance, which a
/// ridge on the weights hides. `bias` puts the cut of 1/2 at logit 0; its log_loss has no meaning.
[[nodiscard]] Probe fit_least_squares(const ProbeData& train);

[[nodiscard]] ProbeFigures evaluate(const Probe& probe, const ProbeData& test);

/// x scaled to the training half's unit variance, then [x, relu(G x + g)] with `features` fixed
/// Gaussian directions: a logistic probe on these is a small non-linear probe of x.
struct ReluFeatures {
  std::vector<double> mean, scale;  ///< [d]
  Matrix directions;                ///< [features, d]
  std::vector<double> offsets;      ///< [features]

  [[nodiscard]] Matrix apply(const Matrix& x) const;
};
[[nodiscard]] ReluFeatures make_relu_features(const Matrix& train, std::size_t features,
                                              std::uint64_t seed);

/// The area under the ROC curve of the scores. @pre both labels occur.
[[nodiscard]] double auc(const std::vector<double>& scores, const std::vector<std::uint8_t>& z);

}  // namespace assay::erase
