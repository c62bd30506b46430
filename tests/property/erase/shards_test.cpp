#include <array>
#include <bit>

#include "../../../src/erase/gram.hpp"
#include "../../unit/erase/synthetic.hpp"
#include "assay/erase/erasure.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

namespace {

/// Rows with columns of very different sizes, one constant, one twice, and labels: a class and a number.
struct Sample {
  std::size_t n = 0, d = 0, k = 2;
  std::vector<double> x, z;
};

Sample sample(std::size_t n, std::size_t d, std::uint64_t seed) {
  Random random(seed);
  Sample out{n, d, 2, {}, {}};
  for (std::size_t i = 0; i < n; ++i) {
    const double label = random.unit() < 0.3 ? 1.0 : 0.0;
    for (std::size_t j = 0; j < d; ++j) {
      const double size = std::ldexp(1.0, static_cast<int>(j * 7 % 40) - 20);
      out.x.push_back(j == 1   ? 3.5
                      : j == 3 ? out.x[i * d]
                               : size * (gauss(random) + label + static_cast<double>(j)));
    }
    out.z.insert(out.z.end(), {label, gauss(random) + 10});
  }
  return out;
}

Extent extent_of(std::span<const double> values, std::size_t columns) {
  Extent extent(columns);
  extent.add(values, "rows");
  return extent;
}

/// Every number that moments give, bit for bit.
std::vector<std::uint64_t> bits_of(const Moments& m) {
  std::vector<std::uint64_t> out = {m.n()};
  const auto push = [&out](double v) { out.push_back(std::bit_cast<std::uint64_t>(v)); };
  for (std::size_t i = 0; i < m.d(); ++i) {
    push(m.mean()[i]);
    for (std::size_t j = 0; j < m.d(); ++j) {
      push(m.xx(i, j));
    }
    for (std::size_t c = 0; c < m.labels(); ++c) {
      push(m.xz(i, c));
    }
  }
  for (std::size_t a = 0; a < m.labels(); ++a) {
    out.push_back(m.positive(a));
    push(m.mean_z()[a]);
    for (std::size_t b = 0; b < m.labels(); ++b) {
      push(m.zz(a, b));
    }
  }
  return out;
}

long double covariance(const Sample& s, std::size_t i, std::size_t j, bool labels) {
  long double mi = 0, mj = 0, sum = 0;
  for (std::size_t r = 0; r < s.n; ++r) {
    mi += s.x[r * s.d + i];
    mj += labels ? s.z[r * s.k + j] : s.x[r * s.d + j];
  }
  mi /= static_cast<long double>(s.n);
  mj /= static_cast<long double>(s.n);
  for (std::size_t r = 0; r < s.n; ++r) {
    sum += (s.x[r * s.d + i] - mi) * ((labels ? s.z[r * s.k + j] : s.x[r * s.d + j]) - mj);
  }
  return sum / static_cast<long double>(s.n);
}

}  // namespace

TEST_CASE("shards of any cut, in any order, merged or in one pass: the same bytes") {
  Random random(3);
  for (std::uint64_t round = 0; round < 12; ++round) {
    const Sample s =
        sample(200 + 301 * static_cast<std::size_t>(round % 6), 5 + round * 5, 100 + round);
    const Extent x = extent_of(s.x, s.d), z = extent_of(s.z, s.k);
    const std::vector<std::uint64_t> whole = bits_of(Moments(s.d, s.k, s.x, s.z));
    // Shards of a few cuts, the later ones first.
    Moments merged(x, z);
    for (std::size_t end = s.n; end > 0;) {
      const std::size_t begin = random.below(end);
      Moments shard(x, z);
      shard.add(std::span(s.x).subspan(begin * s.d, (end - begin) * s.d),
                std::span(s.z).subspan(begin * s.k, (end - begin) * s.k));
      merged.merge(shard);
      end = begin;
    }
    REQUIRE(bits_of(merged) == whole);
    // The extent of shards, merged, is that of the whole.
    const std::size_t cut = random.below(s.n) * s.d;
    Extent parts = extent_of(std::span(s.x).subspan(cut), s.d);
    parts.merge(extent_of(std::span(s.x).first(cut), s.d));
    REQUIRE((parts.lo == x.lo && parts.hi == x.hi));
    // Row by row.
    Moments single(x, z);
    for (std::size_t r = 0; r < std::min<std::size_t>(s.n, 300); ++r) {
      single.add(std::span(s.x).subspan(r * s.d, s.d), std::span(s.z).subspan(r * s.k, s.k));
    }
    Moments first(x, z);
    first.add(std::span(s.x).first(single.n() * s.d), std::span(s.z).first(single.n() * s.k));
    REQUIRE(bits_of(single) == bits_of(first));
  }
}

TEST_CASE("moments are those of the rows to the grid's step, and a changed row changes them") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Sample s = sample(700, 30, seed);
    const Moments m(s.d, s.k, s.x, s.z);
    for (std::size_t i = 0; i < s.d; ++i) {
      const auto sd = static_cast<double>(std::sqrt(covariance(s, i, i, false)));
      for (std::size_t j = 0; j < s.d; ++j) {
        const auto other = static_cast<double>(std::sqrt(covariance(s, j, j, false)));
        REQUIRE(m.xx(i, j) == Approx(static_cast<double>(covariance(s, i, j, false)))
                                  .margin(1e-7 * sd * other + 1e-300)
                                  .epsilon(0));
      }
      for (std::size_t c = 0; c < s.k; ++c) {
        REQUIRE(m.xz(i, c) == Approx(static_cast<double>(covariance(s, i, c, true)))
                                  .margin(1e-8 * sd + 1e-300)
                                  .epsilon(0));
      }
    }
    REQUIRE(m.xx(1, 1) == 0.0);
    REQUIRE(m.xx(0, 3) == m.xx(3, 3));
    const std::vector<std::uint64_t> before = bits_of(m);
    s.x[5 * s.d + 4] = s.x[6 * s.d + 4];
    REQUIRE(bits_of(Moments(s.d, s.k, s.x, s.z)) != before);
  }
}

namespace {

/// Two rows of integers a, b of one column in the three planes.
void put(PackedRows& packed, std::size_t column, std::size_t pair, std::int32_t a, std::int32_t b) {
  std::uint32_t* words = packed.words(column / kPanel, pair) + column % kPanel;
  const auto digits = [](std::int32_t v) {
    const std::int32_t hi = (v + 1024) >> 11;
    return std::array{v - hi * 2048, hi, v - hi * 2047};
  };
  for (std::size_t plane = 0; plane < 3; ++plane) {
    words[plane * PackedRows::kPlaneWords] =
        (static_cast<std::uint32_t>(digits(a)[plane]) & 0xffffU) |
        (static_cast<std::uint32_t>(digits(b)[plane]) << 16U);
  }
}

}  // namespace

TEST_CASE("every kernel gives the same exact sums of products, of the largest entries too") {
  Random random(8);
  constexpr std::size_t kColumns = 2 * kPanel + 5;
  for (const std::size_t rows : {1U, 7U, 224U, 300U, 896U}) {
    for (const bool largest : {false, true}) {
      PackedRows block(kColumns);
      block.rows = rows;
      std::vector<std::int32_t> a(kColumns * (rows + 1), 0);  // [column][row], a row of zeros more
      for (std::size_t j = 0; j < kColumns; ++j) {
        for (std::size_t r = 0; r < rows; ++r) {
          const double size = largest && j % 3 != 1 ? kLargestGramEntry : 5000;
          a[j * (rows + 1) + r] = static_cast<std::int32_t>(
              largest && j % 3 == 0 ? size : std::floor(size * (2 * random.unit() - 1)));
        }
        for (std::size_t r = 0; r < rows; r += 2) {
          put(block, j, r / 2, a[j * (rows + 1) + r], a[j * (rows + 1) + r + 1]);
        }
      }
      const auto exact = [&](std::size_t i, std::size_t j) {
        std::int64_t sum = 0;
        for (std::size_t r = 0; r < rows; ++r) {
          sum += std::int64_t{a[i * (rows + 1) + r]} * a[j * (rows + 1) + r];
        }
        return sum;
      };
      for (const NamedKernel& named : gram_kernels()) {
        INFO(named.name << ", " << rows << " rows");
        for (std::size_t b = 0; b < kPanel; b += kStrip) {
          std::vector<std::int64_t> sums(kStrip * kPanel, 0);
          for (std::size_t part = 0; part < block.blocks(); ++part) {
            named.kernel(block.block(1, part), block.block(0, part) + b, block.pairs(part),
                         sums.data());
          }
          for (std::size_t j = 0; j < kStrip; ++j) {
            for (std::size_t i = 0; i < kPanel; ++i) {
              REQUIRE(sums[j * kPanel + i] == exact(kPanel + i, b + j));
            }
          }
        }
      }
      GramSums sums(kColumns);
      sums.add(block);
      for (const std::size_t i : {0U, 1U, 47U, 48U, 95U, 100U}) {
        for (std::size_t j = 0; j < kColumns; ++j) {
          REQUIRE((sums.at(i, j) == exact(i, j)));
        }
      }
    }
  }
}

TEST_CASE("sums of more rows than 64 bits hold stay exact") {
  PackedRows block(1);
  block.rows = kChunkRows;
  for (std::size_t pair = 0; pair < kChunkRows / 2; ++pair) {
    put(block, 0, pair, kLargestGramEntry, -kLargestGramEntry);
  }
  GramSums sums(1), other(1);
  for (int i = 0; i < 700; ++i) {  // 627,200 rows: spilled twice
    sums.add(block);
  }
  other.add(block);
  sums.merge(other);
  other.merge(sums);
  REQUIRE((sums.at(0, 0) == (Wide{701 * kChunkRows} << 44)));
  REQUIRE((other.at(0, 0) == (Wide{702 * kChunkRows} << 44)));
}

TEST_CASE("rows given by a reader on all cores, and those in memory: the same bytes") {
  for (const std::size_t n : {1U, 2U, 15U, 17U, 895U, 896U, 897U, 2700U}) {
    const Sample s = sample(n, 53, 40 + n);
    const Extent x = extent_of(s.x, s.d), z = extent_of(s.z, s.k);
    Moments given(x, z), read(x, z);
    given.add(s.x, s.z);
    read.add(
        n,
        [&](std::size_t first, std::span<double> out) {
          std::copy_n(s.x.data() + first * s.d, out.size(), out.data());
        },
        s.z);
    REQUIRE(bits_of(given) == bits_of(read));
    Moments bad(x, z);
    REQUIRE_THROWS_AS(bad.add(
                          n,
                          [&](std::size_t, std::span<double>) {
                            throw InputError("rows", "x", "readable rows", "none");
                          },
                          s.z),
                      InputError);
  }
}

TEST_CASE("what is not finite or outside the extent is refused, and shards of other extents") {
  const Sample s = sample(64, 4, 9);
  const Extent x = extent_of(s.x, s.d), z = extent_of(s.z, s.k);
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e30}) {
    std::vector<double> row(s.x.begin(), s.x.begin() + 4), label(s.z.begin(), s.z.begin() + 2);
    Moments m(x, z);
    row[2] = bad;
    REQUIRE_THROWS_AS(m.add(row, label), InputError);
    row[2] = s.x[2];
    label[1] = bad;
    REQUIRE_THROWS_AS(m.add(row, label), InputError);
    if (!std::isfinite(bad)) {
      REQUIRE_THROWS_AS(extent_of(std::vector<double>{1, bad}, 2), InputError);
    }
  }
  Moments m(x, z);
  REQUIRE_THROWS_AS(m.merge(Moments(s.d, s.k, std::span(s.x).first(40), std::span(s.z).first(20))),
                    PreconditionError);
}

TEST_CASE("moments equal their definitions") {
  const std::vector<double> rows = {1, 2, 3, 2, 5, 8, 7, 4}, z = {0, 0, 1, 1};
  const Moments m(2, 1, rows, z);
  REQUIRE(m.mean()[0] == 4.0);
  REQUIRE(m.xx(0, 0) == 5.0);
  REQUIRE(m.xx(0, 1) == 3.0);
  REQUIRE(m.xx(1, 1) == 6.0);
  REQUIRE(m.xz(0) == 1.0);
  REQUIRE(m.zz() == 0.25);
  REQUIRE(m.mean_z()[0] == 0.5);
  REQUIRE(m.positive() == 2);
}

TEST_CASE("for random concepts the deployed residual on the fit rows is near its noise floor") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const std::size_t d = 3 + seed;
    const Rows data = rows({3000, d, 0.1 + 0.05 * static_cast<double>(seed), 1.5, 200 + seed});
    const Eraser eraser = fitted(data);
    const Residual r = exact_residual(deploy_rows(eraser, data));
    REQUIRE(canonical_r2(moments_of(data)) > 0.05);
    REQUIRE(r.r2 < 10 * r.noise_floor());
    REQUIRE(r.certifiable());
    REQUIRE(residual_below(deploy_rows(eraser, data), r.tau));
    REQUIRE(data_file(data) == data_file(data));
    REQUIRE(eraser_tensors(eraser) == eraser_tensors(fitted(data)));
  }
}
