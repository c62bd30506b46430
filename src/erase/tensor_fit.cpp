#include <algorithm>
#include <cmath>

#include "assay/erase/moment_files.hpp"
#include "assay/erase/tensor_claims.hpp"
#include "dominance.hpp"
#include "parallel.hpp"

namespace assay::erase {
namespace {

constexpr int kDefaultGridBits = 16;

/// Hook and widths are the same in every file.
void need_alike(const Tables& first, const Tables& other) {
  if (other.x.d != first.x.d || other.z.k != first.z.k) {
    throw InputError(other.x.file, "x and z",
                     "the widths of " + first.x.file + ", " + std::to_string(first.x.d) + " and " +
                         std::to_string(first.z.k),
                     std::to_string(other.x.d) + " and " + std::to_string(other.z.k));
  }
}

/// All files are of one model, where they name it.
void need_one_model(const ActivationTable& x, std::optional<Digest>& model) {
  if (x.model && model && *x.model != *model) {
    throw InputError(x.file, "__metadata__.model", model->hex() + " as in the rest of the fit",
                     x.model->hex());
  }
  model = x.model ? x.model : model;
}

std::string hook_of(const ActivationTable& x, const std::string& wanted) {
  if (x.hook && !wanted.empty() && *x.hook != wanted) {
    throw InputError(x.file, "__metadata__.hook", "'" + wanted + "' as in the rest of the fit",
                     "'" + *x.hook + "'");
  }
  return x.hook.value_or(wanted);
}

/// The labels to erase of every row, then those to keep: [n, k + kept].
std::vector<double> labels_of(const Tables& t, const std::optional<LabelTable>& keep) {
  if (!keep) {
    return t.z.z;
  }
  if (keep->n != t.x.n) {
    throw InputError(keep->file, "z", std::to_string(t.x.n) + " rows as in " + t.x.file,
                     std::to_string(keep->n));
  }
  std::vector<double> labels;
  for (std::size_t i = 0; i < t.x.n; ++i) {
    const double* z = t.z.z.data() + i * t.z.k;
    labels.insert(labels.end(), z, z + t.z.k);
    const double* y = keep->z.data() + i * keep->k;
    labels.insert(labels.end(), y, y + keep->k);
  }
  return labels;
}

/// Moments of all rows: the extent of the shards first, then their sums.
Moments moments_of(const std::vector<Tables>& shards, const std::optional<LabelTable>& keep) {
  const std::size_t labels = shards.front().z.k + (keep ? keep->k : 0);
  Extent x(shards.front().x.d), z(labels);
  for (const Tables& t : shards) {
    x.merge(t.x.extent);
    z.add(labels_of(t, keep), "z");
  }
  Moments moments(x, z);
  for (const Tables& t : shards) {
    const std::vector<double> all = labels_of(t, keep);
    moments.add(
        t.x.n, [&](std::size_t first, std::span<double> rows) { t.x.rows(first, rows); }, all);
  }
  return moments;
}

/// The finest grid on which the covariance of the deployed outputs is still shown definite: along the
/// erased directions, and along any that the rows themselves leave empty, the outputs vary by their
/// rounding alone, 1/12 of a step squared.
int grid_for_claims(const Moments& m, const Eraser& e) {
  std::vector<double> variances;
  for (std::size_t i = 0; i < e.d(); ++i) {
    variances.push_back(m.xx(i, i));
  }
  double largest = 0.0;  ///< variance beside which the rounding must still be seen
  for (std::size_t k = 0; k < e.rank; ++k) {
    double along = 0.0, squares = 0.0;
    for (std::size_t i = 0; i < e.d(); ++i) {
      const double r = e.proj_right[k * e.d() + i];
      along += r * r * variances[i];
      squares += r * r;
    }
    largest = std::max(largest, squares > 0 ? along / squares : 0.0);
  }
  std::nth_element(variances.begin(),
                   variances.begin() + static_cast<std::ptrdiff_t>(variances.size() / 2),
                   variances.end());
  largest = std::max(largest, variances[variances.size() / 2]);
  const double step = std::sqrt(12.0 * 8.0 * least_shown_eigenvalue(e.d() + m.labels()) * largest);
  const double bits = std::floor(-std::log2(step));
  return static_cast<int>(
      std::clamp(bits, static_cast<double>(kMinGridBits), static_cast<double>(kMaxGridBits)));
}

/// No entry of r(x) is larger than this where x is within the extent.
double largest_within(const Extent& extent, const Eraser& e) {
  std::vector<double> pushed(e.rank, 0.0);
  for (std::size_t k = 0; k < e.rank; ++k) {
    for (std::size_t j = 0; j < e.d(); ++j) {
      pushed[k] +=
          std::fabs(e.proj_right[k * e.d() + j]) *
          std::max(std::fabs(extent.lo[j] - e.bias[j]), std::fabs(extent.hi[j] - e.bias[j]));
    }
  }
  double largest = 0.0;
  for (std::size_t i = 0; i < e.d(); ++i) {
    double size = std::max(std::fabs(extent.lo[i]), std::fabs(extent.hi[i]));
    for (std::size_t k = 0; k < e.rank; ++k) {
      size += std::fabs(e.proj_left[i * e.rank + k]) * pushed[k];
    }
    largest = std::max(largest, size);
  }
  return largest;
}

bool extent_holds(const Extent& extent, const Eraser& eraser, int bits) {
  return std::ldexp(largest_within(extent, eraser), bits) < 0x1p22;
}

/// The finest grid of at most `finest` bits that holds the outputs of all rows: by the extent alone where
/// that says it, else by a pass over the rows.
int grid_that_holds(const std::vector<Tables>& tables, const Eraser& eraser, int finest) {
  Extent extent(eraser.d());
  for (const Tables& t : tables) {
    extent.merge(t.x.extent);
  }
  if (extent_holds(extent, eraser, finest)) {
    return choose_grid_bits(0.0, finest);
  }
  std::vector<double> largest(workers(), 0.0);
  for (const Tables& t : tables) {
    for_each_index((t.x.n + kTableBlock - 1) / kTableBlock, [&](std::size_t worker, std::size_t i) {
      const std::size_t first = i * kTableBlock;
      std::vector<double> rows(std::min(kTableBlock, t.x.n - first) * t.x.d);
      t.x.rows(first, rows);
      for (std::size_t at = 0; at < rows.size(); at += t.x.d) {
        largest[worker] =
            std::max(largest[worker], reach(eraser, std::span(rows).subspan(at, t.x.d)));
      }
    });
  }
  return choose_grid_bits(*std::max_element(largest.begin(), largest.end()), finest);
}

/// What fitting finds in moments of labels to erase and, after them, `kept` ones.
TensorFit fit_of(const Moments& moments, std::size_t kept, const TensorFitOptions& options,
                 EraserOrigin origin, const std::string& hook) {
  TensorFit out;
  out.origin = std::move(origin);
  out.origin.labelled = options.labelled;
  out.n = moments.n();
  out.k = moments.labels() - kept;
  out.base_rates.assign(moments.mean_z().begin(),
                        moments.mean_z().begin() + static_cast<std::ptrdiff_t>(out.k));
  out.fit = fit_eraser(moments, options.method, kept);
  out.fit.eraser.hook = hook.empty() ? kUnnamedHook : hook;
  return out;
}

int finest_of(const TensorFitOptions& options, const Moments& moments, const Eraser& eraser) {
  return options.grid_bits.value_or(std::min(kDefaultGridBits, grid_for_claims(moments, eraser)));
}

}  // namespace

TensorFit fit_tensors(const std::vector<Shard>& shards, const TensorFitOptions& options) {
  require(!shards.empty(), "fit_tensors: no rows");
  if ((options.method == Method::splince) != options.keep.has_value() ||
      (options.keep && shards.size() > 1)) {
    throw UsageError("splince, and no other method, needs labels to keep and one file of rows");
  }
  std::optional<LabelTable> keep;
  if (options.keep) {
    keep = read_labels(*options.keep, options.quantities);
  }
  EraserOrigin origin;
  std::vector<Tables> tables;
  std::string hook = options.hook;
  for (const Shard& shard : shards) {
    tables.push_back(read_tables(shard.activations, shard.labels, options.quantities));
    const Tables& t = tables.back();
    need_alike(tables.front(), t);
    hook = hook_of(t.x, hook);
    need_one_model(t.x, origin.rows_of_model);
    origin.activations.push_back(t.x.digest);
    origin.rows.push_back(t.x.rows_digest);
    if (t.apart) {
      origin.labels.push_back(t.z.digest);
    }
  }
  const Moments moments = moments_of(tables, keep);
  TensorFit out = fit_of(moments, keep ? keep->k : 0, options, std::move(origin), hook);
  Eraser& eraser = out.fit.eraser;
  eraser.grid_bits = grid_that_holds(tables, eraser, finest_of(options, moments, eraser));
  return out;
}

SavedExtent extent_of(const Tables& tables) {
  SavedExtent out{tables.x.extent, Extent(tables.z.k)};
  out.z.add(tables.z.z, "z");
  return out;
}

SavedMoments moments_within(const Tables& t, const SavedExtent& extent, const std::string& hook) {
  if (extent.x.lo.size() != t.x.d || extent.z.lo.size() != t.z.k) {
    throw InputError(t.x.file, "x and z", "the widths of the extent",
                     std::to_string(t.x.d) + " and " + std::to_string(t.z.k));
  }
  SavedMoments out{Moments(extent.x, extent.z), extent.x, extent.z, {}, hook_of(t.x, hook)};
  out.moments.add(
      t.x.n, [&](std::size_t first, std::span<double> rows) { t.x.rows(first, rows); }, t.z.z);
  out.origin.activations = {t.x.digest};
  out.origin.rows = {t.x.rows_digest};
  out.origin.rows_of_model = t.x.model;
  if (t.apart) {
    out.origin.labels = {t.z.digest};
  }
  return out;
}

TensorFit fit_moments(const SavedMoments& saved, const TensorFitOptions& options) {
  if (options.method == Method::splince || options.keep) {
    throw UsageError("erase fit: splince needs the rows, not their moments");
  }
  if (!saved.hook.empty() && !options.hook.empty() && saved.hook != options.hook) {
    throw UsageError("erase fit: the moments are of '" + saved.hook + "', not of '" + options.hook +
                     "'");
  }
  TensorFit out = fit_of(saved.moments, 0, options, saved.origin,
                         saved.hook.empty() ? options.hook : saved.hook);
  Eraser& eraser = out.fit.eraser;
  const int finest = finest_of(options, saved.moments, eraser);
  eraser.grid_bits = choose_grid_bits(
      extent_holds(saved.x, eraser, finest) ? 0.0 : largest_within(saved.x, eraser), finest);
  return out;
}

}  // namespace assay::erase
