#include "moment_sums.hpp"

#include <algorithm>
#include <cmath>

#include "parallel.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kGroupRows = 16;  ///< rows a core takes at a time: even, and fit its cache
constexpr double kSplit = 0x1p21;       ///< a fine integer is upper 2^21 + lower

/// The nearest integer, ties to even: exact for |v| < 2^51 where the rounding mode is never changed.
inline double nearest(double v) {
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

/// The columns of one panel.
struct Columns {
  const double *offset, *scale;
  double* sums;
  std::size_t count;
};

/// Digits of two rows on the coarse grid, and what they add up to. 1 when an entry is outside.
/// One rounding each: the products are with powers of two, and no operation is fused (cmake/AssayParts.cmake).
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) int pack_columns(
    const double* __restrict even, const double* __restrict odd, const Columns c,
    std::uint32_t* __restrict words) {
  std::int32_t a[kPanel] = {}, b[kPanel] = {};
  int outside = 0;
  for (std::size_t j = 0; j < c.count; ++j) {
    double va = nearest((even[j] - c.offset[j]) * c.scale[j]);
    double vb = nearest((odd[j] - c.offset[j]) * c.scale[j]);
    const bool fits = std::fabs(va) <= kLargestGramEntry && std::fabs(vb) <= kLargestGramEntry;
    outside |= static_cast<int>(!fits);
    va = fits ? va : 0.0;
    vb = fits ? vb : 0.0;
    c.sums[j] += va + vb;
    a[j] = static_cast<std::int32_t>(va);
    b[j] = static_cast<std::int32_t>(vb);
  }
  constexpr std::int32_t kHalf = 1 << (kDigitBits - 1);
  for (std::size_t j = 0; j < kPanel; ++j) {
    const std::int32_t hi_a = (a[j] + kHalf) >> kDigitBits, hi_b = (b[j] + kHalf) >> kDigitBits;
    const std::int32_t lo_a = a[j] - hi_a * (1 << kDigitBits),
                       lo_b = b[j] - hi_b * (1 << kDigitBits);
    const auto word = [](std::int32_t first, std::int32_t second) {
      return (static_cast<std::uint32_t>(first) & 0xffffU) |
             (static_cast<std::uint32_t>(second) << 16U);
    };
    words[j] = word(lo_a, lo_b);
    words[j + PackedRows::kPlaneWords] = word(hi_a, hi_b);
    words[j + 2 * PackedRows::kPlaneWords] = word(lo_a + hi_a, lo_b + hi_b);
  }
  return outside;
}

/// A row on the fine grid, and its sum.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void round_row(
    const double* __restrict row, const double* __restrict offset, const double* __restrict scale,
    std::size_t d, double* __restrict integers, double* __restrict sums) {
  for (std::size_t j = 0; j < d; ++j) {
    integers[j] = nearest((row[j] - offset[j]) * scale[j]);
    sums[j] += integers[j];
  }
}

void add_to(std::span<const double> from, double* __restrict to) {
  for (std::size_t j = 0; j < from.size(); ++j) {
    to[j] += from[j];
  }
}

/// |upper|, |lower| <= 2^21 and |label| <= 2^24: 16 products add up exactly.
void add_products(std::span<const double> integers, double label, double* __restrict upper,
                  double* __restrict lower) {
  for (std::size_t j = 0; j < integers.size(); ++j) {
    const double high = nearest(integers[j] / kSplit);
    upper[j] += high * label;
    lower[j] += (integers[j] - high * kSplit) * label;
  }
}

}  // namespace

Moments::Sums::Sums(const Extent& x, const Extent& labels_extent)
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
      packed_(x.lo.size()) {}

void Moments::Sums::add(std::size_t rows, const RowReader& read, std::span<const double> values) {
  round_labels(values);
  packed_.rows = rows;
  parts_.resize(workers());
  const std::size_t groups = (rows + kGroupRows - 1) / kGroupRows;
  for_each_index(groups, [&](std::size_t worker, std::size_t group) {
    const std::size_t first = group * kGroupRows;
    add_group(parts_[worker], read, first, std::min(kGroupRows, rows - first));
  });
  for (const Part& part : parts_) {
    if (part.outside) {
      parts_.clear();
      throw InputError("rows", "x", "finite numbers within the stated extent", "another");
    }
  }
  sum_labels(rows);
  for (Part& part : parts_) {
    collect(part);
  }
  products.add(packed_);
}

void Moments::Sums::round_labels(std::span<const double> values) {
  labels_.resize(values.size());
  chunk_.assign(k(), {HUGE_VAL, -HUGE_VAL, true});
  bool within = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i % k();
    labels_[i] = nearest((values[i] - label_grid.offset[c]) * label_scale[c]);
    within &= std::fabs(labels_[i]) <= 0x1p24;
    chunk_[c].u = std::min(chunk_[c].u, labels_[i]);
    chunk_[c].v = std::max(chunk_[c].v, labels_[i]);
  }
  if (!within) {
    throw InputError("rows", "z", "finite numbers within the stated extent", "another");
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    ChunkLabel& c = chunk_[i % k()];
    c.two_values &= labels_[i] == c.u || labels_[i] == c.v;
  }
}

void Moments::Sums::sum_labels(std::size_t rows) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t a = 0; a < k(); ++a) {
      z[a] += wide(labels_[r * k() + a]);
      for (std::size_t b = 0; b < k(); ++b) {
        zz[a * k() + b] += wide(labels_[r * k() + a]) * wide(labels_[r * k() + b]);
      }
    }
  }
}

void Moments::Sums::add_group(Part& part, const RowReader& read, std::size_t first,
                              std::size_t count) {
  if (part.coarse.empty()) {
    part.integers.resize(d());
    for (std::vector<double>* sums : {&part.coarse, &part.fine}) {
      sums->assign(d(), 0.0);
    }
    for (std::vector<double>* sums : {&part.marked, &part.upper, &part.lower}) {
      sums->assign(k() * d(), 0.0);
    }
    part.cross.assign(k() * d(), 0);
  }
  part.rows.resize((count + count % 2) * d());
  read(first, std::span(part.rows).first(count * d()));
  if (count % 2 != 0) {  // a row of zeros on the grid, for the pair's sake
    std::copy(grid.offset.begin(), grid.offset.end(),
              part.rows.end() - static_cast<std::ptrdiff_t>(d()));
  }
  for (std::size_t r = 0; r < count; r += 2) {
    const double* even = part.rows.data() + r * d();
    pack(part, even, even + d(), (first + r) / 2);
  }
  for (std::size_t r = 0; r < count; ++r) {
    add_row(part, part.rows.data() + r * d(), first + r);
  }
  finish_group(part);
}

void Moments::Sums::pack(Part& part, const double* even, const double* odd, std::size_t pair) {
  int outside = 0;
  for (std::size_t p = 0; p < packed_.panels(); ++p) {
    const std::size_t first = p * kPanel;
    outside |= pack_columns(even + first, odd + first,
                            {grid.offset.data() + first, coarse_scale.data() + first,
                             part.coarse.data() + first, std::min(kPanel, d() - first)},
                            packed_.words(p, pair));
  }
  part.outside |= outside != 0;
}

/// Where the chunk has two values u < v of a label, the sum of fine integers times it is
/// u (sum of all rows) + (v - u) (sum of the marked rows).
void Moments::Sums::add_row(Part& part, const double* row, std::size_t r) {
  round_row(row, grid.offset.data(), fine_scale.data(), d(), part.integers.data(),
            part.fine.data());
  for (std::size_t c = 0; c < k(); ++c) {
    const double label = labels_[r * k() + c];
    if (!chunk_[c].two_values) {
      add_products(part.integers, label, part.upper.data() + c * d(), part.lower.data() + c * d());
    } else if (label == chunk_[c].v && chunk_[c].u != chunk_[c].v) {
      add_to(part.integers, part.marked.data() + c * d());
    }
  }
}

void Moments::Sums::finish_group(Part& part) {
  for (std::size_t c = 0; c < k(); ++c) {
    for (std::size_t at = c * d(); !chunk_[c].two_values && at < (c + 1) * d(); ++at) {
      part.cross[at] += wide(part.upper[at]) * wide(kSplit) + wide(part.lower[at]);
      part.upper[at] = part.lower[at] = 0.0;
    }
  }
}

/// A core's sums of a chunk, at most 896 · 2^42 < 2^52 each, into the totals.
void Moments::Sums::collect(Part& part) {
  if (part.coarse.empty()) {
    return;
  }
  for (std::size_t c = 0; c < k(); ++c) {
    const Wide u = wide(chunk_[c].u), step = wide(chunk_[c].v) - u;
    for (std::size_t j = 0; j < d(); ++j) {
      const std::size_t at = c * d() + j;
      cross[at] += chunk_[c].two_values ? u * wide(part.fine[j]) + step * wide(part.marked[at])
                                        : part.cross[at];
      part.marked[at] = 0.0;
      part.cross[at] = 0;
    }
  }
  for (std::size_t j = 0; j < d(); ++j) {
    coarse[j] += wide(part.coarse[j]);
    fine[j] += wide(part.fine[j]);
    part.coarse[j] = part.fine[j] = 0.0;
  }
}

void Moments::Sums::merge(const Sums& other) {
  require(grid.offset == other.grid.offset && grid.bits == other.grid.bits &&
              label_grid.offset == other.label_grid.offset &&
              label_grid.bits == other.label_grid.bits,
          "Moments::merge: shards of other extents");
  products.merge(other.products);
  for (const auto member : {&Sums::coarse, &Sums::fine, &Sums::cross, &Sums::z, &Sums::zz}) {
    for (std::size_t i = 0; i < (this->*member).size(); ++i) {
      (this->*member)[i] += (other.*member)[i];
    }
  }
}

}  // namespace assay::erase
