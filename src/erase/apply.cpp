#include "assay/erase/apply.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/sha256.hpp"
#include "assay/base/text.hpp"
#include "parallel.hpp"

namespace assay::erase {
namespace {

/// Deployed rows on their way to a file of float32.
class OutputFile {
 public:
  OutputFile(const std::filesystem::path& out, std::size_t n, std::size_t d, int grid_bits,
             std::vector<std::size_t> dropped)
      : file_(out), n_(n), d_(d), step_(std::ldexp(1.0, -grid_bits)) {
    applied_.dropped = std::move(dropped);
    for (std::size_t i = 0; i < d; ++i) {
      if (!std::binary_search(applied_.dropped.begin(), applied_.dropped.end(), i)) {
        kept_.push_back(i);
      }
    }
  }

  void begin(std::map<std::string, std::string> metadata) {
    for (const std::size_t i : applied_.dropped) {
      metadata["dropped"] += (metadata["dropped"].empty() ? "" : ",") + std::to_string(i);
    }
    put(float_header("x", {n_, kept_.size()}, metadata));
  }

  /// Rows x [count,d] and what became of them, made ready for write().
  std::vector<float> take(std::span<const double> x, std::span<const std::int32_t> grid) {
    std::vector<float> values(x.size());
    constexpr std::size_t kLanes = 8;  // sums of their own: none waits for the one before
    double largest[kLanes] = {}, squares[kLanes] = {};
    const auto one = [&](std::size_t i, std::size_t lane) {
      const double value = static_cast<double>(grid[i]) * step_;
      values[i] = static_cast<float>(value);  // exact: |Y| < 2^24
      const double change = std::fabs(value - x[i]);
      largest[lane] = change > largest[lane] ? change : largest[lane];
      squares[lane] += change * change;
    };
    std::size_t i = 0;
    for (; i + kLanes <= x.size(); i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        one(i + lane, lane);
      }
    }
    for (; i < x.size(); ++i) {
      one(i, 0);
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      applied_.largest_change = std::max(applied_.largest_change, largest[lane]);
      applied_.mean_square_change += squares[lane] / static_cast<double>(n_);
    }
    if (!applied_.dropped.empty()) {
      std::size_t to = 0;
      for (std::size_t at = 0; at < x.size(); at += d_) {
        for (const std::size_t j : kept_) {
          values[to++] = values[at + j];
        }
      }
      values.resize(to);
    }
    return values;
  }

  void write(const std::vector<float>& values) {
    put({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  }

  Applied finish() {
    file_.commit();
    applied_.digest = hash_.finish();
    return applied_;
  }

 private:
  void put(std::string_view bytes) {
    hash_.update(bytes);
    file_.write(bytes);
  }

  AtomicFile file_;
  Sha256 hash_;
  std::size_t n_, d_;
  double step_;
  std::vector<std::size_t> kept_;
  Applied applied_;
};

}  // namespace

std::vector<std::size_t> bottleneck_coordinates(const Eraser& e) {
  std::vector<double> r = e.proj_right;
  std::vector<bool> done(e.rank, false);
  std::vector<std::size_t> out;
  for (std::size_t step = 0; step < e.rank; ++step) {
    std::size_t row = 0, column = 0;
    double largest = 0.0;
    for (std::size_t k = 0; k < e.rank; ++k) {
      for (std::size_t j = 0; !done[k] && j < e.d(); ++j) {
        if (std::fabs(r[k * e.d() + j]) > largest) {
          largest = std::fabs(r[k * e.d() + j]);
          row = k;
          column = j;
        }
      }
    }
    if (!(largest > 0)) {
      throw Refusal("the eraser's directions depend on each other");
    }
    done[row] = true;
    out.push_back(column);
    for (std::size_t k = 0; k < e.rank; ++k) {
      const double factor = done[k] ? 0.0 : r[k * e.d() + column] / r[row * e.d() + column];
      for (std::size_t j = 0; !done[k] && j < e.d(); ++j) {
        r[k * e.d() + j] -= factor * r[row * e.d() + j];
      }
      r[k * e.d() + column] = done[k] ? r[k * e.d() + column] : 0.0;
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

Applied apply_table(const LoadedEraser& loaded, const ActivationTable& x,
                    const std::filesystem::path& out, bool bottleneck) {
  const Eraser& e = loaded.eraser;
  check_site(e, x);
  if (x.model && loaded.origin.rows_of_model && *x.model != *loaded.origin.rows_of_model) {
    throw InputError(x.file, "__metadata__.model",
                     loaded.origin.rows_of_model->hex() + ", which the eraser was fitted on",
                     x.model->hex());
  }
  OutputFile file(out, x.n, x.d, e.grid_bits,
                  bottleneck ? bottleneck_coordinates(e) : std::vector<std::size_t>{});
  file.begin({{"hook", e.hook},
              {"eraser", loaded.weights.hex()},
              {"activations", x.digest.hex()},
              {"gridBits", std::to_string(e.grid_bits)}});
  // While one core hashes and writes a block, another erases the next.
  const std::size_t blocks = (x.n + kTableBlock - 1) / kTableBlock;
  std::vector<float> ready, next;
  std::vector<double> rows;
  std::vector<std::int32_t> grid;
  const auto erase_block = [&](std::size_t block) {
    const std::size_t first = block * kTableBlock, count = std::min(kTableBlock, x.n - first);
    rows.resize(count * x.d);
    grid.resize(rows.size());
    x.rows(first, rows);
    try {
      deploy_block(e, rows, grid);
    } catch (const Refusal&) {
      x.need_finite(first, rows);
      throw;
    }
    next = file.take(rows, grid);
  };
  for (std::size_t block = 0; block <= blocks; ++block) {
    for_each_index(2, [&](std::size_t, std::size_t task) {
      if (task == 0 && block < blocks) {
        erase_block(block);
      } else if (task == 1 && block > 0) {
        file.write(ready);
      }
    });
    std::swap(ready, next);
  }
  return file.finish();
}

Applied apply_labelled(const LabelledEraser& e, const Tables& tables,
                       const std::filesystem::path& out) {
  const std::vector<std::int32_t> grid = deploy_labelled(e, tables);
  OutputFile file(out, tables.x.n, tables.x.d, e.grid_bits, {});
  file.begin({{"hook", e.hook},
              {"activations", tables.x.digest.hex()},
              {"gridBits", std::to_string(e.grid_bits)}});
  tables.x.each_block([&](std::size_t first, std::span<const double> rows) {
    file.write(file.take(rows, std::span(grid).subspan(first * tables.x.d, rows.size())));
  });
  return file.finish();
}

}  // namespace assay::erase
