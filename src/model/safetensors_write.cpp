#include <cstring>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/model/safetensors_index.hpp"

namespace assay {
namespace {

/// The header entry of one tensor; moves `at` past its span.
nlohmann::ordered_json entry(const char* dtype, std::size_t bytes_each, std::size_t elements,
                             const std::vector<std::size_t>& shape, std::size_t& at) {
  std::size_t product = 1;
  for (const std::size_t n : shape) {
    product *= n;
  }
  require(product == elements, "to_safetensors: a tensor's shape is not its size");
  const std::size_t begin = at;
  at += elements * bytes_each;
  return {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, at}}};
}

using Shapes = std::map<std::string, std::vector<std::size_t>>;

const std::vector<std::size_t>& shape_of(const Shapes& shapes, const std::string& name) {
  const auto it = shapes.find(name);
  require(it != shapes.end(), "to_safetensors: an integer or double tensor without a shape");
  return it->second;
}

/// Length and text, padded to 8.
std::string header_bytes(const nlohmann::ordered_json& header) {
  std::string text = header.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + text;
}

}  // namespace

std::string float_header(const std::string& name, const std::vector<std::size_t>& shape,
                         const std::map<std::string, std::string>& metadata) {
  std::size_t elements = 1, at = 0;
  for (const std::size_t n : shape) {
    elements *= n;
  }
  nlohmann::ordered_json header = {{"__metadata__", metadata}};
  header[name] = entry("F32", 4, elements, shape, at);
  return header_bytes(header);
}

std::string to_safetensors(const SafetensorsFile& file) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!file.metadata.empty()) {
    header["__metadata__"] = file.metadata;
  }
  std::size_t at = 0;
  for (const auto& [name, values] : file.integers) {
    require(!file.floats.contains(name) && !file.doubles.contains(name),
            "to_safetensors: one name for two tensors");
    header[name] = entry("I64", 8, values.size(), shape_of(file.integer_shapes, name), at);
  }
  for (const auto& [name, values] : file.doubles) {
    require(!file.floats.contains(name), "to_safetensors: one name for two tensors");
    header[name] = entry("F64", 8, values.size(), shape_of(file.double_shapes, name), at);
  }
  for (const auto& [name, tensor] : file.floats) {
    header[name] = entry("F32", 4, tensor.data.size(), tensor.shape, at);
  }
  std::string out = header_bytes(header);
  std::size_t header_size = out.size();
  out.resize(header_size + at, '\0');
  char* p = out.data() + header_size;
  const auto append = [&p](const auto& values) {
    if (!values.empty()) {
      std::memcpy(p, values.data(), values.size() * sizeof values[0]);
      p += values.size() * sizeof values[0];
    }
  };
  for (const auto& [name, values] : file.integers) {
    append(values);
  }
  for (const auto& [name, values] : file.doubles) {
    append(values);
  }
  for (const auto& [name, tensor] : file.floats) {
    append(tensor.data);
  }
  return out;
}

void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& file) {
  write_file_atomic(path, to_safetensors(file));
}

}  // namespace assay
