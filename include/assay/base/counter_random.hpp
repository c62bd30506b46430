#pragma once

#include <array>
#include <cstdint>

namespace assay {

/// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a bijection of
/// the counter under a key. A number is a function of (key, counter) alone, so what is drawn for
/// one run does not depend on how many others are drawn beside it, nor in which order.
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                                            std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32U) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32U) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(a)};
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
  return counter;
}

/// The numbers of one sampling plan: key = seed, counter = (index, step, stream).
class CounterRandom {
 public:
  /// What a number is used for: streams never share one.
  enum class Stream : std::uint32_t { token = 0, prompt = 1, attack = 2 };

  explicit constexpr CounterRandom(std::uint64_t seed) : seed_(seed) {}

  [[nodiscard]] constexpr std::uint64_t bits(Stream stream, std::uint64_t index,
                                             std::uint32_t step) const {
    const auto r =
        philox({low(index), high(index), step, static_cast<std::uint32_t>(stream)}, {low(seed_), high(seed_)});
    return (std::uint64_t{r[0]} << 32U) | r[1];
  }
  /// Uniform in [0, 1), a multiple of 2^-53.
  [[nodiscard]] constexpr double unit(Stream stream, std::uint64_t index, std::uint32_t step) const {
    return static_cast<double>(bits(stream, index, step) >> 11U) * 0x1p-53;
  }
  /// Uniform in [0, n) to within n 2^-64. @pre n > 0
  [[nodiscard]] constexpr std::uint64_t below(std::uint64_t n, Stream stream, std::uint64_t index,
                                              std::uint32_t step) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((Wide{bits(stream, index, step)} * n) >> 64U);
  }

 private:
  static constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
  static constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32U); }
  std::uint64_t seed_;
};

}  // namespace assay
