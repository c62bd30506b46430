#include "assay/erase/moments.hpp"

#include <algorithm>

#include "moment_sums.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kMostRows = std::size_t{1} << 30U;  ///< n · sum of products stays below 2^127

}  // namespace

Moments::Moments(const Extent& x, const Extent& z)
    : nonzero_(z.lo.size(), 0),
      mean_(x.lo.size(), 0.0),
      mean_z_(z.lo.size(), 0.0),
      sums_(std::make_unique<Sums>(x, z)) {}

Moments::Moments(std::size_t d, std::size_t k, std::span<const double> x, std::span<const double> z)
    : Moments(
          [&] {
            Extent extent(d);
            extent.add(x, "x");
            return extent;
          }(),
          [&] {
            Extent extent(k);
            extent.add(z, "z");
            return extent;
          }()) {
  add(x, z);
}

Moments::~Moments() = default;
Moments::Moments(Moments&&) noexcept = default;
Moments& Moments::operator=(Moments&&) noexcept = default;
Moments::Moments(const Moments& other)
    : n_(other.n_),
      nonzero_(other.nonzero_),
      mean_(other.mean_),
      mean_z_(other.mean_z_),
      sums_(std::make_unique<Sums>(*other.sums_)) {}

void Moments::add(std::span<const double> x, std::span<const double> z) {
  const std::size_t rows = z.size() / labels();
  require(x.size() == rows * d() && z.size() == rows * labels(), "Moments: shapes disagree");
  add(
      rows,
      [&](std::size_t first, std::span<double> out) {
        std::copy_n(x.data() + first * d(), out.size(), out.data());
      },
      z);
}

void Moments::add(std::size_t rows, const RowReader& read, std::span<const double> z) {
  require(z.size() == rows * labels(), "Moments: shapes disagree");
  for (std::size_t begin = 0; begin < rows; begin += kChunkRows) {
    const std::size_t count = std::min(kChunkRows, rows - begin);
    require(n_ + count <= kMostRows, "Moments: more than 2^30 rows");
    sums_->add(
        count, [&](std::size_t first, std::span<double> out) { read(begin + first, out); },
        z.subspan(begin * labels(), count * labels()));
    n_ += count;
  }
  for (std::size_t i = 0; i < z.size(); ++i) {
    nonzero_[i % labels()] += z[i] != 0.0 ? 1 : 0;
  }
  update_means();
}

void Moments::merge(const Moments& other) {
  require(n_ + other.n_ <= kMostRows, "Moments: more than 2^30 rows");
  sums_->merge(*other.sums_);
  for (std::size_t c = 0; c < labels(); ++c) {
    nonzero_[c] += other.nonzero_[c];
  }
  n_ += other.n_;
  update_means();
}

void Moments::update_means() {
  const Sums& s = *sums_;
  const double n = std::max(static_cast<double>(n_), 1.0);
  for (std::size_t j = 0; j < d(); ++j) {
    mean_[j] = s.grid.offset[j] + static_cast<double>(s.fine[j]) / s.fine_scale[j] / n;
  }
  for (std::size_t c = 0; c < labels(); ++c) {
    mean_z_[c] = s.label_grid.offset[c] + static_cast<double>(s.z[c]) / s.label_scale[c] / n;
  }
}

double Moments::xx(std::size_t i, std::size_t j) const {
  require(n_ > 0, "Moments: no rows");
  const Sums& s = *sums_;
  const auto n = static_cast<double>(n_);
  const Wide centred = static_cast<Wide>(n_) * s.products.at(i, j) - s.coarse[i] * s.coarse[j];
  return static_cast<double>(centred) / s.coarse_scale[i] / s.coarse_scale[j] / n / n;
}

double Moments::xz(std::size_t i, std::size_t c) const {
  require(n_ > 0, "Moments: no rows");
  const Sums& s = *sums_;
  const auto n = static_cast<double>(n_);
  const Wide centred = static_cast<Wide>(n_) * s.cross[c * d() + i] - s.fine[i] * s.z[c];
  return static_cast<double>(centred) / s.fine_scale[i] / s.label_scale[c] / n / n;
}

double Moments::zz(std::size_t a, std::size_t b) const {
  require(n_ > 0, "Moments: no rows");
  const Sums& s = *sums_;
  const auto n = static_cast<double>(n_);
  const Wide centred = static_cast<Wide>(n_) * s.zz[a * labels() + b] - s.z[a] * s.z[b];
  return static_cast<double>(centred) / s.label_scale[a] / s.label_scale[b] / n / n;
}

}  // namespace assay::erase
