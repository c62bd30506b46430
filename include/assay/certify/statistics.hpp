#pragma once

#include <cstdint>
#include <string>

namespace assay::certify {

/// What a STATISTICAL claim rests on: k of n independently drawn runs violate the property and u are not decided, so
/// that the probability lies within [lo, hi] with confidence 1 - alpha. Numbers that are no counts are text.
struct Statistics {
  std::uint64_t n = 0, k = 0, undecided = 0;
  std::string alpha;    ///< a fraction
  std::string lo, hi;   ///< six decimals, rounded outward
  std::string method;   ///< kClopperPearson
  std::string plan;     ///< evidence file: the sampling plan, fixed before the draw
  std::string runs;     ///< evidence file: the runs
  std::string prompts;  ///< evidence file: the law of prompts
  std::string seed, decoder;
  std::string plan_sha256, prompts_sha256;
  bool operator==(const Statistics&) const = default;
};

inline constexpr const char* kClopperPearson = "clopper-pearson";

}  // namespace assay::certify
