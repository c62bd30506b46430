#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace assay_check {

/// A safetensors file: u64 header length, JSON header, buffer. Every tensor lies inside, no
/// hole, no overlap, shape x dtype = span. Only F32, F64 and I64 can be read.
class Safetensors {
 public:
  using Shape = std::vector<std::size_t>;

  /// Throws Reject("safetensors", …) naming the file.
  Safetensors(std::string bytes, std::string file);

  [[nodiscard]] bool has(const std::string& name) const { return entries_.contains(name); }
  [[nodiscard]] std::vector<std::string> names() const;
  // Finite numbers of exactly this dtype and shape, row major.
  [[nodiscard]] std::vector<float> f32(const std::string& name, const Shape& shape) const;
  [[nodiscard]] std::vector<double> f64(const std::string& name, const Shape& shape) const;
  [[nodiscard]] std::vector<std::int64_t> i64(const std::string& name, const Shape& shape) const;

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

  std::string bytes_, file_;
  std::map<std::string, Entry> entries_;
};

}  // namespace assay_check
