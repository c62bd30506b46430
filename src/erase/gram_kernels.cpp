#include <array>

#include "gram.hpp"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace assay::erase {
namespace {

constexpr std::size_t kSums = kStrip * kPanel;
using PlaneSums = std::array<std::array<std::int32_t, kSums>, 3>;  ///< of lo, hi, lo + hi

/// The digits' sums put together.
inline __attribute__((always_inline)) void combine(const PlaneSums& planes, std::int64_t* sums) {
  for (std::size_t s = 0; s < kSums; ++s) {
    const std::int64_t lo = planes[0][s], hi = planes[1][s];
    const std::int64_t mixed = planes[2][s] - lo - hi;
    sums[s] +=
        lo + mixed * (std::int64_t{1} << kDigitBits) + hi * (std::int64_t{1} << (2 * kDigitBits));
  }
}

std::int32_t first(std::uint32_t word) {
  return static_cast<std::int16_t>(word & 0xffffU);
}

std::int32_t second(std::uint32_t word) {
  return static_cast<std::int16_t>(word >> 16U);
}

void portable(const std::uint32_t* m, const std::uint32_t* n, std::size_t pairs,
              std::int64_t* sums) {
  PlaneSums planes{};
  for (auto& plane : planes) {
    for (std::size_t r = 0; r < pairs; ++r) {
      for (std::size_t b = 0; b < kStrip; ++b) {
        const std::int32_t n0 = first(n[r * kPanel + b]), n1 = second(n[r * kPanel + b]);
        for (std::size_t a = 0; a < kPanel; ++a) {
          const std::uint32_t word = m[r * kPanel + a];
          plane[b * kPanel + a] += first(word) * n0 + second(word) * n1;
        }
      }
    }
    m += PackedRows::kPlaneWords;
    n += PackedRows::kPlaneWords;
  }
  combine(planes, sums);
}

#if defined(__x86_64__)
#define ASSAY_VNNI "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"

__attribute__((target(ASSAY_VNNI))) inline void vnni_plane(const std::uint32_t* m,
                                                           const std::uint32_t* n,
                                                           std::size_t pairs, std::int32_t* out) {
  __m512i sums[kStrip][3];
#pragma GCC unroll 8
  for (auto& row : sums) {
    row[0] = row[1] = row[2] = _mm512_setzero_si512();
  }
  for (std::size_t r = 0; r < pairs; ++r, m += kPanel, n += kPanel) {
    const __m512i m0 = _mm512_load_si512(m);
    const __m512i m1 = _mm512_load_si512(m + 16);
    const __m512i m2 = _mm512_load_si512(m + 32);
#pragma GCC unroll 8
    for (std::size_t b = 0; b < kStrip; ++b) {
      const __m512i factor = _mm512_set1_epi32(static_cast<std::int32_t>(n[b]));
      sums[b][0] = _mm512_dpwssd_epi32(sums[b][0], m0, factor);
      sums[b][1] = _mm512_dpwssd_epi32(sums[b][1], m1, factor);
      sums[b][2] = _mm512_dpwssd_epi32(sums[b][2], m2, factor);
    }
  }
#pragma GCC unroll 8
  for (std::size_t b = 0; b < kStrip; ++b) {
    _mm512_storeu_si512(out + b * kPanel, sums[b][0]);
    _mm512_storeu_si512(out + b * kPanel + 16, sums[b][1]);
    _mm512_storeu_si512(out + b * kPanel + 32, sums[b][2]);
  }
}

__attribute__((target(ASSAY_VNNI))) void vnni(const std::uint32_t* m, const std::uint32_t* n,
                                              std::size_t pairs, std::int64_t* sums) {
  PlaneSums planes;
  for (auto& plane : planes) {
    vnni_plane(m, n, pairs, plane.data());
    m += PackedRows::kPlaneWords;
    n += PackedRows::kPlaneWords;
  }
  combine(planes, sums);
}

/// 24 of the columns with 4 of the strip: what sixteen registers hold.
__attribute__((target("avx2"))) inline void avx2_part(const std::uint32_t* m,
                                                      const std::uint32_t* n, std::size_t pairs,
                                                      std::int32_t* out) {
  __m256i sums[4][3];
#pragma GCC unroll 4
  for (auto& row : sums) {
    row[0] = row[1] = row[2] = _mm256_setzero_si256();
  }
  for (std::size_t r = 0; r < pairs; ++r, m += kPanel, n += kPanel) {
#pragma GCC unroll 4
    for (std::size_t b = 0; b < 4; ++b) {
      const __m256i factor = _mm256_set1_epi32(static_cast<std::int32_t>(n[b]));
#pragma GCC unroll 3
      for (std::size_t a = 0; a < 3; ++a) {
        const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(m + 8 * a));
        sums[b][a] = _mm256_add_epi32(sums[b][a], _mm256_madd_epi16(eight, factor));
      }
    }
  }
#pragma GCC unroll 4
  for (std::size_t b = 0; b < 4; ++b) {
#pragma GCC unroll 3
    for (std::size_t a = 0; a < 3; ++a) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + b * kPanel + 8 * a), sums[b][a]);
    }
  }
}

__attribute__((target("avx2"))) void avx2(const std::uint32_t* m, const std::uint32_t* n,
                                          std::size_t pairs, std::int64_t* sums) {
  PlaneSums planes;
  for (auto& plane : planes) {
    for (std::size_t b = 0; b < kStrip; b += 4) {
      for (std::size_t a = 0; a < kPanel; a += 24) {
        avx2_part(m + a, n + b, pairs, plane.data() + b * kPanel + a);
      }
    }
    m += PackedRows::kPlaneWords;
    n += PackedRows::kPlaneWords;
  }
  combine(planes, sums);
}
#endif

std::vector<NamedKernel> usable() {
  std::vector<NamedKernel> out;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0) {
    out.push_back({"vnni", vnni});
  }
  if (__builtin_cpu_supports("avx2") != 0) {
    out.push_back({"avx2", avx2});
  }
#endif
  out.push_back({"portable", portable});
  return out;
}

}  // namespace

std::span<const NamedKernel> gram_kernels() {
  static const std::vector<NamedKernel> kernels = usable();
  return kernels;
}

}  // namespace assay::erase
