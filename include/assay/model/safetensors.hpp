#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "assay/model/tensor.hpp"

namespace assay {

/// What a safetensors file holds (u64 header length, JSON header, buffer).
/// F32, F16 and BF16 become float32 tensors; F64 tensors stay doubles; integer dtypes are kept
/// apart, because token ids and labels are not activations.
struct SafetensorsFile {
  NamedTensors floats;
  std::map<std::string, std::vector<double>> doubles;
  std::map<std::string, std::vector<std::size_t>> double_shapes;
  std::map<std::string, std::vector<std::int64_t>> integers;
  std::map<std::string, std::vector<std::size_t>> integer_shapes;
  std::map<std::string, std::string> metadata;
};

enum class NonFinite { reject, keep };

/// Validates before it allocates: header length, no duplicate names, no overlap, no hole, no
/// trailing data, shape x dtype == span, no overflow; NaN or Inf rejected unless asked for.
/// Throws InputError naming file, tensor, expected, found.
[[nodiscard]] SafetensorsFile read_safetensors(const std::filesystem::path& path,
                                               NonFinite non_finite = NonFinite::reject);
[[nodiscard]] SafetensorsFile parse_safetensors(const std::string& bytes, const std::string& name,
                                                NonFinite non_finite = NonFinite::reject);

/// Moves every F64 tensor to the float32 ones. Throws InputError, naming file and tensor, when
/// float32 does not hold a value exactly.
void narrow_doubles(SafetensorsFile& file, const std::string& name);

/// Bytes of a file with the integers (as I64), then the doubles (as F64), then the floats (as
/// F32), each in name order, so that every tensor is aligned; header padded to 8; deterministic.
[[nodiscard]] std::string to_safetensors(const SafetensorsFile& file);
void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& file);

}  // namespace assay
