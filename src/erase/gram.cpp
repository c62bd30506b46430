#include "gram.hpp"

#include <algorithm>
#include <array>

#include "assay/base/errors.hpp"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace assay::erase {
namespace {

constexpr std::size_t kMostPending = 1000;  ///< 1000 · 2^53 < 2^63
constexpr std::size_t kStrip = 8;           ///< columns of one side of a register tile

void portable(const double* m, const double* n, std::size_t rows, double* out) {
  std::fill_n(out, kStrip * kPanel, 0.0);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t b = 0; b < kStrip; ++b) {
      for (std::size_t a = 0; a < kPanel; ++a) {
        out[b * kPanel + a] += m[r * kPanel + a] * n[r * kPanel + b];
      }
    }
  }
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void avx512(const double* m, const double* n, std::size_t rows,
                                               double* out) {
  __m512d sums[kStrip][3];
#pragma GCC unroll 8
  for (auto& row : sums) {
    row[0] = row[1] = row[2] = _mm512_setzero_pd();
  }
  for (std::size_t r = 0; r < rows; ++r, m += kPanel, n += kPanel) {
    const __m512d m0 = _mm512_loadu_pd(m);
    const __m512d m1 = _mm512_loadu_pd(m + 8);
    const __m512d m2 = _mm512_loadu_pd(m + 16);
#pragma GCC unroll 8
    for (std::size_t b = 0; b < kStrip; ++b) {
      const __m512d factor = _mm512_set1_pd(n[b]);
      sums[b][0] = _mm512_fmadd_pd(m0, factor, sums[b][0]);
      sums[b][1] = _mm512_fmadd_pd(m1, factor, sums[b][1]);
      sums[b][2] = _mm512_fmadd_pd(m2, factor, sums[b][2]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t b = 0; b < kStrip; ++b) {
    _mm512_storeu_pd(out + b * kPanel, sums[b][0]);
    _mm512_storeu_pd(out + b * kPanel + 8, sums[b][1]);
    _mm512_storeu_pd(out + b * kPanel + 16, sums[b][2]);
  }
}

/// 12 of the columns with 4 of the strip: what sixteen registers hold.
__attribute__((target("avx2,fma"))) void avx2_quarter(const double* m, const double* n,
                                                      std::size_t rows, double* out) {
  __m256d sums[4][3];
#pragma GCC unroll 4
  for (auto& row : sums) {
    row[0] = row[1] = row[2] = _mm256_setzero_pd();
  }
  for (std::size_t r = 0; r < rows; ++r, m += kPanel, n += kPanel) {
    const __m256d m0 = _mm256_loadu_pd(m);
    const __m256d m1 = _mm256_loadu_pd(m + 4);
    const __m256d m2 = _mm256_loadu_pd(m + 8);
#pragma GCC unroll 4
    for (std::size_t b = 0; b < 4; ++b) {
      const __m256d factor = _mm256_broadcast_sd(n + b);
      sums[b][0] = _mm256_fmadd_pd(m0, factor, sums[b][0]);
      sums[b][1] = _mm256_fmadd_pd(m1, factor, sums[b][1]);
      sums[b][2] = _mm256_fmadd_pd(m2, factor, sums[b][2]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t b = 0; b < 4; ++b) {
    _mm256_storeu_pd(out + b * kPanel, sums[b][0]);
    _mm256_storeu_pd(out + b * kPanel + 4, sums[b][1]);
    _mm256_storeu_pd(out + b * kPanel + 8, sums[b][2]);
  }
}

void avx2(const double* m, const double* n, std::size_t rows, double* out) {
  for (std::size_t b = 0; b < kStrip; b += 4) {
    for (std::size_t a = 0; a < kPanel; a += 12) {
      avx2_quarter(m + a, n + b, rows, out + b * kPanel + a);
    }
  }
}
#endif

std::vector<NamedKernel> usable() {
  std::vector<NamedKernel> out;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0) {
    out.push_back({"avx512", avx512});
  }
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
    out.push_back({"avx2", avx2});
  }
#endif
  out.push_back({"portable", portable});
  return out;
}

/// Number of the pair of panels p >= q.
std::size_t pair_of(std::size_t p, std::size_t q) {
  return p * (p + 1) / 2 + q;
}

}  // namespace

std::span<const NamedKernel> gram_kernels() {
  static const std::vector<NamedKernel> kernels = usable();
  return kernels;
}

GramSums::GramSums(std::size_t columns) : columns_(columns) {
  const std::size_t panels = (columns + kPanel - 1) / kPanel;
  tiles_.assign(pair_of(panels, 0) * kPanel * kPanel, 0);
  recent_.assign(tiles_.size(), 0);
}

void GramSums::add(const PackedRows& block) {
  require(block.columns == columns_ && block.rows <= kGramRows, "GramSums::add: another width");
  const GramKernel kernel = gram_kernels().front().kernel;
  std::array<double, kStrip * kPanel> sums{};
  for (std::size_t q = 0; q < block.panels(); ++q) {
    for (std::size_t p = q; p < block.panels(); ++p) {
      std::int64_t* tile = recent_.data() + pair_of(p, q) * kPanel * kPanel;
      for (std::size_t b = 0; b < kPanel; b += kStrip) {
        kernel(block.panel(p), block.panel(q) + b, block.rows, sums.data());
        for (std::size_t s = 0; s < sums.size(); ++s) {
          tile[b * kPanel + s] += static_cast<std::int64_t>(sums[s]);
        }
      }
    }
  }
  if (++pending_ == kMostPending) {
    spill();
  }
}

void GramSums::spill() {
  for (std::size_t t = 0; t < tiles_.size(); ++t) {
    tiles_[t] += recent_[t];
    recent_[t] = 0;
  }
  pending_ = 0;
}

void GramSums::merge(const GramSums& other) {
  require(other.columns_ == columns_, "GramSums::merge: another width");
  for (std::size_t t = 0; t < tiles_.size(); ++t) {
    tiles_[t] += other.tiles_[t] + other.recent_[t];
  }
}

Wide GramSums::at(std::size_t i, std::size_t j) const {
  const std::size_t hi = std::max(i, j), lo = std::min(i, j);
  const std::size_t entry =
      pair_of(hi / kPanel, lo / kPanel) * kPanel * kPanel + (lo % kPanel) * kPanel + hi % kPanel;
  return tiles_[entry] + recent_[entry];
}

}  // namespace assay::erase
