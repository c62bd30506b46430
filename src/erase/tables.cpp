#include "assay/erase/tables.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/model/safetensors.hpp"

namespace assay::erase {
namespace {

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "[";
  for (const std::size_t n : shape) {
    text += (text.size() > 1 ? "," : "") + std::to_string(n);
  }
  return text + "]";
}

bool is_hook_word(const std::string& hook) {
  return !hook.empty() && hook.size() <= 100 && std::all_of(hook.begin(), hook.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_';
  });
}

void check_names(const SafetensorsFile& file, const std::string& path, bool x, bool z) {
  const auto check = [&](const auto& tensors) {
    for (const auto& [name, values] : tensors) {
      if (!(x && name == "x") && !(z && name == "z") && name != "document" && name != "symbol") {
        throw InputError(path, "tensors",
                         x && z ? "x, z and perhaps document and symbol"
                         : x    ? "x and perhaps document and symbol"
                                : "z and perhaps document",
                         "'" + visible(name) + "' too");
      }
    }
  };
  check(file.floats);
  check(file.doubles);
  check(file.integers);
}

ActivationTable take_activations(SafetensorsFile& file, const std::string& path,
                                 const Digest& digest) {
  ActivationTable out;
  out.file = path;
  out.digest = digest;
  std::vector<std::size_t> shape;
  if (const auto narrow = file.floats.find("x"); narrow != file.floats.end()) {
    shape = narrow->second.shape;
    out.narrow = std::move(narrow->second.data);
  } else if (const auto wide = file.doubles.find("x"); wide != file.doubles.end()) {
    shape = file.double_shapes.at("x");
    out.wide = std::move(wide->second);
  } else {
    throw InputError(path, "x", "a tensor of F16, BF16, F32 or F64",
                     file.integers.contains("x") ? "integers" : "none");
  }
  if (shape.size() != 2 || shape[0] == 0 || shape[1] == 0 || shape[1] > kMaxTableWidth) {
    throw InputError(path, "x", "the shape [n,d], d at most " + std::to_string(kMaxTableWidth),
                     shape_text(shape));
  }
  out.n = shape[0];
  out.d = shape[1];
  if (const auto hook = file.metadata.find("hook"); hook != file.metadata.end()) {
    if (!is_hook_word(hook->second)) {
      throw InputError(path, "__metadata__.hook", "letters, digits, dots and underscores",
                       "'" + visible(hook->second.substr(0, 100)) + "'");
    }
    out.hook = hook->second;
  }
  return out;
}

LabelTable take_labels(const SafetensorsFile& file, const std::string& path, const Digest& digest,
                       bool quantities) {
  LabelTable out;
  out.file = path;
  out.digest = digest;
  std::vector<std::size_t> shape;
  if (const auto it = file.integers.find("z"); it != file.integers.end()) {
    shape = file.integer_shapes.at("z");
    out.z.assign(it->second.begin(), it->second.end());
  } else if (const auto narrow = file.floats.find("z"); narrow != file.floats.end()) {
    shape = narrow->second.shape;
    out.z.assign(narrow->second.data.begin(), narrow->second.data.end());
  } else if (const auto wide = file.doubles.find("z"); wide != file.doubles.end()) {
    shape = file.double_shapes.at("z");
    out.z = wide->second;
  } else {
    throw InputError(path, "z", "a tensor of labels", "none");
  }
  if ((shape.size() != 1 && shape.size() != 2) || shape[0] == 0 || shape.back() == 0 ||
      (shape.size() == 2 && shape[1] > kMaxTableLabels)) {
    throw InputError(path, "z", "the shape [n] or [n,k], k at most 64", shape_text(shape));
  }
  out.n = shape[0];
  out.k = shape.size() == 2 ? shape[1] : 1;
  const auto beyond =
      std::find_if(out.z.begin(), out.z.end(), [](double v) { return v != 0.0 && v != 1.0; });
  out.zero_one = beyond == out.z.end();
  const bool whole =
      std::all_of(out.z.begin(), out.z.end(), [](double v) { return v == std::nearbyint(v); });
  if (!out.zero_one && whole && !quantities) {
    throw InputError(path, "z",
                     "0 or 1: one column [n] for one label, one-hot columns [n,k] for classes "
                     "(class numbers are no scale; --continuous says that they are quantities)",
                     decimal(*beyond));
  }
  return out;
}

/// The integers NAME [n], if the file has them.
std::vector<std::int64_t> take_integers(const SafetensorsFile& file, const std::string& path,
                                        const std::string& name, std::size_t n) {
  const auto it = file.integers.find(name);
  if (it == file.integers.end()) {
    if (file.floats.contains(name) || file.doubles.contains(name)) {
      throw InputError(path, name, "a tensor of integers", "another type");
    }
    return {};
  }
  if (file.integer_shapes.at(name) != std::vector<std::size_t>{n}) {
    throw InputError(path, name, "the shape [" + std::to_string(n) + "]",
                     shape_text(file.integer_shapes.at(name)));
  }
  return it->second;
}

}  // namespace

void ActivationTable::row(std::size_t i, std::span<double> out) const {
  require(i < n && out.size() == d, "ActivationTable::row: outside the table");
  if (wide.empty()) {
    std::copy_n(narrow.begin() + static_cast<std::ptrdiff_t>(i * d), d, out.begin());
  } else {
    std::copy_n(wide.begin() + static_cast<std::ptrdiff_t>(i * d), d, out.begin());
  }
}

void check_hook_word(const std::string& hook) {
  if (!is_hook_word(hook)) {
    throw UsageError("hook: expected letters, digits, dots and underscores, found '" +
                     visible(hook.substr(0, 100)) + "'");
  }
}

ActivationTable read_activations(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  SafetensorsFile file = parse_safetensors(bytes, path.string());
  check_names(file, path.string(), true, true);  // labels beside them are not asked for
  return take_activations(file, path.string(), sha256(bytes));
}

LabelTable read_labels(const std::filesystem::path& path, bool quantities) {
  const std::string bytes = read_file(path);
  const SafetensorsFile file = parse_safetensors(bytes, path.string());
  check_names(file, path.string(), false, true);
  return take_labels(file, path.string(), sha256(bytes), quantities);
}

RegisteredProbes read_probes(const std::filesystem::path& path, std::size_t d) {
  const std::string bytes = read_file(path), name = path.string();
  SafetensorsFile file = parse_safetensors(bytes, name);
  const auto weights = file.double_shapes.find("weights"), bias = file.double_shapes.find("bias");
  if (file.doubles.size() != 2 || !file.floats.empty() || !file.integers.empty() ||
      weights == file.double_shapes.end() || bias == file.double_shapes.end() ||
      bias->second.size() != 1 || bias->second[0] == 0 ||
      weights->second != std::vector<std::size_t>{bias->second[0], d}) {
    throw InputError(name, "tensors", "F64 weights [m," + std::to_string(d) + "] and bias [m] only",
                     "something else");
  }
  return {std::move(file.doubles["weights"]), std::move(file.doubles["bias"]), sha256(bytes)};
}

Tables read_tables(const std::filesystem::path& activations,
                   const std::optional<std::filesystem::path>& labels, bool quantities) {
  Tables out;
  out.apart = labels.has_value();
  {
    const std::string bytes = read_file(activations);
    SafetensorsFile file = parse_safetensors(bytes, activations.string());
    check_names(file, activations.string(), true, !out.apart);
    const Digest digest = sha256(bytes);
    if (!out.apart) {
      out.z = take_labels(file, activations.string(), digest, quantities);
    }
    out.x = take_activations(file, activations.string(), digest);
    out.document = take_integers(file, activations.string(), "document", out.x.n);
    out.symbol = take_integers(file, activations.string(), "symbol", out.x.n);
  }
  if (out.apart) {
    out.z = read_labels(*labels, quantities);
  }
  if (out.z.n != out.x.n) {
    throw InputError(out.z.file, "z", std::to_string(out.x.n) + " rows as in " + out.x.file,
                     std::to_string(out.z.n));
  }
  return out;
}

std::vector<std::int32_t> deploy_table(const Eraser& eraser, const ActivationTable& x) {
  if (x.hook && *x.hook != eraser.hook) {
    throw InputError(x.file, "__metadata__.hook",
                     "'" + eraser.hook + "', where the eraser was fitted", "'" + *x.hook + "'");
  }
  if (x.d != eraser.d()) {
    throw InputError(x.file, "x", "rows of the eraser's width " + std::to_string(eraser.d()),
                     std::to_string(x.d));
  }
  std::vector<std::int32_t> out(x.n * x.d);
  std::vector<double> row(x.d);
  for (std::size_t i = 0; i < x.n; ++i) {
    x.row(i, row);
    deploy(eraser, row, std::span(out).subspan(i * x.d, x.d));
  }
  return out;
}

}  // namespace assay::erase
