#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/base/file_pieces.hpp"
#include "assay/erase/leace.hpp"
#include "assay/erase/moments.hpp"
#include "assay/erase/residual.hpp"
#include "assay/model/safetensors_index.hpp"

namespace assay::erase {

inline constexpr std::size_t kMaxTableWidth = 4096;
inline constexpr std::size_t kMaxTableLabels = 64;
inline constexpr std::size_t kTableBlock = 512;

/// Rows of one site: the tensor `x` [n,d] of a file, F16, BF16, F32 or F64. They stay in the file, which is
/// read once as a whole (digest, extent, finite numbers) and then block by block.
struct ActivationTable {
  std::string file;
  std::size_t n = 0, d = 0;
  Digest digest;                    ///< of the file
  Digest rows_digest;               ///< of the rows of x, whatever their order and number format
  std::optional<std::string> hook;  ///< the file's metadata `hook`
  std::optional<Digest> model;      ///< its metadata `model`: model.safetensors the rows came from
  Extent extent{0};                 ///< of the columns of x
  std::shared_ptr<const ReadableFile> source;
  TensorSpan span;         ///< x
  std::size_t offset = 0;  ///< of x in the file

  void row(std::size_t i, std::span<double> out) const;
  /// Throws InputError when a number of these rows, the first of them row `first`, is not finite.
  void need_finite(std::size_t first, std::span<const double> values) const;
  /// Rows `first` … of as many as `out` holds.
  void rows(std::size_t first, std::span<double> out) const;
  /// Calls visit(first, rows [count,d]) for all rows in order, some hundreds at a time.
  template <class Visit>
  void each_block(Visit visit) const {
    std::vector<double> block;
    for (std::size_t first = 0; first < n; first += kTableBlock) {
      block.resize(std::min(kTableBlock, n - first) * d);
      rows(first, block);
      visit(first, std::span<const double>(block));
    }
  }
};

/// The tensor `z` [n] or [n,k] of a file.
struct LabelTable {
  std::string file;
  std::size_t n = 0, k = 1;
  Digest digest;
  std::vector<double> z;
  bool zero_one = true;  ///< every value is 0 or 1
};

struct Tables {
  ActivationTable x;
  LabelTable z;
  bool apart = false;                       ///< labels in a file of their own
  std::vector<std::int64_t> document = {};  ///< of each row; empty where the file of x has none
  std::vector<std::int64_t> symbol = {};    ///< the same: what a finite interface shows of each row
};

/// Throws InputError, naming file and tensor: another shape, no rows, a width or number of labels over
/// the limits, a number that is not finite, tensors beside x, z and `document`, or a hook that is not a
/// name of letters, digits, dots and underscores.
[[nodiscard]] ActivationTable read_activations(const std::filesystem::path& path);
/// The same without looking at the numbers of x: no extent, and need_finite is the caller's duty.
[[nodiscard]] ActivationTable read_activations_unseen(const std::filesystem::path& path);

/// Labels of whole numbers other than 0 and 1 are refused unless they are said to be quantities: classes
/// numbered 0, 1, 2 are no scale, and an eraser of their covariance leaves them apart. One-hot columns
/// [n,k] say what is meant.
[[nodiscard]] LabelTable read_labels(const std::filesystem::path& path, bool quantities = false);

/// Both; from one file where `labels` is none. Throws InputError when their rows differ.
[[nodiscard]] Tables read_tables(const std::filesystem::path& activations,
                                 const std::optional<std::filesystem::path>& labels,
                                 bool quantities = false);

/// Probes fixed before the rows are seen: 1 iff bias + <weights, deployed output> > 0.
struct RegisteredProbes {
  std::vector<double> weights, bias;  ///< [m,d], [m]
  Digest digest;                      ///< of the file
};
/// Tensors F64 `weights` [m,d] and `bias` [m], no others. Throws InputError.
[[nodiscard]] RegisteredProbes read_probes(const std::filesystem::path& path, std::size_t d);

/// "unnamed" stands for rows whose site nobody named.
inline constexpr const char* kUnnamedHook = "unnamed";
/// Throws UsageError unless it is a name that a certificate can print.
void check_hook_word(const std::string& hook);

/// Throws InputError when the file names another hook than the eraser, or has another width.
void check_site(const Eraser& eraser, const ActivationTable& x);
/// Deployed bits of every row. Throws InputError when the file names another hook than the eraser, or
/// has another width; Refusal when the grid is left.
[[nodiscard]] std::vector<std::int32_t> deploy_table(const Eraser& eraser,
                                                     const ActivationTable& x);

}  // namespace assay::erase
