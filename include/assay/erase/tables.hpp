#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/erase/leace.hpp"
#include "assay/erase/moments.hpp"
#include "assay/erase/residual.hpp"

namespace assay::erase {

inline constexpr std::size_t kMaxTableWidth = 4096;
inline constexpr std::size_t kMaxTableLabels = 64;

/// Rows of one site: the tensor `x` [n,d] of a file, F64 kept as double, F16, BF16 and F32 as float.
struct ActivationTable {
  std::string file;
  std::size_t n = 0, d = 0;
  Digest digest;                    ///< of the file
  std::optional<std::string> hook;  ///< the file's metadata `hook`
  std::vector<float> narrow;        ///< [n,d], or
  std::vector<double> wide;         ///< [n,d]

  void row(std::size_t i, std::span<double> out) const;
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

/// Deployed bits of every row. Throws InputError when the file names another hook than the eraser, or
/// has another width; Refusal when the grid is left.
[[nodiscard]] std::vector<std::int32_t> deploy_table(const Eraser& eraser,
                                                     const ActivationTable& x);

}  // namespace assay::erase
