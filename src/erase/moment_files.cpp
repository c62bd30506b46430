#include "assay/erase/moment_files.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/text.hpp"
#include "assay/model/safetensors.hpp"
#include "moment_sums.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kMostRows = std::size_t{1} << 30U;
constexpr const char* kMoments = "assay-moments";
constexpr const char* kExtent = "assay-extent";

/// Integers of 128 bits as two of 64: lower halves, then upper halves.
void put(SafetensorsFile& file, const std::string& name, const std::vector<Wide>& values) {
  std::vector<std::int64_t>& out = file.integers[name];
  for (const Wide v : values) {
    out.push_back(static_cast<std::int64_t>(v));
  }
  for (const Wide v : values) {
    out.push_back(static_cast<std::int64_t>(v >> 64));
  }
  file.integer_shapes[name] = {2, values.size()};
}

std::vector<std::int64_t> take_integers(const SafetensorsFile& file, const std::string& path,
                                        const std::string& name, std::size_t count) {
  const auto found = file.integers.find(name);
  if (found == file.integers.end() || found->second.size() != count) {
    throw InputError(path, name, std::to_string(count) + " integers", "none, or others");
  }
  return found->second;
}

/// Those of rows whose integers are at most `each` in size: nothing else fits the arithmetic.
std::vector<Wide> take_wide(const SafetensorsFile& file, const std::string& path,
                            const std::string& name, std::size_t count, Wide most) {
  const std::vector<std::int64_t> halves = take_integers(file, path, name, 2 * count);
  std::vector<Wide> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = static_cast<Wide>(halves[count + i]) * (Wide{1} << 64) +
             static_cast<Wide>(static_cast<std::uint64_t>(halves[i]));
    if (out[i] > most || out[i] < -most) {
      throw InputError(path, name, "sums that so many rows within the extent can have", "larger");
    }
  }
  return out;
}

std::vector<double> take_doubles(const SafetensorsFile& file, const std::string& path,
                                 const std::string& name, std::size_t count) {
  const auto found = file.doubles.find(name);
  if (found == file.doubles.end() || found->second.empty() ||
      (count > 0 && found->second.size() != count)) {
    throw InputError(path, name, "an F64 tensor of one number a column", "none, or another width");
  }
  return found->second;
}

void put_extent(SafetensorsFile& file, const std::string& name, const Extent& extent) {
  file.doubles[name + "_lo"] = extent.lo;
  file.doubles[name + "_hi"] = extent.hi;
  file.double_shapes[name + "_lo"] = file.double_shapes[name + "_hi"] = {extent.lo.size()};
}

Extent take_extent(const SafetensorsFile& file, const std::string& path, const std::string& name,
                   std::size_t most) {
  Extent out(0);
  out.lo = take_doubles(file, path, name + "_lo", 0);
  out.hi = take_doubles(file, path, name + "_hi", out.lo.size());
  for (std::size_t j = 0; j < out.lo.size(); ++j) {
    if (!(out.lo[j] <= out.hi[j])) {
      throw InputError(path, name + "_lo", "at most " + name + "_hi", decimal(out.lo[j]));
    }
  }
  if (out.lo.size() > most) {
    throw InputError(path, name + "_lo", "at most " + std::to_string(most) + " columns",
                     std::to_string(out.lo.size()));
  }
  return out;
}

void need_kind(const SafetensorsFile& file, const std::string& path, const char* kind) {
  const auto found = file.metadata.find(kind);
  if (found == file.metadata.end() || found->second != "1") {
    throw InputError(path, std::string("__metadata__.") + kind, "1", "none, or another");
  }
}

std::string joined(const std::vector<Digest>& digests) {
  std::string out;
  for (const Digest& digest : digests) {
    out += (out.empty() ? "" : " ") + digest.hex();
  }
  return out;
}

std::vector<Digest> digests_of(const SafetensorsFile& file, const std::string& key) {
  std::vector<Digest> out;
  const auto found = file.metadata.find(key);
  const std::string text = found == file.metadata.end() ? "" : found->second;
  for (std::size_t at = 0; at < text.size(); at += 65) {
    out.push_back(parse_digest(std::string_view(text).substr(at, 64)));
  }
  return out;
}

}  // namespace

/// What moments hold, as tensors: products in the order of (row, column <= row).
struct MomentTensors {
  static void put(SafetensorsFile& file, const Moments& m) {
    const Moments::Sums& s = *m.sums_;
    std::vector<Wide> products;
    for (std::size_t i = 0; i < m.d(); ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        products.push_back(s.products.at(i, j));
      }
    }
    erase::put(file, "products", products);
    erase::put(file, "coarse", s.coarse);
    erase::put(file, "fine", s.fine);
    erase::put(file, "cross", s.cross);
    erase::put(file, "labels", s.z);
    erase::put(file, "label_products", s.zz);
    std::vector<std::int64_t> counts = {static_cast<std::int64_t>(m.n_)};
    counts.insert(counts.end(), m.nonzero_.begin(), m.nonzero_.end());
    file.integer_shapes["counts"] = {counts.size()};
    file.integers["counts"] = std::move(counts);
  }

  static Moments take(const SafetensorsFile& file, const std::string& path, const Extent& x,
                      const Extent& z) {
    const std::size_t d = x.lo.size(), k = z.lo.size();
    const std::vector<std::int64_t> counts = take_integers(file, path, "counts", 1 + k);
    if (counts[0] <= 0 || counts[0] > static_cast<std::int64_t>(kMostRows)) {
      throw InputError(path, "counts", "1 to 2^30 rows", std::to_string(counts[0]));
    }
    Moments out(x, z);
    out.n_ = static_cast<std::size_t>(counts[0]);
    for (std::size_t c = 0; c < k; ++c) {
      if (counts[1 + c] < 0 || counts[1 + c] > counts[0]) {
        throw InputError(path, "counts", "labels of at most all rows", "others");
      }
      out.nonzero_[c] = static_cast<std::size_t>(counts[1 + c]);
    }
    const Wide n = counts[0], coarse = n << kCoarseBits, fine = coarse << kFineBits,
               label = n << kLabelBits;
    Moments::Sums& s = *out.sums_;
    const std::vector<Wide> products =
        take_wide(file, path, "products", d * (d + 1) / 2, coarse << kCoarseBits);
    for (std::size_t i = 0, at = 0; i < d; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        s.products.put(i, j, products[at++]);
      }
    }
    s.coarse = take_wide(file, path, "coarse", d, coarse);
    s.fine = take_wide(file, path, "fine", d, fine);
    s.cross = take_wide(file, path, "cross", d * k, fine << kLabelBits);
    s.z = take_wide(file, path, "labels", k, label);
    s.zz = take_wide(file, path, "label_products", k * k, label << kLabelBits);
    out.update_means();
    return out;
  }
};

std::string extent_tensors(const SavedExtent& extent) {
  SafetensorsFile file;
  put_extent(file, "x", extent.x);
  put_extent(file, "z", extent.z);
  file.metadata[kExtent] = "1";
  return to_safetensors(file);
}

SavedExtent load_extent(const std::filesystem::path& path) {
  const std::string name = path.string();
  const SafetensorsFile file = read_safetensors(path);
  need_kind(file, name, kExtent);
  return {take_extent(file, name, "x", kMaxTableWidth),
          take_extent(file, name, "z", kMaxTableLabels)};
}

std::string moments_tensors(const SavedMoments& saved) {
  SafetensorsFile file;
  put_extent(file, "x", saved.x);
  put_extent(file, "z", saved.z);
  MomentTensors::put(file, saved.moments);
  file.metadata = {{kMoments, "1"},
                   {"fitActivations", joined(saved.origin.activations)},
                   {"fitLabels", joined(saved.origin.labels)},
                   {"fitRows", joined(saved.origin.rows)},
                   {"hook", saved.hook}};
  if (saved.origin.rows_of_model) {
    file.metadata["model"] = saved.origin.rows_of_model->hex();
  }
  return to_safetensors(file);
}

SavedMoments load_moments(const std::filesystem::path& path) {
  const std::string name = path.string();
  const SafetensorsFile file = read_safetensors(path);
  need_kind(file, name, kMoments);
  const Extent x = take_extent(file, name, "x", kMaxTableWidth),
               z = take_extent(file, name, "z", kMaxTableLabels);
  SavedMoments out{MomentTensors::take(file, name, x, z), x, z, {}, {}};
  out.origin.activations = digests_of(file, "fitActivations");
  out.origin.labels = digests_of(file, "fitLabels");
  out.origin.rows = digests_of(file, "fitRows");
  if (const auto model = file.metadata.find("model"); model != file.metadata.end()) {
    out.origin.rows_of_model = parse_digest(model->second);
  }
  if (const auto hook = file.metadata.find("hook");
      hook != file.metadata.end() && !hook->second.empty()) {
    check_hook_word(hook->second);
    out.hook = hook->second;
  }
  return out;
}

void merge_moments(SavedMoments& into, const SavedMoments& other, const std::string& file) {
  if (into.x.lo != other.x.lo || into.x.hi != other.x.hi || into.z.lo != other.z.lo ||
      into.z.hi != other.z.hi) {
    throw InputError(file, "x_lo, x_hi, z_lo and z_hi",
                     "the extent of the other moments: one of all rows, given to every part",
                     "another");
  }
  if (!into.hook.empty() && !other.hook.empty() && into.hook != other.hook) {
    throw InputError(file, "__metadata__.hook", "'" + into.hook + "'", "'" + other.hook + "'");
  }
  EraserOrigin& origin = into.origin;
  if (origin.rows_of_model && other.origin.rows_of_model &&
      *origin.rows_of_model != *other.origin.rows_of_model) {
    throw InputError(file, "__metadata__.model", origin.rows_of_model->hex(),
                     other.origin.rows_of_model->hex());
  }
  for (const Digest& rows : other.origin.rows) {
    if (std::find(origin.rows.begin(), origin.rows.end(), rows) != origin.rows.end()) {
      throw InputError(file, "fitRows", "rows that the other moments do not hold yet",
                       "the same rows again");
    }
  }
  into.moments.merge(other.moments);
  into.hook = into.hook.empty() ? other.hook : into.hook;
  origin.rows_of_model = origin.rows_of_model ? origin.rows_of_model : other.origin.rows_of_model;
  const auto append = [](std::vector<Digest>& to, const std::vector<Digest>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(origin.activations, other.origin.activations);
  append(origin.labels, other.origin.labels);
  append(origin.rows, other.origin.rows);
}

}  // namespace assay::erase
