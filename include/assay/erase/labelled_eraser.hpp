#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "assay/erase/eraser_file.hpp"
#include "assay/erase/tables.hpp"

namespace assay::erase {

/// An eraser that must be told the label of the row it erases:
///   oracle     y = x - G (z - E z),  G = Cov(x, z) Cov(z, z)^+       Cov(y, z) = 0, and no map with it is nearer
///   quadratic  y = m + A_c (x - m_c) for a row of class c            every class has mean m and covariance B
/// with m = E x and B the barycentre of the class covariances S_c with weights p_c (the fixed point of
/// B = Σ p_c (B^(1/2) S_c B^(1/2))^(1/2), Agueh and Carlier 2011), A_c the optimal transport of S_c to B:
/// A_c = S_c^(-1/2) (S_c^(1/2) B S_c^(1/2))^(1/2) S_c^(-1/2). Computed in double, rounded once to the
/// grid 2^-grid_bits.
struct LabelledEraser {
  std::string method;  ///< "oracle" or "quadratic"
  std::string hook;
  int grid_bits = 16;
  std::size_t d = 0, k = 1;    ///< width, labels
  std::vector<double> gain;    ///< oracle: G [d,k];  quadratic: A [classes,d,d]
  std::vector<double> mean;    ///< oracle: E z [k];  quadratic: m_c [classes,d]
  std::vector<double> target;  ///< quadratic: m [d]
  EraserOrigin origin = {};    ///< of one read from files: the rows of the fit
};

[[nodiscard]] bool is_labelled_method(const std::string& method);

/// Classes are 0/1 labels [n], or one-hot columns [n,k] for quadratic. Throws Refusal as fit_eraser
/// does, and for quadratic when a class has fewer than 4 d rows or a covariance that is singular.
[[nodiscard]] LabelledEraser fit_labelled(const Tables& tables, const std::string& method,
                                          const std::string& hook, int grid_bits);

/// r(x, z) in double, before rounding.
void erase_row(const LabelledEraser& eraser, std::span<const double> x, std::span<const double> z,
               std::span<double> y);
/// Deployed bits of every row.
[[nodiscard]] std::vector<std::int32_t> deploy_labelled(const LabelledEraser& eraser,
                                                        const Tables& tables);

[[nodiscard]] std::string labelled_json(const LabelledEraser& eraser, const EraserOrigin& origin);
[[nodiscard]] std::string labelled_tensors(const LabelledEraser& eraser);
/// The kind that a directory's eraser.json names. Throws InputError.
[[nodiscard]] std::string kind_of_eraser(const std::filesystem::path& directory);
[[nodiscard]] LabelledEraser load_labelled(const std::filesystem::path& directory);

}  // namespace assay::erase
