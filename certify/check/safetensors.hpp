#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace assay_check {

/// A safetensors file: u64 header length, JSON header, buffer. Every tensor lies inside, no
/// hole, no overlap, shape x dtype = span.
class Safetensors {
 public:
  using Shape = std::vector<std::size_t>;

  /// Throws Reject("safetensors", …) naming the file.
  Safetensors(std::string bytes, std::string file);

  [[nodiscard]] bool has(const std::string& name) const { return entries_.contains(name); }
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] const std::string& hook() const { return hook_; }  ///< of the metadata; "" without
  // Finite numbers of exactly this dtype and shape, row major.
  [[nodiscard]] std::vector<float> f32(const std::string& name, const Shape& shape) const;
  [[nodiscard]] std::vector<double> f64(const std::string& name, const Shape& shape) const;
  struct Tensor {
    std::string dtype;
    Shape shape;
    std::string_view bytes;  ///< valid as long as this file is
  };
  [[nodiscard]] Tensor tensor(const std::string& name) const;

 private:
  struct Entry {
    std::string dtype;
    Shape shape;
    std::size_t begin = 0, end = 0;  ///< into bytes_
  };
  [[noreturn]] void refuse(const std::string& reason) const;
  template <typename T>
  [[nodiscard]] std::vector<T> read(const std::string& name, const char* dtype,
                                    const Shape& shape) const;
  void check_spans(std::size_t buffer_begin) const;

  std::string bytes_, file_, hook_;
  std::map<std::string, Entry> entries_;
};

}  // namespace assay_check
