#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace assay {

/// A dense row-major float32 array. Plain data: checked once where it is read.
struct Tensor {
  std::vector<std::size_t> shape;
  std::vector<float> data;

  [[nodiscard]] std::size_t rows() const { return shape.empty() ? 1 : shape[0]; }
  [[nodiscard]] std::size_t cols() const { return rows() == 0 ? 0 : data.size() / rows(); }
  /// Row-major 2-D access; of a 3-D tensor the last two axes are one.
  [[nodiscard]] float at(std::size_t r, std::size_t c) const { return data[r * cols() + c]; }
  /// Row-major 3-D access.
  [[nodiscard]] float at(std::size_t a, std::size_t b, std::size_t c) const {
    return data[(a * shape[1] + b) * shape[2] + c];
  }
};

[[nodiscard]] inline Tensor zeros(std::vector<std::size_t> shape) {
  const std::size_t n =
      std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
  return {std::move(shape), std::vector<float>(n, 0.0F)};
}

using NamedTensors = std::map<std::string, Tensor>;

}  // namespace assay
