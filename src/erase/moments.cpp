#include "assay/erase/moments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gram.hpp"

namespace assay::erase {
namespace {

constexpr int kCoarseBits = 22, kFineBits = 20, kLabelBits = 24;
constexpr std::size_t kMostRows = std::size_t{1} << 30U;  ///< n · sum of products stays below 2^127

/// The nearest integer, ties to even: exact for |v| < 2^51 where the rounding mode is never changed.
double nearest(double v) {
  return (v + 0x1.8p52) - 0x1.8p52;
}

std::vector<double> powers(const std::vector<int>& bits, int more) {
  std::vector<double> out;
  out.reserve(bits.size());
  for (const int b : bits) {
    out.push_back(std::ldexp(1.0, b + more));
  }
  return out;
}

Wide wide(double integer) {
  return static_cast<Wide>(static_cast<std::int64_t>(integer));
}

}  // namespace

Extent::Extent(std::size_t columns)
    : lo(columns, std::numeric_limits<double>::infinity()),
      hi(columns, -std::numeric_limits<double>::infinity()) {}

void Extent::add(std::span<const double> rows, const char* tensor) {
  const std::size_t columns = lo.size();
  require(columns > 0 && rows.size() % columns == 0, "Extent::add: shapes disagree");
  bool finite = true;
  for (std::size_t at = 0; at < rows.size(); at += columns) {
    const double* row = rows.data() + at;
    for (std::size_t j = 0; j < columns; ++j) {
      lo[j] = row[j] < lo[j] ? row[j] : lo[j];
      hi[j] = row[j] > hi[j] ? row[j] : hi[j];
      finite &= std::fabs(row[j]) <= std::numeric_limits<double>::max();
    }
  }
  if (!finite) {
    throw InputError("rows", tensor, "finite numbers", "NaN or an infinity");
  }
}

void Extent::merge(const Extent& other) {
  require(other.lo.size() == lo.size(), "Extent::merge: another width");
  for (std::size_t j = 0; j < lo.size(); ++j) {
    lo[j] = std::min(lo[j], other.lo[j]);
    hi[j] = std::max(hi[j], other.hi[j]);
  }
}

ColumnGrid::ColumnGrid(const Extent& extent, int most) {
  for (std::size_t j = 0; j < extent.lo.size(); ++j) {
    const bool empty = extent.lo[j] > extent.hi[j];
    const double half = empty ? 0.0 : extent.hi[j] / 2 - extent.lo[j] / 2;
    int exponent = 0;
    std::frexp(half, &exponent);  // half < 2^exponent
    offset.push_back(empty ? 0.0 : extent.lo[j] + half);
    bits.push_back(std::min(most - exponent, 900));
  }
}

struct Moments::Sums {
  ColumnGrid grid, label_grid;
  std::vector<double> coarse_scale, fine_scale, label_scale;
  GramSums products;         ///< of coarse integers
  std::vector<Wide> coarse;  ///< [d]
  std::vector<Wide> fine;    ///< [d]
  std::vector<Wide> cross;   ///< [d,k] of fine integers with labels
  std::vector<Wide> z, zz;   ///< [k], [k,k]
  PackedRows packed;
  std::vector<double> rows, labels;  ///< fine integers and label integers of a chunk
  std::vector<double> all;           ///< column sums of `rows`

  Sums(const Extent& x, const Extent& labels_extent)
      : grid(x, kCoarseBits),
        label_grid(labels_extent, kLabelBits),
        coarse_scale(powers(grid.bits, 0)),
        fine_scale(powers(grid.bits, kFineBits)),
        label_scale(powers(label_grid.bits, 0)),
        products(x.lo.size()),
        coarse(x.lo.size(), 0),
        fine(x.lo.size(), 0),
        cross(x.lo.size() * labels_extent.lo.size(), 0),
        z(labels_extent.lo.size(), 0),
        zz(z.size() * z.size(), 0),
        packed(x.lo.size()) {}

  [[nodiscard]] std::size_t d() const { return coarse.size(); }
  [[nodiscard]] std::size_t k() const { return z.size(); }

  void round_rows(std::span<const double> x);
  void round_labels(std::span<const double> values);
  void add_columns();
  void add_cross(std::size_t c);
};

/// Coarse integers into panels, fine ones into rows.
void Moments::Sums::round_rows(std::span<const double> x) {
  packed.rows = x.size() / d();
  rows.resize(x.size());
  int outside = 0;
  for (std::size_t p = 0; p < packed.panels(); ++p) {
    double* panel = packed.panel(p);
    const std::size_t first = p * kPanel, width = std::min(kPanel, d() - first);
    for (std::size_t r = 0; r < packed.rows; ++r) {
      const double* from = x.data() + r * d() + first;
      const double* offset = grid.offset.data() + first;
      const double* coarse_by = coarse_scale.data() + first;
      const double* fine_by = fine_scale.data() + first;
      double* __restrict to = rows.data() + r * d() + first;
      double* __restrict whole = panel + r * kPanel;
      for (std::size_t j = 0; j < width; ++j) {
        const double moved = from[j] - offset[j];
        whole[j] = nearest(moved * coarse_by[j]);
        to[j] = nearest(moved * fine_by[j]);
      }
      for (std::size_t j = 0; j < width; ++j) {
        outside |= static_cast<int>(!(std::fabs(whole[j]) <= kLargestGramEntry));
      }
      std::fill(panel + r * kPanel + width, panel + (r + 1) * kPanel, 0.0);
    }
  }
  if (outside != 0) {
    throw InputError("rows", "x", "finite numbers within the stated extent", "another");
  }
}

void Moments::Sums::round_labels(std::span<const double> values) {
  labels.resize(values.size());
  bool within = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i % k();
    labels[i] = nearest((values[i] - label_grid.offset[c]) * label_scale[c]);
    within &= std::fabs(labels[i]) <= 0x1p24;
  }
  if (!within) {
    throw InputError("rows", "z", "finite numbers within the stated extent", "another");
  }
}

/// Sums of the columns of a chunk; 512 fine integers add up to at most 2^51, exact in double.
void Moments::Sums::add_columns() {
  all.assign(d(), 0.0);
  for (std::size_t at = 0; at < rows.size(); at += d()) {
    for (std::size_t j = 0; j < d(); ++j) {
      all[j] += rows[at + j];
    }
  }
  for (std::size_t j = 0; j < d(); ++j) {
    fine[j] += wide(all[j]);
  }
  for (std::size_t p = 0; p < packed.panels(); ++p) {
    std::vector<double> column(kPanel, 0.0);
    for (std::size_t r = 0; r < packed.rows; ++r) {
      for (std::size_t j = 0; j < kPanel; ++j) {
        column[j] += packed.panel(p)[r * kPanel + j];
      }
    }
    for (std::size_t j = p * kPanel; j < std::min(d(), (p + 1) * kPanel); ++j) {
      coarse[j] += wide(column[j % kPanel]);
    }
  }
  for (std::size_t r = 0; r < packed.rows; ++r) {
    for (std::size_t a = 0; a < k(); ++a) {
      z[a] += wide(labels[r * k() + a]);
      for (std::size_t b = 0; b < k(); ++b) {
        zz[a * k() + b] += wide(labels[r * k() + a]) * wide(labels[r * k() + b]);
      }
    }
  }
}

/// Sum of fine integers times label c: where the chunk has two values u < v of it,
/// sum = u (sum of all rows) + (v - u) (sum of the rows with v).
void Moments::Sums::add_cross(std::size_t c) {
  double u = labels[c], v = labels[c];
  for (std::size_t r = 0; r < packed.rows; ++r) {
    u = std::min(u, labels[r * k() + c]);
    v = std::max(v, labels[r * k() + c]);
  }
  bool two_values = true;
  for (std::size_t r = 0; r < packed.rows; ++r) {
    const double value = labels[r * k() + c];
    two_values &= value == u || value == v;
  }
  if (!two_values) {
    for (std::size_t r = 0; r < packed.rows; ++r) {
      const Wide value = wide(labels[r * k() + c]);
      for (std::size_t j = 0; j < d(); ++j) {
        cross[j * k() + c] += wide(rows[r * d() + j]) * value;
      }
    }
    return;
  }
  std::vector<double> top(d(), 0.0);
  for (std::size_t r = 0; r < packed.rows; ++r) {
    const bool is_top = u != v && labels[r * k() + c] == v;
    for (std::size_t j = 0; is_top && j < d(); ++j) {
      top[j] += rows[r * d() + j];
    }
  }
  for (std::size_t j = 0; j < d(); ++j) {
    cross[j * k() + c] += wide(u) * wide(all[j]) + (wide(v) - wide(u)) * wide(top[j]);
  }
}

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
  for (std::size_t begin = 0; begin < rows; begin += kGramRows) {
    const std::size_t count = std::min(kGramRows, rows - begin);
    add_chunk(x.subspan(begin * d(), count * d()), z.subspan(begin * labels(), count * labels()));
  }
  update_means();
}

void Moments::add_chunk(std::span<const double> x, std::span<const double> z) {
  Sums& s = *sums_;
  s.round_rows(x);
  s.round_labels(z);
  s.products.add(s.packed);
  s.add_columns();
  for (std::size_t c = 0; c < labels(); ++c) {
    s.add_cross(c);
  }
  for (std::size_t i = 0; i < z.size(); ++i) {
    nonzero_[i % labels()] += z[i] != 0.0 ? 1 : 0;
  }
  n_ += s.packed.rows;
  require(n_ <= kMostRows, "Moments: more than 2^30 rows");
}

void Moments::merge(const Moments& other) {
  Sums& a = *sums_;
  const Sums& b = *other.sums_;
  require(a.grid.offset == b.grid.offset && a.grid.bits == b.grid.bits &&
              a.label_grid.offset == b.label_grid.offset && a.label_grid.bits == b.label_grid.bits,
          "Moments::merge: shards of other extents");
  require(n_ + other.n_ <= kMostRows, "Moments: more than 2^30 rows");
  a.products.merge(b.products);
  for (const auto member : {&Sums::coarse, &Sums::fine, &Sums::cross, &Sums::z, &Sums::zz}) {
    for (std::size_t i = 0; i < (a.*member).size(); ++i) {
      (a.*member)[i] += (b.*member)[i];
    }
  }
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
  const Wide centred = static_cast<Wide>(n_) * s.cross[i * labels() + c] - s.fine[i] * s.z[c];
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
