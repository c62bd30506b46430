#include "definite.hpp"

#include <random>

#include "catch.hpp"

using namespace assay_check;

namespace {

/// F F^T + shift I with F of the given rank, entries below 2^bits.
Triangle gram(std::size_t n, std::size_t rank, int bits, const Integer& shift, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<Integer>> f(n);
  for (auto& row : f) {
    for (std::size_t l = 0; l < rank; ++l) {
      row.push_back(Integer(random() >> 1) % (Integer(1) << bits) - (Integer(1) << (bits - 1)));
    }
  }
  Triangle m(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      Integer sum = i == j ? shift : Integer(0);
      for (std::size_t l = 0; l < rank; ++l) {
        sum += f[i][l] * f[j][l];
      }
      m[i].push_back(sum);
    }
  }
  return m;
}

}  // namespace

TEST_CASE("definite matrices are shown, semidefinite and indefinite ones never") {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    const std::size_t n = 2 + seed;
    const int bits = seed % 2 == 0 ? 8 : 60;
    CHECK(is_positive_definite(gram(n, n + 3, bits, 0, seed)));
    CHECK_FALSE(is_positive_definite(gram(n, n - 1, bits, 0, seed)));   // rank n - 1
    CHECK_FALSE(is_positive_definite(gram(n, n - 1, bits, -1, seed)));  // below it by one
    CHECK(
        is_positive_definite(gram(n, n - 1, bits, 1, seed)));  // above by one: elimination sees it
    Triangle m = gram(n, n + 3, bits, 0, seed);
    m[n - 1][n - 1] = 0;
    CHECK_FALSE(is_positive_definite(m));
  }
  CHECK(is_positive_definite({}));
}

TEST_CASE("beyond elimination, dominance shows what is well conditioned and nothing singular") {
  constexpr std::size_t kSize = 262;
  CHECK(is_positive_definite(gram(kSize, 2 * kSize, 20, 0, 3)));
  CHECK_FALSE(is_positive_definite(gram(kSize, kSize - 1, 20, 0, 3)));
  CHECK_FALSE(is_positive_definite(gram(kSize, kSize - 1, 20, -1, 3)));
  // Unlike scales: rows and columns times 2^(i / 2), a congruence.
  Triangle m = gram(kSize, 2 * kSize, 20, 0, 4);
  for (std::size_t i = 0; i < kSize; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      m[i][j] <<= i / 2 + j / 2;
    }
  }
  CHECK(is_positive_definite(m));
  // One 2 x 2 minor of -1 in it.
  m[9][9] = 4;
  m[9][8] = 2 * m[8][8] + 1;
  CHECK_FALSE(is_positive_definite(m));
}
