#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "assay/features/encode.hpp"

namespace assay::features {

/// One figure with the id under which docs/metrics.md defines it.
struct Metric {
  std::string id;          ///< e.g. "fvu"
  std::string definition;  ///< the formula, in one line
  double value = 0;        ///< NaN when undefined (a zero denominator)
  std::uint64_t n = 0;     ///< tokens, predicted tokens or features it is taken over
};

/// Features by firing frequency p: bin b counts those with floor(log10 p) = b - 8, i.e.
/// [1e-8,1e-7) … [1e-1,1), and the last bin p = 1. Dead features are in no bin.
inline constexpr std::size_t kDensityBins = 9;

struct Evaluation {
  std::vector<Metric> metrics;
  std::array<std::uint64_t, kDensityBins> density_histogram{};
  std::vector<std::uint64_t> firings;  ///< [d_sae]: tokens on which the feature is on
  std::uint64_t tokens = 0;

  /// Throws PreconditionError for an id that is not there.
  [[nodiscard]] const Metric& metric(const std::string& id) const;
};

/// The SAE's figures on the given sequences. For a transcoder the reconstruction is compared
/// with, and spliced in at, its output site; else its input site. OBSERVED.
[[nodiscard]] Evaluation evaluate(const Transformer& model, const Sae& sae,
                                  const Sequences& sequences);

}  // namespace assay::features
