#include "assay/erase/moments.hpp"

#include <Eigen/Dense>
#include <cmath>

namespace assay::erase {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<const RowMajor>;
using Mutable = Eigen::Map<RowMajor>;

Eigen::Index index(std::size_t i) {
  return static_cast<Eigen::Index>(i);
}

Mutable matrix(std::vector<double>& values, std::size_t rows, std::size_t columns) {
  return {values.data(), index(rows), index(columns)};
}

Eigen::Map<Eigen::RowVectorXd> row(std::vector<double>& values) {
  return {values.data(), index(values.size())};
}

}  // namespace

Moments::Moments(std::size_t d, std::size_t k)
    : nonzero_(k, 0),
      mean_(d, 0.0),
      mean_z_(k, 0.0),
      sxx_(d * d, 0.0),
      sxz_(d * k, 0.0),
      szz_(k * k, 0.0) {}

void Moments::add(std::span<const float> x, std::int64_t z) {
  require(x.size() == d() && labels() == 1, "Moments::add: a row of another width");
  if (z != 0 && z != 1) {
    throw InputError("labels", "z", "0 or 1 (one-hot a concept of more values first)",
                     std::to_string(z));
  }
  const std::vector<double> wide(x.begin(), x.end());
  const auto label = static_cast<double>(z);
  add_block(wide, std::span(&label, 1));
}

void Moments::add_block(std::span<const double> x, std::span<const double> z) {
  const std::size_t rows = labels() == 0 ? 0 : z.size() / labels();
  require(x.size() == rows * d() && z.size() == rows * labels(), "Moments: shapes disagree");
  if (rows == 0) {
    return;
  }
  for (const std::span<const double> values : {x, z}) {
    for (const double v : values) {
      if (!std::isfinite(v)) {
        throw InputError("rows", values.data() == x.data() ? "x" : "z", "finite numbers",
                         "NaN or an infinity");
      }
    }
  }
  Moments block(d(), labels());
  block.n_ = rows;
  RowMajor cx = View(x.data(), index(rows), index(d()));
  RowMajor cz = View(z.data(), index(rows), index(labels()));
  for (std::size_t c = 0; c < labels(); ++c) {
    block.nonzero_[c] = static_cast<std::size_t>((cz.col(index(c)).array() != 0.0).count());
  }
  row(block.mean_) = cx.colwise().mean();
  row(block.mean_z_) = cz.colwise().mean();
  cx.rowwise() -= row(block.mean_);
  cz.rowwise() -= row(block.mean_z_);
  matrix(block.sxz_, d(), labels()).noalias() = cx.transpose() * cz;
  matrix(block.szz_, labels(), labels()).noalias() = cz.transpose() * cz;
  // The block's own [d,d] sum would be one more matrix to fill and add: it goes into this one.
  block.sxx_.clear();
  matrix(sxx_, d(), d()).selfadjointView<Eigen::Lower>().rankUpdate(cx.transpose());
  merge(block);
}

void Moments::merge(const Moments& other) {
  require(other.d() == d() && other.labels() == labels(), "Moments::merge: another width");
  if (other.n_ == 0) {
    return;
  }
  if (!other.sxx_.empty()) {
    matrix(sxx_, d(), d()) += View(other.sxx_.data(), index(d()), index(d()));
  }
  const auto a = static_cast<double>(n_);
  const auto b = static_cast<double>(other.n_);
  const double weight = a * b / (a + b);
  const Eigen::RowVectorXd dx =
      Eigen::Map<const Eigen::RowVectorXd>(other.mean_.data(), index(d())) - row(mean_);
  const Eigen::RowVectorXd dz =
      Eigen::Map<const Eigen::RowVectorXd>(other.mean_z_.data(), index(labels())) - row(mean_z_);
  matrix(sxx_, d(), d()).selfadjointView<Eigen::Lower>().rankUpdate(dx.transpose(), weight);
  matrix(sxz_, d(), labels()) += View(other.sxz_.data(), index(d()), index(labels()));
  matrix(sxz_, d(), labels()) += weight * dx.transpose() * dz;
  matrix(szz_, labels(), labels()) += View(other.szz_.data(), index(labels()), index(labels()));
  matrix(szz_, labels(), labels()) += weight * dz.transpose() * dz;
  row(mean_) += dx * (b / (a + b));
  row(mean_z_) += dz * (b / (a + b));
  n_ += other.n_;
  for (std::size_t c = 0; c < labels(); ++c) {
    nonzero_[c] += other.nonzero_[c];
  }
}

double Moments::xx(std::size_t i, std::size_t j) const {
  require(n_ > 0, "Moments: no rows");
  return sxx_[i >= j ? i * d() + j : j * d() + i] / static_cast<double>(n_);
}

double Moments::xz(std::size_t i, std::size_t c) const {
  require(n_ > 0, "Moments: no rows");
  return sxz_[i * labels() + c] / static_cast<double>(n_);
}

double Moments::zz(std::size_t a, std::size_t b) const {
  require(n_ > 0, "Moments: no rows");
  return szz_[a * labels() + b] / static_cast<double>(n_);
}

}  // namespace assay::erase
