#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/erase/concept.hpp"
#include "assay/erase/erasure.hpp"
#include "assay/erase/feature.hpp"
#include "assay/erase/fold.hpp"

namespace assay::erase {

/// Text, concept and choice of rows of a claim about a model's site.
struct RowsInput {
  const Transformer& model;
  const Tokenizer& tokenizer;
  const std::vector<Document>& documents;
  Concept labelled;
  std::size_t max_tokens = 20000;
  std::uint64_t seed = 1;
};

/// Residuals of an eraser on the fit and calibration part of the text, with what was left out and why.
struct SiteResiduals {
  std::vector<ResidualClaim> claims;
  std::vector<double> before;                              ///< max R^2 of the raw rows, in double
  std::vector<std::pair<std::string, std::string>> files;  ///< data, by name
  std::vector<std::string> refused;
};
[[nodiscard]] SiteResiduals site_residuals(const RowsInput& input, const Eraser& eraser);

/// Files of `unread_eraser`, bound to the folded weights and to the eraser's concept.
/// @pre the fold changes coordinates
struct ViewFiles {
  std::string config, weights;  ///< eraser.json, eraser.safetensors
};
[[nodiscard]] ViewFiles view_files(const Fold& fold, const Digest& folded_weights,
                                   const EraserOrigin& origin);

/// The folded model's own claims: UNREAD, and ERASE-RESIDUAL of what later layers read of the site.
/// `input.model` is the folded model as read back; the eraser's files are those written beside it.
struct FoldClaims {
  SiteResiduals residuals;
  std::vector<std::pair<std::string, std::string>> files;  ///< request, certificate, data
};
[[nodiscard]] FoldClaims certify_fold(const Fold& fold, const RowsInput& input,
                                      const std::string& view_config,
                                      const std::string& view_weights);

/// The concept of an eraser's own name, where it is a built-in one with the same labelling rule.
[[nodiscard]] std::optional<Concept> own_concept(const EraserOrigin& origin);

}  // namespace assay::erase
