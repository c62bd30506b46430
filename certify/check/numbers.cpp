#include "numbers.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "reject.hpp"

namespace assay_check {
namespace {

template <typename T>
double as(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return static_cast<double>(value);
}

double brain(const char* p) {
  std::uint16_t h = 0;
  std::memcpy(&h, p, sizeof h);
  return std::bit_cast<float>(static_cast<std::uint32_t>(h) << 16);
}

/// Sign, 5 bits of exponent, 10 of mantissa.
double half(const char* p) {
  std::uint16_t h = 0;
  std::memcpy(&h, p, sizeof h);
  const int exponent = (h >> 10) & 31, mantissa = h & 1023;
  const double size = exponent == 31  ? (mantissa == 0 ? HUGE_VAL : std::nan(""))
                      : exponent == 0 ? std::ldexp(mantissa, -24)
                                      : std::ldexp(mantissa + 1024, exponent - 25);
  return (h >> 15) != 0 ? -size : size;
}

struct Dtype {
  const char* name;
  std::size_t size;
  double (*read)(const char*);
};
constexpr Dtype kDtypes[] = {
    {"F16", 2, half},
    {"BF16", 2, brain},
    {"F32", 4, as<float>},
    {"F64", 8, as<double>},
    {"BOOL", 1, as<std::uint8_t>},
    {"U8", 1, as<std::uint8_t>},
    {"I8", 1, as<std::int8_t>},
    {"U16", 2, as<std::uint16_t>},
    {"I16", 2, as<std::int16_t>},
    {"U32", 4, as<std::uint32_t>},
    {"I32", 4, as<std::int32_t>},
    {"U64", 8, as<std::uint64_t>},
    {"I64", 8, as<std::int64_t>},
};

}  // namespace

Numbers numbers_of(const Safetensors& file, const std::string& name) {
  const Safetensors::Tensor tensor = file.tensor(name);
  const auto* dtype = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                   [&tensor](const Dtype& d) { return tensor.dtype == d.name; });
  if (dtype == std::end(kDtypes)) {
    throw Reject("safetensors", "unknown dtype", name);
  }
  const bool floating = tensor.dtype[0] == 'F' || tensor.dtype == "BF16";
  return {tensor.shape, floating, dtype->size, tensor.bytes.data(), dtype->read};
}

}  // namespace assay_check
