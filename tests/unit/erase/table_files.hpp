#pragma once
// Files of activations and labels for the tests of `assay erase fit`, `apply` and `certify`.

#include <filesystem>
#include <fstream>

#include "assay/erase/tensor_claims.hpp"
#include "assay/model/safetensors.hpp"
#include "synthetic.hpp"

namespace assay::erase::synthetic {

/// A folder of its own that goes away with its owner.
class TableFolder {
 public:
  explicit TableFolder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / ("assay_erase_" + name)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TableFolder() { std::filesystem::remove_all(path_); }
  TableFolder(const TableFolder&) = delete;
  TableFolder& operator=(const TableFolder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }
  std::filesystem::path write(const std::string& name, const SafetensorsFile& file) const {
    return write(name, to_safetensors(file));
  }

 private:
  std::filesystem::path path_;
};

/// Columns of doubles with classes, as files.
struct Planted {
  std::size_t n = 0, d = 0;
  std::vector<double> x;
  std::vector<std::int64_t> z;

  [[nodiscard]] SafetensorsFile file(std::size_t from, std::size_t to,
                                     const std::string& hook = "") const {
    SafetensorsFile out;
    out.doubles["x"] = {x.begin() + static_cast<std::ptrdiff_t>(from * d),
                        x.begin() + static_cast<std::ptrdiff_t>(to * d)};
    out.double_shapes["x"] = {to - from, d};
    out.integers["z"] = {z.begin() + static_cast<std::ptrdiff_t>(from),
                         z.begin() + static_cast<std::ptrdiff_t>(to)};
    out.integer_shapes["z"] = {to - from};
    if (!hook.empty()) {
      out.metadata["hook"] = hook;
    }
    return out;
  }
  [[nodiscard]] SafetensorsFile file(const std::string& hook = "") const {
    return file(0, n, hook);
  }
};

/// Rows as in `rows` of synthetic.hpp, in double.
inline Planted planted(const Recipe& recipe) {
  const Rows made = rows(recipe);
  return {made.n(), made.d, {made.x.begin(), made.x.end()}, {made.z.begin(), made.z.end()}};
}

/// A second set of rows of the same kind.
inline LoadedEraser loaded(const TensorFit& fit) {
  return {fit.fit.eraser, fit.origin, sha256(eraser_json(fit.fit.eraser, fit.origin)),
          sha256(eraser_tensors(fit.fit.eraser))};
}

}  // namespace assay::erase::synthetic
