#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"

namespace assay {

/// An affine readout of a hook's activation x [d]: value = <weights, x> + bias, exact doubles.
/// File: docs/certificate-format.md, "readout".
struct Readout {
  std::string hook;
  std::vector<double> weights;
  double bias = 0;
  Digest digest;
};

[[nodiscard]] Readout load_readout(const std::filesystem::path& file);
/// The same, of one of these hooks instead of those of the forward pass.
[[nodiscard]] Readout load_readout_of(const std::filesystem::path& file,
                                      const std::vector<std::string>& hooks);
/// The file's bytes. @pre weights and bias are finite.
[[nodiscard]] std::string readout_json(const Readout& readout);
void save_readout(const std::filesystem::path& file, const Readout& readout);

}  // namespace assay
