#pragma once
// The part of LibTorch that is used: tensors and reverse-mode differentiation. The optimizer,
// the data and the checkpoints are our own, so the module and serialisation headers (four times
// the compile time) are not needed. Only the .cpp files that end up here include LibTorch.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "assay/model/tensor.hpp"

namespace assay::torch_bridge {

inline std::int64_t len(std::size_t n) {
  return static_cast<std::int64_t>(n);
}

/// "auto" takes CUDA when LibTorch has it and a device answers. Throws UsageError when "cuda"
/// is asked for and there is none. Also fixes LibTorch to one CPU thread.
[[nodiscard]] at::Device open_device(const std::string& name);

[[nodiscard]] at::Tensor to_torch(const Tensor& tensor, at::Device device);
[[nodiscard]] Tensor to_plain(const at::Tensor& tensor);
[[nodiscard]] at::Tensor tokens_to_torch(const std::vector<std::int64_t>& tokens,
                                         std::size_t length, at::Device device);

}  // namespace assay::torch_bridge
