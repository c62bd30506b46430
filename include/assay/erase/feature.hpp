#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/base/rational.hpp"
#include "assay/erase/erasure.hpp"
#include "assay/erase/leace.hpp"
#include "assay/model/sae.hpp"

namespace assay::erase {

/// Features of a dictionary projected out of the site that it reads (theorem T12): R = their encoder
/// columns w_f, L = R^+, so that <w_f, r(x)> = <w_f, mu> for every x, exactly for the exact R^+.
struct FeatureProjection {
  Eraser eraser;
  std::vector<std::size_t> features;
  std::vector<double> constants, thresholds;  ///< pre-activation behind the eraser, and theta
};

/// mu is the nearest point to `centre` whose pre-activations are at most threshold - margin.
/// Throws Refusal when encoder columns depend on each other, UsageError for a topk dictionary, an
/// index that it does not have, or more features than an eraser can have directions.
[[nodiscard]] FeatureProjection project_features(const Sae& sae,
                                                 const std::vector<std::size_t>& features,
                                                 const std::vector<double>& centre, int grid_bits);

/// SITE-RANGE: the least multiple of 2^-10 (with a little room) that every |x_i| of hook_resid_mid
/// stays below in every context, by the convexity of attention. Absent for a LayerNorm.
[[nodiscard]] std::optional<Rational> site_range(const Transformer& model);

/// NEVER-FIRES as deployed: the pre-activation's upper bound behind the eraser for |x_i| <= range.
[[nodiscard]] double deployed_bound(const Sae& sae, const Eraser& eraser, std::size_t feature,
                                    double range);

/// The lines of a statement and their steps (docs/certificate-format.md, "Inside a model").
struct InsideClaims {
  std::vector<std::pair<std::string, std::string>> lines;  ///< statement line, step line
  void unread(const std::string& id, const std::string& hook,
              const std::vector<std::size_t>& coordinates);
  void site_range(const std::string& id, const Rational& at_most);
  void never_fires(const std::string& id, std::size_t feature,
                   const std::optional<Rational>& range);
};

/// Request and certificate of kind erasure with these claims and residuals. `sae`: where features are named.
[[nodiscard]] std::pair<std::string, std::string> inside_certificate(
    const InsideClaims& claims, const std::vector<const ResidualClaim*>& residuals,
    const std::pair<Digest, Digest>& model, const std::optional<std::pair<Digest, Digest>>& sae,
    const Digest& eraser_config, const Digest& eraser_weights);

}  // namespace assay::erase
