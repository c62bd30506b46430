#include <algorithm>
#include <cmath>

#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/erase/population.hpp"
#include "concentration.hpp"

namespace assay::erase {

std::vector<std::size_t> Population::drawn_rows() const {
  std::vector<std::size_t> rows;
  for (std::size_t u = 0; u < units(); ++u) {
    const std::string key = sha256("assay row " + std::to_string(u)).hex().substr(0, 15);
    rows.push_back(order_[u][std::stoull(key, nullptr, 16) % order_[u].size()]);
  }
  return rows;
}

double Population::kernel(std::size_t row, std::size_t other) const {
  const bool a = square(row) <= limit_, b = square(other) <= limit_;
  double sum = 0;
  for (std::size_t j = 0; j < rows_.d; ++j) {
    const auto y = static_cast<double>(a ? rows_.y[row * rows_.d + j] : centre_[j]);
    const auto z = static_cast<double>(b ? rows_.y[other * rows_.d + j] : centre_[j]);
    const double off = std::ldexp(y - z, -scale_[j]);
    sum += off * off;
  }
  return std::exp(-sum / static_cast<double>(rows_.d));
}

KernelFigures Population::kernel_figures(std::size_t label) const {
  require(label < rows_.labels, "kernel_figures: no such label");
  const std::vector<std::size_t> rows = drawn_rows();
  const auto z = [&](std::size_t row) {
    return static_cast<double>(rows_.z[row * rows_.labels + label]);
  };
  KernelFigures out;
  out.quadruples = (units() - first_) / 4;
  require(out.quadruples > 0, "kernel_figures: too few units");
  for (std::size_t q = 0; q < out.quadruples; ++q) {
    const std::size_t* at = rows.data() + first_ + 4 * q;
    const double signs = (z(at[0]) - z(at[1])) * (z(at[2]) - z(at[3])) / 4;
    const double x = signs == 0 ? 0.0
                                : signs * (kernel(at[0], at[2]) - kernel(at[0], at[3]) -
                                           kernel(at[1], at[2]) + kernel(at[1], at[3]));
    out.mean += x;
    out.mean_square += x * x;
  }
  out.mean /= static_cast<double>(out.quadruples);
  out.mean_square /= static_cast<double>(out.quadruples);
  return out;
}

namespace {

/// How far the mean of x may be from E x, in each direction: two events of alpha / 2.
double room_of(const KernelFigures& f, double alpha) {
  require(f.quadruples > 0 && alpha > 0 && alpha < 1, "kernel_bound: no rows, or no alpha");
  const double log = std::log(2.0 / alpha), n = static_cast<double>(f.quadruples);
  return room(root_of_mean(f.mean_square, 0.5, log, n), 0.5, log, n);
}

}  // namespace

double kernel_bound(const KernelFigures& figures, double alpha) {
  return std::sqrt(std::max(figures.mean + room_of(figures, alpha), 0.0));
}

double kernel_leakage(const KernelFigures& figures, double alpha) {
  return std::sqrt(std::max(figures.mean - room_of(figures, alpha), 0.0));
}

}  // namespace assay::erase
