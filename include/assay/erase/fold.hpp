#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "assay/erase/in_model.hpp"
#include "assay/model/readout.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/transformer.hpp"

namespace assay::erase {

/// A model whose weights contain an eraser r(x) = x - L R (x - mu), R L = I of rank r at a site, with
/// the same logits as the model that runs r there (docs/theorems.md, FOLD). Two ways:
///
///   in place       the site's writer or reader is multiplied by I - L R: sites beside the residual
///                  stream, and hook_resid_pre before a LayerNorm
///   change of      with pivots J, M = R_J^-1 R: x' = r(x) is a function of its other coordinates,
///   coordinates    x'_J = M mu - M_-J x'_-J. Those stay where they are; no later layer reads
///                  R (x - mu), exactly: zero rows of the stored weights.
///     hook_resid_pre   x'_-J, and 0 at J
///     hook_resid_mid   x'_-J, 0 at J, where the MLP then writes M m; r new coordinates hold
///                      R (x_pre - mu), which only attention reads: d_model grows by r
///     hook_resid_post  x'_-J, and R (x - mu) at J, which attention and the MLP read
struct Fold {
  Transformer model;
  Eraser eraser;
  bool changes_coordinates = false;
  std::vector<std::size_t> pivots;  ///< J, ascending; empty in place
  std::vector<std::size_t> unread;  ///< coordinates of the site that nothing after it reads
  std::size_t added = 0;            ///< new coordinates of the residual stream
};

/// Throws Refusal with the reason for a site whose reader is a LayerNorm. @pre need_model accepts it
[[nodiscard]] Fold fold(const Transformer& model, const Eraser& eraser);

/// The dictionary whose features in the folded model are those of `sae` in the model that runs the
/// eraser. Throws Refusal where its site or its reconstruction has no place in the folded model.
[[nodiscard]] Sae fold_sae(const Fold& fold, const Sae& sae);
/// The same of an affine readout. Throws Refusal.
[[nodiscard]] Readout fold_readout(const Fold& fold, const Readout& readout);

/// An eraser of the folded model that zeroes what nothing reads (or the slots J, which are 0), and
/// changes nothing else: with it a claim about the site is one about what later layers read.
/// @pre the fold changes coordinates
[[nodiscard]] Eraser unread_eraser(const Fold& fold, int grid_bits);

}  // namespace assay::erase
