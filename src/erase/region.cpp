#include "assay/erase/region.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/model/safetensors.hpp"

namespace assay::erase {
namespace {

struct Doubles {
  SafetensorsFile file;
  std::string name;
  Digest digest;
  std::vector<std::string> names;  ///< sorted

  explicit Doubles(const std::filesystem::path& path) : name(path.string()) {
    const std::string bytes = read_file(path);
    file = parse_safetensors(bytes, name);
    digest = sha256(bytes);
    for (const auto& [tensor, values] : file.doubles) {
      names.push_back(tensor);
    }
    if (!file.floats.empty() || !file.integers.empty()) {
      throw InputError(name, "tensors", "F64 only", "others too");
    }
  }
  std::vector<double> take(const std::string& tensor, std::size_t d) {
    const std::vector<std::size_t>& shape = file.double_shapes.at(tensor);
    if (shape != std::vector<std::size_t>{d}) {
      throw InputError(name, tensor, "the shape [" + std::to_string(d) + "]", "another");
    }
    return std::move(file.doubles.at(tensor));
  }
};

}  // namespace

const char* Region::name() const {
  return kind == Kind::box          ? "box"
         : kind == Kind::ellipsoid  ? "ellipsoid"
         : kind == Kind::layer_norm ? "LayerNorm image"
                                    : "RMSNorm image";
}

Region read_region(const std::filesystem::path& path, std::size_t d) {
  using Names = std::vector<std::string>;
  Doubles file(path);
  Region out;
  out.digest = file.digest;
  if (file.names == Names{"center", "radius"}) {
    out.kind = Region::Kind::box;
    out.centre = file.take("center", d);
    out.axes = file.take("radius", d);
    if (std::any_of(out.axes.begin(), out.axes.end(), [](double r) { return r < 0; })) {
      throw InputError(file.name, "radius", "numbers of at least 0", "another");
    }
  } else if (file.names == Names{"axes", "center"}) {
    out.kind = Region::Kind::ellipsoid;
    out.centre = file.take("center", d);
    const std::vector<std::size_t>& shape = file.file.double_shapes.at("axes");
    if (shape.size() != 2 || shape[0] != d || shape[1] == 0) {
      throw InputError(file.name, "axes", "the shape [" + std::to_string(d) + ",m]", "another");
    }
    out.axes = std::move(file.file.doubles.at("axes"));
  } else if (file.names == Names{"beta", "gamma"} || file.names == Names{"gamma"}) {
    const bool layer = file.names.size() == 2;
    out.kind = layer ? Region::Kind::layer_norm : Region::Kind::rms_norm;
    out.centre = layer ? file.take("beta", d) : std::vector<double>(d);
    out.axes = file.take("gamma", d);
    out.radius = std::sqrt(static_cast<double>(d));
  } else {
    throw InputError(file.name, "tensors",
                     "F64 center and radius, center and axes, gamma and beta, or gamma",
                     "something else");
  }
  return out;
}

Unembedding read_unembedding(const std::filesystem::path& path, std::size_t d) {
  Doubles file(path);
  const auto u = file.file.double_shapes.find("u"), b = file.file.double_shapes.find("b");
  if (file.names.size() != 2 || u == file.file.double_shapes.end() ||
      b == file.file.double_shapes.end() || b->second.size() != 1 || b->second[0] < 2 ||
      u->second != std::vector<std::size_t>{b->second[0], d}) {
    throw InputError(file.name, "tensors", "F64 u [V," + std::to_string(d) + "] and b [V] only",
                     "something else");
  }
  return {std::move(file.file.doubles.at("u")), std::move(file.file.doubles.at("b")), file.digest};
}

}  // namespace assay::erase
