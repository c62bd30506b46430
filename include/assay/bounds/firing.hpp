#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "assay/bounds/bound.hpp"

namespace assay::bounds {

/// What a feature does in every context of a domain.
///   threshold encoders   off iff pre <= threshold (a tie is off)
///   topk                 must-off  pre <= 0 everywhere, or k others strictly larger everywhere
///                        must-on   pre > 0 everywhere, and at most k - 1 others not strictly smaller everywhere
///                        so that a tie for the k-th place is neither
enum class Firing { must_off, must_on, may };
/// "must-off", "must-on", "may"
[[nodiscard]] const char* name(Firing firing);

struct FiringVerdict {
  Firing firing = Firing::may;
  std::string reason;
  std::size_t compared = 0;  ///< features whose difference was bounded

  struct Proof;
  std::shared_ptr<const Proof> proof;  ///< with keep_proof, unless `may`
};

}  // namespace assay::bounds
