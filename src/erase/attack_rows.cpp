#include "assay/erase/attack_rows.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/random.hpp"
#include "assay/erase/documents.hpp"
#include "assay/erase/eraser_file.hpp"
#include "assay/erase/labelled_eraser.hpp"

namespace assay::erase {
namespace {

std::vector<std::size_t> rows_to_attack(std::size_t n, const AttackFiles& files) {
  std::vector<std::size_t> rows(n);
  for (std::size_t i = 0; i < n; ++i) {
    rows[i] = i;
  }
  if (rows.size() <= files.most_rows) {
    return rows;
  }
  std::vector<std::pair<std::uint64_t, std::size_t>> ranked;
  for (const std::size_t i : rows) {
    ranked.emplace_back(Random(files.seed ^ (i * 0xbf58476d1ce4e5b9ULL)).next(), i);
  }
  std::sort(ranked.begin(), ranked.end());
  rows.clear();
  for (std::size_t i = 0; i < files.most_rows; ++i) {
    rows.push_back(ranked[i].second);
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// Deployed bits of one row.
class Deployed {
 public:
  explicit Deployed(const std::filesystem::path& directory) {
    kind = kind_of_eraser(directory);
    if (is_labelled_method(kind)) {
      labelled_ = load_labelled(directory);
      hook = labelled_->hook;
      grid_bits_ = labelled_->grid_bits;
      width = labelled_->d;
      labels = labelled_->k;
      origin = labelled_->origin;
    } else {
      plain_ = load_eraser(directory);
      hook = plain_->eraser.hook;
      grid_bits_ = plain_->eraser.grid_bits;
      width = plain_->eraser.d();
      origin = plain_->origin;
    }
  }
  void row(std::span<const double> x, std::span<const double> z, std::span<double> y) const {
    if (labelled_) {
      erase_row(*labelled_, x, z, y);
      for (double& v : y) {
        v = std::ldexp(std::nearbyint(std::ldexp(v, grid_bits_)), -grid_bits_);
      }
      return;
    }
    std::vector<std::int32_t> grid(x.size());
    deploy(plain_->eraser, x, grid);
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i] = std::ldexp(static_cast<double>(grid[i]), -grid_bits_);
    }
  }

  std::string kind, hook;
  std::size_t width = 0, labels = 0;
  EraserOrigin origin;

 private:
  std::optional<LabelledEraser> labelled_;
  std::optional<LoadedEraser> plain_;
  int grid_bits_ = 0;
};

}  // namespace

LoadedAttack load_attack(const AttackFiles& files) {
  const Deployed eraser(files.eraser);
  const Tables tables = read_tables(files.activations, files.labels);
  const ActivationTable& x = tables.x;
  if (x.d != eraser.width || (x.hook && *x.hook != eraser.hook) ||
      (eraser.labels > 0 && eraser.labels != tables.z.k)) {
    throw InputError(x.file, "x",
                     "rows of width " + std::to_string(eraser.width) + " at '" + eraser.hook +
                         "', where the eraser was fitted",
                     std::to_string(x.d) + " at '" + x.hook.value_or("") + "'");
  }
  if (!tables.z.zero_one) {
    throw Refusal(tables.z.file + ": the battery's probes tell labels of 0 and 1 apart");
  }
  if (files.label >= tables.z.k) {
    throw UsageError("erase attack: expected a label column below " + std::to_string(tables.z.k) +
                     ", found " + std::to_string(files.label));
  }
  const std::optional<std::vector<std::int64_t>> documents = read_documents(x);
  LoadedAttack out;
  out.hook = eraser.hook;
  out.method = eraser.kind;
  out.activations = x.digest;
  out.file_rows = x.n;
  out.rows_of_the_fit = is_of_fit(eraser.origin, x.digest, x.rows_digest);
  const std::vector<std::size_t> which = rows_to_attack(x.n, files);
  out.rows.before = {which.size(), x.d, std::vector<double>(which.size() * x.d)};
  out.rows.after = out.rows.before;
  for (std::size_t r = 0; r < which.size(); ++r) {
    const std::size_t i = which[r];
    const auto before = std::span(out.rows.before.data).subspan(r * x.d, x.d);
    const auto z = std::span(tables.z.z).subspan(i * tables.z.k, tables.z.k);
    x.row(i, before);
    eraser.row(before, z, std::span(out.rows.after.data).subspan(r * x.d, x.d));
    out.rows.z.push_back(z[files.label] == 1.0 ? 1 : 0);
    if (documents) {
      out.rows.document.push_back((*documents)[i]);
    }
  }
  return out;
}

}  // namespace assay::erase
