#include <cmath>

#include "../../unit/erase/synthetic.hpp"
#include "assay/erase/population.hpp"
#include "catch.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

namespace {

/// Documents of 1 to 9 rows that share a shift and a label tendency; y on a grid of 2^-8.
struct Drawn {
  GridRows rows;
  std::vector<std::int64_t> document;
};

Drawn drawn(std::size_t documents, std::size_t d, double signal, std::uint64_t seed) {
  Random random(seed);
  Drawn out;
  out.rows.d = d;
  for (std::size_t doc = 0; doc < documents; ++doc) {
    const double tendency = random.unit(), shift = random.unit() - 0.5;
    const std::size_t length = 1 + random.below(9);
    for (std::size_t i = 0; i < length; ++i) {
      const bool one = random.unit() < tendency;
      for (std::size_t j = 0; j < d; ++j) {
        const double y = 2 * random.unit() - 1 + shift + (j == 0 && one ? signal : 0.0);
        out.rows.y.push_back(static_cast<std::int32_t>(std::lround(256 * y)));
      }
      out.rows.z.push_back(one ? 1 : 0);
      out.document.push_back(static_cast<std::int64_t>(doc));
    }
  }
  return out;
}

/// |Cov(y, z)| of that law in grid units, by its definition: the shift and the tendency are independent.
double truth(double signal) {
  return 256 * signal * 0.25;  // E z = 1/2, Cov(signal z, z) = signal / 4
}

}  // namespace

TEST_CASE(
    "population: the two halves bound the covariance of documents' rows, from above and below") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const double signal = seed % 2 == 0 ? 0.0 : 1.0;
    const Drawn sample = drawn(3000, 3, signal, seed);
    const Population population(sample.rows, sample.document);
    REQUIRE(population.by_document());
    REQUIRE(population.units() == 3000);
    const PairFigures p = population.figures(0, Products::linear);
    // The scales are powers of two per coordinate; only coordinate 0 has a covariance.
    const double unit = std::ldexp(1.0, population.scales()[0]);
    REQUIRE(covariance_bound(p, 0.01) * unit >= truth(signal));
    REQUIRE(leakage_bound(p, 0.01) * unit <= truth(signal) + 1e-9);
    if (signal > 0) {
      REQUIRE(leakage_bound(p, 0.01) > 0);
    }
    REQUIRE(covariance_bound(p, 0.001) > covariance_bound(p, 0.01));
  }
}

TEST_CASE(
    "population: a mean of the pairs is the covariance of a row of a document, not of a row of the "
    "file") {
  // Long documents never have the label, short ones always: per row and per document the rates differ.
  GridRows rows;
  rows.d = 1;
  std::vector<std::int64_t> document;
  Random random(3);
  for (std::int64_t doc = 0; doc < 4000; ++doc) {
    const bool one = random.unit() < 0.5;
    for (std::size_t i = 0; i < (one ? 1U : 20U); ++i) {
      rows.y.push_back(one ? 64 : -64);
      rows.z.push_back(one ? 1 : 0);
      document.push_back(doc);
    }
  }
  const Population population(rows, document);
  const PairFigures p = population.figures(0, Products::linear);
  const double unit = std::ldexp(1.0, population.scales()[0]);
  // E y z - E y E z = 128 p q = 32 for a drawn document; about 5.8 for a drawn row.
  CHECK(std::fabs(p.norm * unit - 32) < 2);
}

TEST_CASE("population: rows far from the rest are counted and taken as the centre") {
  Drawn sample = drawn(800, 2, 0.0, 5);
  const std::size_t before = Population(sample.rows, sample.document).beyond();
  CHECK(before == 0);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < sample.rows.n(); ++i) {
    if (sample.document[i] % 97 == 96) {
      sample.rows.y[2 * i] = 1 << 20;
      ++moved;
    }
  }
  const Population population(sample.rows, sample.document);
  if (population.beyond() > 0) {
    CHECK(population.beyond() <= moved);
  }
  const PairFigures p = population.figures(0, Products::linear);
  CHECK(p.norm <= p.largest);
  CHECK(covariance_bound(p, 0.01) < p.largest);
}
