#include "assay/erase/tables.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/sha256.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/documents.hpp"
#include "parallel.hpp"
#include "rows_digest.hpp"

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

/// A file with its header, checked.
struct Opened {
  std::shared_ptr<const ReadableFile> file;
  SafetensorsIndex index;
};

Opened opened(std::shared_ptr<const ReadableFile> source) {
  Opened out{std::move(source), {}};
  const std::string& name = out.file->name();
  std::string head(std::min<std::size_t>(8, out.file->size()), '\0');
  out.file->read(0, head);
  head.resize(header_end(head, out.file->size(), name));
  out.file->read(0, head);
  out.index = index_safetensors(head, out.file->size(), name);
  return out;
}

Opened open_table(const std::filesystem::path& path) {
  return opened(std::make_shared<const ReadableFile>(path));
}

void check_names(const SafetensorsIndex& index, const std::string& path, bool x, bool z) {
  for (const TensorSpan& tensor : index.tensors) {
    if (!(x && tensor.name == "x") && !(z && tensor.name == "z") && tensor.name != "document" &&
        tensor.name != "symbol") {
      throw InputError(path, "tensors",
                       x && z ? "x, z and perhaps document and symbol"
                       : x    ? "x and perhaps document and symbol"
                              : "z and perhaps document",
                       "'" + visible(tensor.name) + "' too");
    }
  }
}

/// One tensor, decoded.
SafetensorsFile take_tensor(const Opened& opened, const TensorSpan& tensor) {
  std::string bytes(tensor.end - tensor.begin, '\0');
  opened.file->read(opened.index.buffer + tensor.begin, bytes);
  SafetensorsFile out;
  decode_tensor(tensor, bytes.data(), opened.file->name(), NonFinite::reject, out);
  return out;
}

/// One pass over the file: its digest and, where asked for, the extent and the digest of the rows of x, all
/// of whose numbers are finite. While one core hashes, another reads the numbers.
void survey(ActivationTable& table, bool extent) {
  const ReadableFile& file = *table.source;
  Sha256 hash;
  std::string bytes;
  const auto pass_all = [&](std::size_t begin, std::size_t end) {
    constexpr std::size_t kPiece = std::size_t{1} << 20U;
    for (std::size_t at = begin; at < end; at += kPiece) {
      bytes.resize(std::min(kPiece, end - at));
      file.read(at, bytes);
      hash.update(bytes);
    }
  };
  const std::size_t row_bytes = (table.span.end - table.span.begin) / table.n;
  std::vector<double> values;
  RowsDigest rows;
  pass_all(0, extent ? table.offset : file.size());
  for (std::size_t first = 0; extent && first < table.n; first += kTableBlock) {
    const std::size_t count = std::min(kTableBlock, table.n - first);
    bytes.resize(count * row_bytes);
    file.read(table.offset + first * row_bytes, bytes);
    for_each_index(2, [&](std::size_t, std::size_t task) {
      if (task == 0) {
        hash.update(bytes);
        return;
      }
      values.resize(count * table.d);
      decode_doubles(table.span.dtype, bytes.data(), values);
      try {
        table.extent.add(values, "x");
      } catch (const InputError&) {
        table.need_finite(first, values);
      }
      rows.add(values, table.d);
    });
  }
  if (extent) {
    pass_all(table.offset + table.n * row_bytes, file.size());
    table.rows_digest = rows.finish();
  }
  table.digest = hash.finish();
}

ActivationTable take_activations(const Opened& opened, bool extent = true) {
  ActivationTable out;
  const std::string& path = out.file = opened.file->name();
  const TensorSpan* x = opened.index.find("x");
  if (x == nullptr || !is_floating(x->dtype)) {
    throw InputError(path, "x", "a tensor of F16, BF16, F32 or F64",
                     x == nullptr ? "none" : "integers");
  }
  const std::vector<std::size_t>& shape = x->shape;
  if (shape.size() != 2 || shape[0] == 0 || shape[1] == 0 || shape[1] > kMaxTableWidth) {
    throw InputError(path, "x", "the shape [n,d], d at most " + std::to_string(kMaxTableWidth),
                     shape_text(shape));
  }
  out.n = shape[0];
  out.d = shape[1];
  if (const auto hook = opened.index.metadata.find("hook"); hook != opened.index.metadata.end()) {
    if (!is_hook_word(hook->second)) {
      throw InputError(path, "__metadata__.hook", "letters, digits, dots and underscores",
                       "'" + visible(hook->second.substr(0, 100)) + "'");
    }
    out.hook = hook->second;
  }
  if (const auto model = opened.index.metadata.find("model");
      model != opened.index.metadata.end()) {
    out.model = parse_digest(model->second);
  }
  out.source = opened.file;
  out.span = *x;
  out.offset = opened.index.buffer + x->begin;
  out.extent = Extent(out.d);
  survey(out, extent);
  return out;
}

LabelTable take_labels(const Opened& opened, bool quantities) {
  LabelTable out;
  const std::string& path = out.file = opened.file->name();
  const TensorSpan* tensor = opened.index.find("z");
  if (tensor == nullptr) {
    throw InputError(path, "z", "a tensor of labels", "none");
  }
  const SafetensorsFile file = take_tensor(opened, *tensor);
  const std::vector<std::size_t>& shape = tensor->shape;
  if (const auto it = file.integers.find("z"); it != file.integers.end()) {
    out.z.assign(it->second.begin(), it->second.end());
  } else if (const auto narrow = file.floats.find("z"); narrow != file.floats.end()) {
    out.z.assign(narrow->second.data.begin(), narrow->second.data.end());
  } else {
    out.z = file.doubles.at("z");
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

}  // namespace

void ActivationTable::rows(std::size_t first, std::span<double> out) const {
  require(first * d + out.size() <= n * d, "ActivationTable::rows: outside the table");
  const std::size_t each = (span.end - span.begin) / (n * d);
  thread_local std::string bytes;
  bytes.resize(out.size() * each);
  source->read(offset + first * d * each, bytes);
  decode_doubles(span.dtype, bytes.data(), out);
}

void ActivationTable::need_finite(std::size_t first, std::span<const double> values) const {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw InputError(file + ": tensor 'x'", "element " + std::to_string(first * d + i),
                       "a finite number", std::isnan(values[i]) ? "NaN" : "an infinity");
    }
  }
}

void ActivationTable::row(std::size_t i, std::span<double> out) const {
  require(i < n && out.size() == d, "ActivationTable::row: outside the table");
  rows(i, out);
}

void check_hook_word(const std::string& hook) {
  if (!is_hook_word(hook)) {
    throw UsageError("hook: expected letters, digits, dots and underscores, found '" +
                     visible(hook.substr(0, 100)) + "'");
  }
}

std::optional<std::vector<std::int64_t>> read_documents(const ActivationTable& x) {
  return read_row_integers(x, "document");
}

std::optional<std::vector<std::int64_t>> read_row_integers(const ActivationTable& x,
                                                           const std::string& name) {
  const Opened again = opened(x.source);
  const TensorSpan* tensor = again.index.find(name);
  if (tensor == nullptr) {
    return std::nullopt;
  }
  SafetensorsFile file = take_tensor(again, *tensor);
  if (!file.integers.contains(name) || tensor->shape != std::vector{x.n}) {
    throw InputError(x.file, name, std::to_string(x.n) + " integers",
                     "another type or shape " + shape_text(tensor->shape));
  }
  return std::move(file.integers[name]);
}

ActivationTable read_activations(const std::filesystem::path& path) {
  const Opened opened = open_table(path);
  check_names(opened.index, path.string(), true, true);  // labels beside them are not asked for
  return take_activations(opened);
}

ActivationTable read_activations_unseen(const std::filesystem::path& path) {
  const Opened opened = open_table(path);
  check_names(opened.index, path.string(), true, true);
  return take_activations(opened, false);
}

LabelTable read_labels(const std::filesystem::path& path, bool quantities) {
  const Opened opened = open_table(path);
  check_names(opened.index, path.string(), false, true);
  LabelTable out = take_labels(opened, quantities);
  out.digest = sha256_file(path);
  return out;
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
  const Opened opened = open_table(activations);
  check_names(opened.index, activations.string(), true, !out.apart);
  out.z = out.apart ? read_labels(*labels, quantities) : take_labels(opened, quantities);
  out.x = take_activations(opened);
  if (!out.apart) {
    out.z.digest = out.x.digest;
  }
  out.document = read_documents(out.x).value_or(std::vector<std::int64_t>{});
  out.symbol = read_row_integers(out.x, "symbol").value_or(std::vector<std::int64_t>{});
  if (out.z.n != out.x.n) {
    throw InputError(out.z.file, "z", std::to_string(out.x.n) + " rows as in " + out.x.file,
                     std::to_string(out.z.n));
  }
  return out;
}

void check_site(const Eraser& eraser, const ActivationTable& x) {
  if (x.hook && *x.hook != eraser.hook) {
    throw InputError(x.file, "__metadata__.hook",
                     "'" + eraser.hook + "', where the eraser was fitted", "'" + *x.hook + "'");
  }
  if (x.d != eraser.d()) {
    throw InputError(x.file, "x", "rows of the eraser's width " + std::to_string(eraser.d()),
                     std::to_string(x.d));
  }
}

std::vector<std::int32_t> deploy_table(const Eraser& eraser, const ActivationTable& x) {
  check_site(eraser, x);
  std::vector<std::int32_t> out(x.n * x.d);
  x.each_block([&](std::size_t first, std::span<const double> rows) {
    deploy_block(eraser, rows, std::span(out).subspan(first * x.d, rows.size()));
  });
  return out;
}

}  // namespace assay::erase
