#include "safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "json.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kMaxElements = (std::size_t{1} << 32) - 1;  // a product of two fits 64 bits

std::size_t item_size(const std::string& dtype) {
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") {
    return 4;
  }
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") {
    return 8;
  }
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") {
    return 2;
  }
  return dtype == "BOOL" || dtype == "U8" || dtype == "I8" ? 1 : 0;
}

}  // namespace

void Safetensors::refuse(const std::string& reason) const {
  throw Reject("safetensors", reason, file_);
}

Safetensors::Safetensors(std::string bytes, std::string file)
    : bytes_(std::move(bytes)), file_(std::move(file)) {
  std::uint64_t header_size = 0;
  if (bytes_.size() < 8) {
    refuse("shorter than its header length");
  }
  std::memcpy(&header_size, bytes_.data(), 8);
  if (header_size > 100'000'000 || header_size > bytes_.size() - 8 || header_size == 0 ||
      bytes_[8] != '{') {
    refuse("header length or header start is wrong");
  }
  const std::size_t buffer = 8 + static_cast<std::size_t>(header_size);
  const Json header = parse_json(std::string_view(bytes_).substr(8, buffer - 8), file_);
  for (const auto& [name, value] : header.members) {
    if (name == "__metadata__") {
      const Json* const hook = value.find("hook");
      hook_ = hook == nullptr ? "" : hook->as_text();
      continue;
    }
    Entry e;
    e.dtype = value.at("dtype").as_text();
    std::size_t count = 1;
    for (const Json& n : value.at("shape").as_array()) {
      e.shape.push_back(static_cast<std::size_t>(n.as_natural()));
      if (e.shape.back() > kMaxElements || (count *= e.shape.back()) > kMaxElements) {
        refuse("tensor " + name + ": too many elements");
      }
    }
    const auto& offsets = value.at("data_offsets").as_array();
    if (value.members.size() != 3 || offsets.size() != 2 || item_size(e.dtype) == 0) {
      refuse("tensor " + name + ": unknown dtype or keys");
    }
    const std::size_t begin = static_cast<std::size_t>(offsets[0].as_natural());
    const std::size_t end = static_cast<std::size_t>(offsets[1].as_natural());
    if (begin > end || end > bytes_.size() - buffer || end - begin != count * item_size(e.dtype)) {
      refuse("tensor " + name + ": offsets do not fit shape or file");
    }
    e.begin = buffer + begin;
    e.end = buffer + end;
    entries_.emplace(name, std::move(e));
  }
  check_spans(buffer);
}

void Safetensors::check_spans(std::size_t buffer_begin) const {
  std::vector<std::pair<std::size_t, std::size_t>> spans;
  for (const auto& [name, e] : entries_) {
    spans.emplace_back(e.begin, e.end);
  }
  std::sort(spans.begin(), spans.end());
  std::size_t covered = buffer_begin;
  for (const auto& [begin, end] : spans) {
    if (begin != covered) {
      refuse("tensors overlap or leave a hole");
    }
    covered = end;
  }
  if (covered != bytes_.size()) {
    refuse("bytes after the last tensor");
  }
}

std::vector<std::string> Safetensors::names() const {
  std::vector<std::string> all;
  for (const auto& [name, e] : entries_) {
    all.push_back(name);
  }
  return all;
}

template <typename T>
std::vector<T> Safetensors::read(const std::string& name, const char* dtype,
                                 const Shape& shape) const {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.dtype != dtype || found->second.shape != shape) {
    refuse("tensor " + name + " is missing, or not of dtype " + dtype + " and the right shape");
  }
  const Entry& e = found->second;
  std::vector<T> out((e.end - e.begin) / sizeof(T));
  if (!out.empty()) {
    std::memcpy(out.data(), bytes_.data() + e.begin, e.end - e.begin);
  }
  if (!std::all_of(out.begin(), out.end(),
                   [](T x) { return std::isfinite(static_cast<double>(x)); })) {
    refuse("tensor " + name + ": a number is not finite");
  }
  return out;
}

std::vector<float> Safetensors::f32(const std::string& name, const Shape& shape) const {
  return read<float>(name, "F32", shape);
}

std::vector<double> Safetensors::f64(const std::string& name, const Shape& shape) const {
  return read<double>(name, "F64", shape);
}

Safetensors::Tensor Safetensors::tensor(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    refuse("tensor " + name + " is missing");
  }
  const Entry& e = found->second;
  return {e.dtype, e.shape, std::string_view(bytes_).substr(e.begin, e.end - e.begin)};
}

}  // namespace assay_check
