#include <algorithm>
#include <cmath>

#include "assay/erase/tensor_claims.hpp"
#include "dominance.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kBlockRows = 512;
constexpr int kDefaultGridBits = 16;

/// Collects rows into blocks of one size, so that moments do not depend on where files end.
class Blocks {
 public:
  Blocks(std::size_t d, std::size_t k) : moments_(d, k), row_(d) {}

  void add(const ActivationTable& x, std::size_t i, std::span<const double> z) {
    x.row(i, row_);
    x_.insert(x_.end(), row_.begin(), row_.end());
    z_.insert(z_.end(), z.begin(), z.end());
    if (x_.size() == kBlockRows * row_.size()) {
      flush();
    }
  }
  Moments finish() {
    flush();
    return std::move(moments_);
  }

 private:
  void flush() {
    moments_.add_block(x_, z_);
    x_.clear();
    z_.clear();
  }

  Moments moments_;
  std::vector<double> x_, z_, row_;
};

/// The files of a fit, each read when its turn comes; a single one is read once.
class Source {
 public:
  Source(const std::vector<Shard>& shards, const TensorFitOptions& options)
      : shards_(shards), options_(options) {}

  /// Calls visit(tables) in order.
  template <class Visit>
  void each(Visit visit) {
    for (std::size_t s = 0; s < shards_.size(); ++s) {
      if (!tables_ || shards_.size() > 1) {
        tables_ = read_tables(shards_[s].activations, shards_[s].labels, options_.quantities);
      }
      visit(*tables_);
    }
  }

 private:
  const std::vector<Shard>& shards_;
  const TensorFitOptions& options_;
  std::optional<Tables> tables_;
};

/// Hook and widths are the same in every file.
void need_alike(const Tables& first, const Tables& other) {
  if (other.x.d != first.x.d || other.z.k != first.z.k) {
    throw InputError(other.x.file, "x and z",
                     "the widths of " + first.x.file + ", " + std::to_string(first.x.d) + " and " +
                         std::to_string(first.z.k),
                     std::to_string(other.x.d) + " and " + std::to_string(other.z.k));
  }
}

std::string hook_of(const ActivationTable& x, const std::string& wanted) {
  if (x.hook && !wanted.empty() && *x.hook != wanted) {
    throw InputError(x.file, "__metadata__.hook", "'" + wanted + "' as in the rest of the fit",
                     "'" + *x.hook + "'");
  }
  return x.hook.value_or(wanted);
}

/// Every row with its labels to erase, then those to keep.
void add_rows(const Tables& t, const std::optional<LabelTable>& keep, Blocks& blocks) {
  if (keep && keep->n != t.x.n) {
    throw InputError(keep->file, "z", std::to_string(t.x.n) + " rows as in " + t.x.file,
                     std::to_string(keep->n));
  }
  std::vector<double> labels;
  for (std::size_t i = 0; i < t.x.n; ++i) {
    const double* z = t.z.z.data() + i * t.z.k;
    labels.assign(z, z + t.z.k);
    if (keep) {
      const double* y = keep->z.data() + i * keep->k;
      labels.insert(labels.end(), y, y + keep->k);
    }
    blocks.add(t.x, i, labels);
  }
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
  TensorFit out;
  Source source(shards, options);
  std::optional<Blocks> blocks;
  std::optional<Tables> shape;  ///< of the first file; no rows
  std::string hook = options.hook;
  source.each([&](const Tables& t) {
    if (!shape) {
      shape = Tables{{t.x.file, 0, t.x.d, {}, {}, {}, {}}, {t.z.file, 0, t.z.k, {}, {}}, t.apart};
      blocks.emplace(t.x.d, t.z.k + (keep ? keep->k : 0));
    }
    need_alike(*shape, t);
    hook = hook_of(t.x, hook);
    add_rows(t, keep, *blocks);
    out.origin.activations.push_back(t.x.digest);
    if (t.apart) {
      out.origin.labels.push_back(t.z.digest);
    }
  });
  const Moments moments = blocks->finish();
  out.n = moments.n();
  out.k = shape->z.k;
  out.base_rates.assign(moments.mean_z().begin(),
                        moments.mean_z().begin() + static_cast<std::ptrdiff_t>(out.k));
  out.fit = fit_eraser(moments, options.method, keep ? keep->k : 0);
  Eraser& eraser = out.fit.eraser;
  eraser.hook = hook.empty() ? kUnnamedHook : hook;
  out.origin.labelled = options.labelled;
  double largest = 0.0;
  std::vector<double> row(eraser.d());
  source.each([&](const Tables& t) {
    for (std::size_t i = 0; i < t.x.n; ++i) {
      t.x.row(i, row);
      largest = std::max(largest, reach(eraser, row));
    }
  });
  const int finest =
      options.grid_bits.value_or(std::min(kDefaultGridBits, grid_for_claims(moments, eraser)));
  eraser.grid_bits = choose_grid_bits(largest, finest);
  return out;
}

}  // namespace assay::erase
