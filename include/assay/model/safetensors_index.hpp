#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assay/model/safetensors.hpp"

namespace assay {

/// One tensor of a file: where its bytes are, from the end of the header on.
struct TensorSpan {
  std::string name;
  std::string dtype;
  std::vector<std::size_t> shape;
  std::size_t elements = 0, begin = 0, end = 0;
};

/// A file's header, checked as by parse_safetensors; no tensor is read.
struct SafetensorsIndex {
  std::vector<TensorSpan> tensors;  ///< in name order
  std::map<std::string, std::string> metadata;
  std::size_t buffer = 0;  ///< where the header ends in the file

  /// None when there is no such tensor.
  [[nodiscard]] const TensorSpan* find(const std::string& tensor) const;
};

/// `head` holds at least the header, `file_bytes` is the whole file's size. Throws InputError.
[[nodiscard]] SafetensorsIndex index_safetensors(std::string_view head, std::size_t file_bytes,
                                                 const std::string& name);
/// Bytes of the header with the 8 of its length, from the file's first 8. Throws InputError.
[[nodiscard]] std::size_t header_end(std::string_view first_bytes, std::size_t file_bytes,
                                     const std::string& name);
/// Adds the tensor, whose bytes `data` are, to `out`.
void decode_tensor(const TensorSpan& tensor, const char* data, const std::string& name,
                   NonFinite non_finite, SafetensorsFile& out);
/// Whether the dtype is F64, F32, F16 or BF16.
[[nodiscard]] bool is_floating(const std::string& dtype);
/// Elements of such a tensor, as they are: NaN and infinities too. @pre is_floating
void decode_doubles(const std::string& dtype, const char* data, std::span<double> out);

/// The bytes before the values in a file of one float32 tensor and metadata, as to_safetensors writes
/// them.
[[nodiscard]] std::string float_header(const std::string& name,
                                       const std::vector<std::size_t>& shape,
                                       const std::map<std::string, std::string>& metadata);

}  // namespace assay
