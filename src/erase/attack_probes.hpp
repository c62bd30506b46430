#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <vector>

#include "assay/erase/probe.hpp"

namespace assay::erase {

using Rows64 = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Inputs scaled by the training half's means and deviations; labels of it.
struct AttackSplit {
  Rows64 train, test;
  std::vector<std::uint8_t> z;  ///< of the training rows
};
/// Scores of the test rows: larger, more likely 1.
using Scores = std::vector<double>;

/// The logits of an affine probe.
[[nodiscard]] Scores scores_of(const Probe& probe, const Matrix& x);

/// min over w, b of 1/2 (|w|^2 + b^2) + Σ C_i max(0, 1 - s_i (w·x_i + b)), C_i = 5 / rows of the label, by dual
/// coordinate ascent (Hsieh et al., ICML 2008), 30 passes; s_i = ±1.
[[nodiscard]] Scores svm_scores(const AttackSplit& split, std::uint64_t seed);
/// Kernel least squares, exp(-|a - b|^2 / (2 h^2)), h^2 half the median squared distance, ridge 1e-3 n.
[[nodiscard]] Scores rbf_scores(const AttackSplit& split);
/// The share of ones among the 15 nearest training rows.
[[nodiscard]] Scores neighbour_scores(const AttackSplit& split);
/// 64 ReLU units, log-loss, Adam, 20 passes in batches of 64.
[[nodiscard]] Scores mlp_scores(const AttackSplit& split, std::uint64_t seed);
/// Logistic on u and all u_i u_j, u the 16 directions in which the classes' covariances differ most.
[[nodiscard]] Scores quadratic_scores(const AttackSplit& split);

}  // namespace assay::erase
