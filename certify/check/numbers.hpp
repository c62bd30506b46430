#pragma once

#include <string>
#include <vector>

#include "safetensors.hpp"

namespace assay_check {

/// The numbers of a tensor of any dtype, one at a time; exact, except integers beyond 2^53.
struct Numbers {
  Safetensors::Shape shape;
  bool floating = false;
  std::size_t size = 0;  ///< bytes of one
  const char* begin = nullptr;
  double (*read)(const char*) = nullptr;
  [[nodiscard]] double operator[](std::size_t i) const { return read(begin + i * size); }
};

/// Valid as long as the file is; numbers that are not finite are left to the caller.
[[nodiscard]] Numbers numbers_of(const Safetensors& file, const std::string& name);

}  // namespace assay_check
