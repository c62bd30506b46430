#pragma once
// The ATTN-JOINT number of docs/certificate-format.md, in plain double.

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "check_model.hpp"

namespace check_test {

/// Weight and value of every token j back, for head h.
using Choices = std::vector<std::vector<std::pair<double, double>>>;

/// ATTN-JOINT of the page for these numbers; weights have 1 as the largest of a head.
[[nodiscard]] inline double joint_bound(const std::vector<Choices>& heads, const Vector& L,
                                        const std::vector<Vector>& theta, std::size_t fewest) {
  double bound = -HUGE_VAL;
  for (std::size_t N = fewest; N <= heads[0].size(); ++N) {
    Vector lo(heads.size()), hi(heads.size());
    const auto psi = [&](std::size_t h, double t) { return std::max(lo[h] * t, hi[h] * t); };
    double sum = 0;
    for (std::size_t h = 0; h < heads.size(); ++h) {
      double least = 0, most = 0, thetas = 0;
      for (std::size_t j = 0; j < N; ++j) {
        const auto [a, b] = std::minmax_element(heads[h][j].begin(), heads[h][j].end());
        least += a->first;
        most += b->first;
        thetas += theta[h][j];
      }
      lo[h] = 1 / most;
      hi[h] = 1 / least;
      sum += L[h] + psi(h, thetas);
    }
    for (std::size_t j = 0; j < N; ++j) {
      double top = -HUGE_VAL;
      for (std::size_t u = 0; u < heads[0][j].size(); ++u) {
        double each = 0;
        for (std::size_t h = 0; h < heads.size(); ++h) {
          const auto [w, nu] = heads[h][j][u];
          const auto [a, b] = std::minmax_element(heads[h][j].begin(), heads[h][j].end());
          const double t = w * (nu - L[h]) - theta[h][j];  // the weight sum counts this u
          each += std::max(t / (1 / lo[h] - b->first + w), t / (1 / hi[h] - a->first + w));
        }
        top = std::max(top, each);
      }
      sum += top;
    }
    bound = std::max(bound, sum);
  }
  return bound;
}

}  // namespace check_test
