#include "assay/erase/moments.hpp"

#include <cmath>

namespace assay::erase {

Moments::Moments(std::size_t d) : mean_(d, 0.0), sxx_(d * d, 0.0), sxz_(d, 0.0), delta_(d, 0.0) {}

void Moments::add(std::span<const float> x, std::int64_t z) {
  require(x.size() == d(), "Moments::add: a row of another width");
  if (z != 0 && z != 1) {
    throw InputError("labels", "z", "0 or 1 (one-hot a concept of more values first)",
                     std::to_string(z));
  }
  for (const float v : x) {
    if (!std::isfinite(v)) {
      throw InputError("rows", "x", "finite numbers", "NaN or an infinity");
    }
  }
  const auto count = static_cast<double>(n_ + 1);
  const double mean_z = n_ == 0 ? 0.0 : static_cast<double>(n1_) / static_cast<double>(n_);
  // With delta = x - old mean, x - new mean = delta (n-1)/n.
  const double keep = static_cast<double>(n_) / count;
  const double delta_z = static_cast<double>(z) - mean_z;
  for (std::size_t i = 0; i < d(); ++i) {
    delta_[i] = static_cast<double>(x[i]) - mean_[i];
    mean_[i] += delta_[i] / count;
    sxz_[i] += delta_[i] * keep * delta_z;
  }
  for (std::size_t i = 0; i < d(); ++i) {
    const double left = delta_[i] * keep;
    double* row = sxx_.data() + i * d();
    for (std::size_t j = 0; j <= i; ++j) {
      row[j] += left * delta_[j];
    }
  }
  ++n_;
  n1_ += static_cast<std::size_t>(z);
}

void Moments::merge(const Moments& other) {
  require(other.d() == d(), "Moments::merge: another width");
  if (other.n_ == 0) {
    return;
  }
  if (n_ == 0) {
    *this = other;
    return;
  }
  const auto a = static_cast<double>(n_);
  const auto b = static_cast<double>(other.n_);
  const double weight = a * b / (a + b);
  const double delta_z = static_cast<double>(other.n1_) / b - static_cast<double>(n1_) / a;
  for (std::size_t i = 0; i < d(); ++i) {
    delta_[i] = other.mean_[i] - mean_[i];
    sxz_[i] += other.sxz_[i] + weight * delta_[i] * delta_z;
    mean_[i] += delta_[i] * (b / (a + b));
  }
  for (std::size_t i = 0; i < d(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      sxx_[i * d() + j] += other.sxx_[i * d() + j] + weight * delta_[i] * delta_[j];
    }
  }
  n_ += other.n_;
  n1_ += other.n1_;
}

double Moments::xx(std::size_t i, std::size_t j) const {
  require(n_ > 0, "Moments: no rows");
  return sxx_[i >= j ? i * d() + j : j * d() + i] / static_cast<double>(n_);
}

double Moments::xz(std::size_t i) const {
  require(n_ > 0, "Moments: no rows");
  return sxz_[i] / static_cast<double>(n_);
}

double Moments::zz() const {
  require(n_ > 0, "Moments: no rows");
  const double p = static_cast<double>(n1_) / static_cast<double>(n_);
  return p * (1.0 - p);
}

}  // namespace assay::erase
