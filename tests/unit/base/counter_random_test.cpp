#include "assay/base/counter_random.hpp"

#include <catch.hpp>
#include <set>

using assay::CounterRandom;
using assay::philox;
using Stream = CounterRandom::Stream;
using Four = std::array<std::uint32_t, 4>;

TEST_CASE("philox4x32-10 gives the published vectors") {
  // Random123, tests/kat_vectors
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("numbers depend on seed, stream, index and step alone, and on each of them") {
  std::set<std::uint64_t> seen;
  for (const std::uint64_t seed : {1ULL, 2ULL, 1ULL << 40U}) {
    for (const auto stream : {Stream::token, Stream::prompt, Stream::attack}) {
      for (const std::uint64_t index : {0ULL, 1ULL, 1ULL << 33U}) {
        for (const std::uint32_t step : {0U, 1U, 77U}) {
          const CounterRandom random(seed);
          seen.insert(random.bits(stream, index, step));
          CHECK(random.bits(stream, index, step) == CounterRandom(seed).bits(stream, index, step));
        }
      }
    }
  }
  CHECK(seen.size() == 81);
}

TEST_CASE("below is even and stays below") {
  const CounterRandom random(3);
  std::array<int, 5> counts{};
  for (std::uint64_t i = 0; i < 50000; ++i) {
    const std::uint64_t x = random.below(5, Stream::prompt, i, 0);
    REQUIRE(x < 5);
    ++counts[x];
    const double u = random.unit(Stream::token, i, 0);
    REQUIRE((u >= 0 && u < 1));
  }
  for (const int n : counts) {
    CHECK(std::abs(n - 10000) < 400);  // 4.5 standard deviations
  }
}
