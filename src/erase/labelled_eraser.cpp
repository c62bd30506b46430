#include "assay/erase/labelled_eraser.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "assay/base/text.hpp"

namespace assay::erase {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr int kBarycentreSteps = 500;
constexpr double kBarycentreChange = 1e-12;  ///< relative, of a step at the end
constexpr double kSingular = 1e-10;          ///< eigenvalue beside the largest

MatrixXd power(const MatrixXd& symmetric, double exponent) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(symmetric);
  const Eigen::VectorXd values = eigen.eigenvalues().cwiseMax(0.0).array().pow(exponent);
  return eigen.eigenvectors() * values.asDiagonal() * eigen.eigenvectors().transpose();
}

MatrixXd covariance(const Moments& m) {
  const auto d = static_cast<Index>(m.d());
  MatrixXd out(d, d);
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < d; ++j) {
      out(i, j) = m.xx(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
    }
  }
  return out;
}

/// The class of every row: 0 or 1, or the one-hot column.
std::vector<std::size_t> classes_of(const LabelTable& z) {
  if (!z.zero_one) {
    throw Refusal(z.file + ": quadratic erasure is of classes: labels of 0 and 1, or one-hot");
  }
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < z.n; ++i) {
    const double* row = z.z.data() + i * z.k;
    const auto ones = std::count(row, row + z.k, 1.0);
    if (z.k > 1 && ones != 1) {
      throw Refusal(z.file + ": row " + std::to_string(i) + " has " + std::to_string(ones) +
                    " classes, and quadratic erasure needs exactly one");
    }
    out.push_back(z.k > 1 ? static_cast<std::size_t>(std::find(row, row + z.k, 1.0) - row)
                          : static_cast<std::size_t>(row[0]));
  }
  return out;
}

Moments all_moments(const Tables& t, const std::vector<std::size_t>* classes, std::size_t only) {
  Extent z(t.z.k);
  z.add(t.z.z, "z");
  Moments out(t.x.extent, z);
  t.x.each_block([&](std::size_t first, std::span<const double> rows) {
    std::vector<double> x, labels;
    for (std::size_t r = 0; r < rows.size() / t.x.d; ++r) {
      if (classes == nullptr || (*classes)[first + r] == only) {
        const auto row = rows.subspan(r * t.x.d, t.x.d);
        x.insert(x.end(), row.begin(), row.end());
        const auto label = std::span(t.z.z).subspan((first + r) * t.z.k, t.z.k);
        labels.insert(labels.end(), label.begin(), label.end());
      }
    }
    out.add(x, labels);
  });
  return out;
}

/// G = Cov(x, z) Cov(z, z)^+.
void fit_oracle(const Moments& m, LabelledEraser& out) {
  const auto d = static_cast<Index>(out.d), k = static_cast<Index>(out.k);
  MatrixXd sigma(d, k), szz(k, k);
  for (Index c = 0; c < k; ++c) {
    for (Index i = 0; i < d; ++i) {
      sigma(i, c) = m.xz(static_cast<std::size_t>(i), static_cast<std::size_t>(c));
    }
    for (Index e = 0; e < k; ++e) {
      szz(c, e) = m.zz(static_cast<std::size_t>(c), static_cast<std::size_t>(e));
    }
  }
  const MatrixXd gain = szz.completeOrthogonalDecomposition().solve(sigma.transpose()).transpose();
  for (Index i = 0; i < d; ++i) {
    for (Index c = 0; c < k; ++c) {
      out.gain.push_back(gain(i, c));
    }
  }
  out.mean.assign(m.mean_z().begin(), m.mean_z().end());
}

/// The fixed point of Álvarez-Esteban et al. 2016, B <- B^(-1/2) (Σ p_c (B^(1/2) S_c B^(1/2))^(1/2))^2 B^(-1/2).
MatrixXd barycentre(const std::vector<MatrixXd>& classes, const std::vector<double>& weights) {
  MatrixXd b = MatrixXd::Zero(classes[0].rows(), classes[0].cols());
  for (std::size_t c = 0; c < classes.size(); ++c) {
    b += weights[c] * classes[c];
  }
  for (int step = 0; step < kBarycentreSteps; ++step) {
    const MatrixXd root = power(b, 0.5), inverse = power(b, -0.5);
    MatrixXd sum = MatrixXd::Zero(b.rows(), b.cols());
    for (std::size_t c = 0; c < classes.size(); ++c) {
      sum += weights[c] * power(root * classes[c] * root, 0.5);
    }
    const MatrixXd next = inverse * sum * sum * inverse;
    const double change = (next - b).norm() / b.norm();
    b = 0.5 * (next + next.transpose());
    if (change < kBarycentreChange) {
      return b;
    }
  }
  throw Refusal("the barycentre of the class covariances was not found in " +
                std::to_string(kBarycentreSteps) + " steps");
}

void fit_quadratic(const Tables& tables, const Moments& all, LabelledEraser& out) {
  const std::vector<std::size_t> labels = classes_of(tables.z);
  const std::size_t count = std::max<std::size_t>(2, out.k);
  std::vector<MatrixXd> covariances;
  std::vector<double> weights;
  for (std::size_t c = 0; c < count; ++c) {
    const Moments m = all_moments(tables, &labels, c);
    if (m.n() < 4 * out.d) {
      throw Refusal("too few rows of class " + std::to_string(c) + ": expected at least " +
                    std::to_string(4 * out.d) + ", found " + std::to_string(m.n()));
    }
    covariances.push_back(covariance(m));
    const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(covariances.back());
    if (!(eigen.eigenvalues().minCoeff() > kSingular * eigen.eigenvalues().maxCoeff())) {
      throw Refusal("the covariance of class " + std::to_string(c) +
                    " is singular: coordinates that are constant there or depend on each other");
    }
    weights.push_back(static_cast<double>(m.n()) / static_cast<double>(all.n()));
    out.mean.insert(out.mean.end(), m.mean().begin(), m.mean().end());
  }
  out.target.assign(all.mean().begin(), all.mean().end());
  const MatrixXd b = barycentre(covariances, weights);
  for (const MatrixXd& s : covariances) {
    const MatrixXd root = power(s, 0.5), inverse = power(s, -0.5);
    const MatrixXd map = inverse * power(root * b * root, 0.5) * inverse;
    for (Index i = 0; i < map.rows(); ++i) {
      for (Index j = 0; j < map.cols(); ++j) {
        out.gain.push_back(0.5 * (map(i, j) + map(j, i)));
      }
    }
  }
}

}  // namespace

LabelledEraser fit_labelled(const Tables& tables, const std::string& method,
                            const std::string& hook, int grid_bits) {
  LabelledEraser out{method, hook, grid_bits, tables.x.d, tables.z.k, {}, {}, {}};
  const Moments all = all_moments(tables, nullptr, 0);
  for (std::size_t c = 0; c < out.k; ++c) {
    if (!(all.zz(c, c) > 0)) {
      throw Refusal("label " + std::to_string(c) + " is constant on the rows of the fit");
    }
  }
  if (method == "oracle") {
    fit_oracle(all, out);
  } else {
    fit_quadratic(tables, all, out);
  }
  double largest = 0.0;
  std::vector<double> y(out.d);
  tables.x.each_block([&](std::size_t first, std::span<const double> rows) {
    for (std::size_t r = 0; r < rows.size() / out.d; ++r) {
      erase_row(out, rows.subspan(r * out.d, out.d),
                std::span(tables.z.z).subspan((first + r) * out.k, out.k), y);
      for (const double v : y) {
        largest = std::max(largest, std::fabs(v));
      }
    }
  });
  out.grid_bits = choose_grid_bits(largest, grid_bits);
  return out;
}

void erase_row(const LabelledEraser& e, std::span<const double> x, std::span<const double> z,
               std::span<double> y) {
  require(x.size() == e.d && z.size() == e.k && y.size() == e.d, "erase_row: another width");
  if (e.method == "oracle") {
    for (std::size_t i = 0; i < e.d; ++i) {
      double sum = 0.0;
      for (std::size_t c = 0; c < e.k; ++c) {
        sum += e.gain[i * e.k + c] * (z[c] - e.mean[c]);
      }
      y[i] = x[i] - sum;
    }
    return;
  }
  std::size_t label = 0;
  if (e.k == 1) {
    label = z[0] == 1.0 ? 1 : 0;
  } else {
    label = static_cast<std::size_t>(std::find(z.begin(), z.end(), 1.0) - z.begin());
  }
  require(label * e.d < e.mean.size(), "erase_row: a row of no class");
  const double* mean = e.mean.data() + label * e.d;
  for (std::size_t i = 0; i < e.d; ++i) {
    const double* gain = e.gain.data() + (label * e.d + i) * e.d;
    double sum = 0.0;
    for (std::size_t j = 0; j < e.d; ++j) {
      sum += gain[j] * (x[j] - mean[j]);
    }
    y[i] = e.target[i] + sum;
  }
}

std::vector<std::int32_t> deploy_labelled(const LabelledEraser& e, const Tables& tables) {
  const ActivationTable& x = tables.x;
  if (x.d != e.d || tables.z.k != e.k || (x.hook && *x.hook != e.hook)) {
    throw InputError(x.file, "x, z and hook",
                     std::to_string(e.d) + " columns, " + std::to_string(e.k) + " labels, at '" +
                         e.hook + "', as in the fit",
                     std::to_string(x.d) + ", " + std::to_string(tables.z.k) + ", '" +
                         x.hook.value_or("") + "'");
  }
  if (e.method == "quadratic") {
    static_cast<void>(classes_of(tables.z));
  }
  std::vector<std::int32_t> out(x.n * x.d);
  std::vector<double> y(e.d);
  x.each_block([&](std::size_t first, std::span<const double> rows) {
    for (std::size_t r = 0; r < rows.size() / e.d; ++r) {
      erase_row(e, rows.subspan(r * e.d, e.d),
                std::span(tables.z.z).subspan((first + r) * e.k, e.k), y);
      for (std::size_t i = 0; i < e.d; ++i) {
        const double rounded = std::nearbyint(std::ldexp(y[i], e.grid_bits));
        if (!(std::fabs(rounded) < static_cast<double>(kMaxGridValue))) {
          throw Refusal("output " + decimal(y[i]) + " leaves the grid of " +
                        std::to_string(e.grid_bits) + " bits");
        }
        out[(first + r) * e.d + i] = static_cast<std::int32_t>(rounded);
      }
    }
  });
  return out;
}

}  // namespace assay::erase
