#include "assay/model/safetensors_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/model/strict_json.hpp"

namespace assay {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors buffers are little-endian");

constexpr std::size_t kMaxHeaderBytes = 100'000'000;
constexpr std::size_t kMaxRank = 8;

enum class Kind { floating, wide, integer };

struct Dtype {
  const char* name;
  std::size_t bytes;
  Kind kind;
};

constexpr Dtype kDtypes[] = {
    {"F32", 4, Kind::floating}, {"F16", 2, Kind::floating}, {"BF16", 2, Kind::floating},
    {"F64", 8, Kind::wide},     {"BOOL", 1, Kind::integer}, {"U8", 1, Kind::integer},
    {"I8", 1, Kind::integer},   {"U16", 2, Kind::integer},  {"I16", 2, Kind::integer},
    {"U32", 4, Kind::integer},  {"I32", 4, Kind::integer},  {"U64", 8, Kind::integer},
    {"I64", 8, Kind::integer},
};

const Dtype& dtype_named(const std::string& name) {
  const auto* it = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                [&name](const Dtype& d) { return name == d.name; });
  require(it != std::end(kDtypes), "safetensors: an unknown dtype");
  return *it;
}

template <class T>
T read_at(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

float half_to_float(std::uint16_t h) {
  const float sign = (h & 0x8000U) != 0 ? -1.0F : 1.0F;
  const int exponent = (h >> 10U) & 0x1F;
  const int mantissa = h & 0x3FF;
  if (exponent == 31) {
    return mantissa == 0 ? sign * std::numeric_limits<float>::infinity()
                         : std::numeric_limits<float>::quiet_NaN();
  }
  return exponent == 0 ? sign * std::ldexp(static_cast<float>(mantissa), -24)
                       : sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

std::string where(const std::string& file, const std::string& tensor) {
  return file + ": tensor '" + visible(tensor) + "'";
}

[[noreturn]] void refuse(const std::string& file, const std::string& tensor, const std::string& key,
                         const std::string& expected, const std::string& found) {
  throw InputError(where(file, tensor), key, expected, found);
}

std::size_t unsigned_of(const nlohmann::json& value, const std::string& file,
                        const std::string& tensor, const char* key) {
  if (!value.is_number_unsigned()) {
    refuse(file, tensor, key, "unsigned integers", visible(value.dump().substr(0, 60)));
  }
  return value.get<std::size_t>();
}

const Dtype& dtype_of(const nlohmann::json& value, const std::string& file,
                      const std::string& tensor) {
  if (value.is_string()) {
    for (const Dtype& dtype : kDtypes) {
      if (value.get_ref<const std::string&>() == dtype.name) {
        return dtype;
      }
    }
  }
  refuse(file, tensor, "dtype", "one of F32 F16 BF16 F64 BOOL U8 I8 U16 I16 U32 I32 U64 I64",
         visible(value.dump(-1, ' ', true).substr(0, 60)));
}

/// Shape and number of elements; the product is checked before any memory is asked for.
void read_shape(const nlohmann::json& value, const std::string& file, TensorSpan& entry) {
  if (!value.is_array() || value.size() > kMaxRank) {
    refuse(file, entry.name, "shape", "an array of at most " + std::to_string(kMaxRank) + " sizes",
           visible(value.dump().substr(0, 60)));
  }
  entry.elements = 1;
  for (const auto& axis : value) {
    const std::size_t n = unsigned_of(axis, file, entry.name, "shape");
    if (n != 0 && entry.elements > std::numeric_limits<std::size_t>::max() / 16 / n) {
      refuse(file, entry.name, "shape", "a size that fits 64 bits", value.dump());
    }
    entry.elements *= n;
    entry.shape.push_back(n);
  }
}

TensorSpan read_entry(const std::string& name, const nlohmann::json& value,
                      std::size_t buffer_bytes, const std::string& file) {
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") ||
      !value.contains("shape") || !value.contains("data_offsets")) {
    refuse(file, name, "entry", "an object of dtype, shape and data_offsets",
           visible(value.dump(-1, ' ', true).substr(0, 60)));
  }
  TensorSpan entry;
  entry.name = name;
  const Dtype& dtype = dtype_of(value["dtype"], file, name);
  entry.dtype = dtype.name;
  read_shape(value["shape"], file, entry);
  const auto& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) {
    refuse(file, name, "data_offsets", "[begin, end]", visible(offsets.dump().substr(0, 60)));
  }
  entry.begin = unsigned_of(offsets[0], file, name, "data_offsets");
  entry.end = unsigned_of(offsets[1], file, name, "data_offsets");
  if (entry.begin > entry.end || entry.end > buffer_bytes) {
    refuse(file, name, "data_offsets",
           "begin <= end <= " + std::to_string(buffer_bytes) + " (the buffer)", offsets.dump());
  }
  const std::size_t bytes = entry.elements * dtype.bytes;
  if (entry.end - entry.begin != bytes) {
    refuse(file, name, "data_offsets",
           "a span of " + std::to_string(bytes) + " bytes (shape x dtype)",
           std::to_string(entry.end - entry.begin) + " bytes");
  }
  return entry;
}

/// Spans in order must tile the buffer: no overlap, no hole, nothing left over.
void check_coverage(std::vector<TensorSpan> entries, std::size_t buffer_bytes,
                    const std::string& file) {
  std::sort(entries.begin(), entries.end(), [](const TensorSpan& a, const TensorSpan& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::size_t at = 0;
  for (const TensorSpan& entry : entries) {
    if (entry.begin != at) {
      refuse(file, entry.name, "data_offsets", "to begin at " + std::to_string(at),
             std::to_string(entry.begin) + (entry.begin < at ? " (overlap)" : " (hole)"));
    }
    at = entry.end;
  }
  if (at != buffer_bytes) {
    throw InputError(file, "buffer", std::to_string(at) + " bytes",
                     std::to_string(buffer_bytes) + " bytes (trailing data)");
  }
}

float float_at(const std::string& dtype, const char* p) {
  if (dtype == "F32") {
    return read_at<float>(p);
  }
  if (dtype == "F16") {
    return half_to_float(read_at<std::uint16_t>(p));
  }
  return std::bit_cast<float>(static_cast<std::uint32_t>(read_at<std::uint16_t>(p)) << 16U);
}

void check_finite(double value, std::size_t i, NonFinite non_finite, const TensorSpan& entry,
                  const std::string& file) {
  if (non_finite == NonFinite::reject && !std::isfinite(value)) {
    refuse(file, entry.name, "element " + std::to_string(i), "a finite number",
           std::isnan(value) ? "NaN" : "an infinity");
  }
}

std::int64_t integer_at(const TensorSpan& entry, const char* p, const std::string& file) {
  const std::string& dtype = entry.dtype;
  if (dtype == "BOOL") {
    const auto value = read_at<std::uint8_t>(p);
    if (value > 1) {
      refuse(file, entry.name, "BOOL value", "0 or 1", std::to_string(value));
    }
    return value;
  }
  if (dtype == "U64") {
    const auto value = read_at<std::uint64_t>(p);
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      refuse(file, entry.name, "U64 value", "at most 2^63 - 1", std::to_string(value));
    }
    return static_cast<std::int64_t>(value);
  }
  return dtype == "U8"    ? read_at<std::uint8_t>(p)
         : dtype == "I8"  ? read_at<std::int8_t>(p)
         : dtype == "U16" ? read_at<std::uint16_t>(p)
         : dtype == "I16" ? read_at<std::int16_t>(p)
         : dtype == "U32" ? static_cast<std::int64_t>(read_at<std::uint32_t>(p))
         : dtype == "I32" ? read_at<std::int32_t>(p)
                          : read_at<std::int64_t>(p);
}

void read_metadata(const nlohmann::json& value, const std::string& file,
                   std::map<std::string, std::string>& out) {
  if (!value.is_object()) {
    throw InputError(file, "__metadata__", "an object of strings", value.type_name());
  }
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      throw InputError(file, "__metadata__." + visible(key), "a string", text.type_name());
    }
    out[key] = text.get<std::string>();
  }
}

}  // namespace

bool is_floating(const std::string& dtype) {
  return dtype_named(dtype).kind != Kind::integer;
}

void decode_doubles(const std::string& dtype, const char* data, std::span<double> out) {
  const Dtype& known = dtype_named(dtype);
  require(known.kind != Kind::integer, "decode_doubles: integers");
  if (dtype == "F32") {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = read_at<float>(data + 4 * i);
    }
  } else if (known.kind == Kind::wide) {
    std::memcpy(out.data(), data, out.size_bytes());
  } else {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = float_at(dtype, data + 2 * i);
    }
  }
}

void decode_tensor(const TensorSpan& entry, const char* data, const std::string& file,
                   NonFinite non_finite, SafetensorsFile& out) {
  const Dtype& dtype = dtype_named(entry.dtype);
  const char* p = data;
  if (dtype.kind == Kind::integer) {
    std::vector<std::int64_t> values(entry.elements);
    for (std::size_t i = 0; i < entry.elements; ++i) {
      values[i] = integer_at(entry, p + i * dtype.bytes, file);
    }
    out.integer_shapes[entry.name] = entry.shape;
    out.integers[entry.name] = std::move(values);
    return;
  }
  if (dtype.kind == Kind::wide) {
    std::vector<double> values(entry.elements);
    for (std::size_t i = 0; i < entry.elements; ++i) {
      values[i] = read_at<double>(p + i * dtype.bytes);
      check_finite(values[i], i, non_finite, entry, file);
    }
    out.double_shapes[entry.name] = entry.shape;
    out.doubles[entry.name] = std::move(values);
    return;
  }
  Tensor tensor{entry.shape, std::vector<float>(entry.elements)};
  for (std::size_t i = 0; i < entry.elements; ++i) {
    tensor.data[i] = float_at(entry.dtype, p + i * dtype.bytes);
    check_finite(tensor.data[i], i, non_finite, entry, file);
  }
  out.floats[entry.name] = std::move(tensor);
}

const TensorSpan* SafetensorsIndex::find(const std::string& tensor) const {
  const auto it = std::find_if(tensors.begin(), tensors.end(),
                               [&tensor](const TensorSpan& t) { return t.name == tensor; });
  return it == tensors.end() ? nullptr : &*it;
}

std::size_t header_end(std::string_view first_bytes, std::size_t file_bytes,
                       const std::string& name) {
  if (file_bytes < 8) {
    throw InputError(name, "size", "at least 8 bytes", std::to_string(file_bytes));
  }
  const auto header_bytes = read_at<std::uint64_t>(first_bytes.data());
  if (header_bytes > kMaxHeaderBytes || header_bytes > file_bytes - 8) {
    throw InputError(name, "header length",
                     "at most " + std::to_string(std::min(kMaxHeaderBytes, file_bytes - 8)),
                     std::to_string(header_bytes));
  }
  return 8 + header_bytes;
}

SafetensorsIndex index_safetensors(std::string_view head, std::size_t file_bytes,
                                   const std::string& name) {
  SafetensorsIndex out;
  out.buffer = header_end(head, file_bytes, name);
  const std::string_view header = head.substr(8, out.buffer - 8);
  if (header.empty() || header.front() != '{') {
    throw InputError(name, "header", "a JSON object beginning with '{'", "another byte");
  }
  const nlohmann::json root = parse_strict_json(header, name + ": header");
  const std::size_t buffer_bytes = file_bytes - out.buffer;
  for (const auto& [key, value] : root.items()) {
    if (key == "__metadata__") {
      read_metadata(value, name, out.metadata);
    } else {
      out.tensors.push_back(read_entry(key, value, buffer_bytes, name));
    }
  }
  check_coverage(out.tensors, buffer_bytes, name);
  return out;
}

SafetensorsFile parse_safetensors(const std::string& bytes, const std::string& name,
                                  NonFinite non_finite) {
  SafetensorsIndex index = index_safetensors(bytes, bytes.size(), name);
  SafetensorsFile out;
  out.metadata = std::move(index.metadata);
  for (const TensorSpan& tensor : index.tensors) {
    decode_tensor(tensor, bytes.data() + index.buffer + tensor.begin, name, non_finite, out);
  }
  return out;
}

SafetensorsFile read_safetensors(const std::filesystem::path& path, NonFinite non_finite) {
  return parse_safetensors(read_file(path), path.string(), non_finite);
}

void narrow_doubles(SafetensorsFile& file, const std::string& name) {
  for (const auto& [tensor_name, values] : file.doubles) {
    Tensor tensor{file.double_shapes.at(tensor_name), {}};
    tensor.data.reserve(values.size());
    for (const double value : values) {
      const bool fits = !(std::fabs(value) > std::numeric_limits<float>::max());
      if (std::isfinite(value) &&
          (!fits || static_cast<double>(static_cast<float>(value)) != value)) {
        refuse(name, tensor_name, "F64 value", "one that float32 holds exactly", decimal(value));
      }
      tensor.data.push_back(static_cast<float>(value));
    }
    file.floats[tensor_name] = std::move(tensor);
  }
  file.doubles.clear();
  file.double_shapes.clear();
}

}  // namespace assay
