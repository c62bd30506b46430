#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"

namespace assay::erase {

/// A set of inputs of a site, from a file of F64 tensors (docs/certificate-format.md, "All inputs of a region"):
/// box: center, radius [d]; ellipsoid: center [d], axes [d,m], x = center + axes s, |s| <= 1; the image of a
/// LayerNorm: gamma, beta [d]; of an RMSNorm: gamma [d].
struct Region {
  enum class Kind { box, ellipsoid, layer_norm, rms_norm } kind = Kind::box;
  std::vector<double> centre;  ///< [d]
  std::vector<double> axes;    ///< radius or gamma [d], or axes [d,m]
  double radius = 1;           ///< of s
  Digest digest;

  [[nodiscard]] const char* name() const;
};
/// Throws InputError.
[[nodiscard]] Region read_region(const std::filesystem::path& path, std::size_t d);

/// F64 `u` [V,d] and `b` [V]: logits u y + b.
struct Unembedding {
  std::vector<double> u, b;
  Digest digest;
};
[[nodiscard]] Unembedding read_unembedding(const std::filesystem::path& path, std::size_t d);

}  // namespace assay::erase
