#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/model/readout.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/transformer.hpp"

namespace assay::bounds {

enum class QuantityKind {
  neuron,
  feature,
  feature_difference,
  logit,
  logit_difference,
  logit_margin,
  logit_mixture,
  residual_mid,
  readout
};

/// A real-valued function of the last position of a context (docs/certificate-format.md,
/// QUANTITY): a neuron's or a feature's pre-activation, a difference of two features', a logit, a difference of two or its margin
/// l_A - max_{y != A} l_y or its lead over a mixture of others, l_A - sum omega_i l_{y_i}, the residual stream after attention along a direction, an affine
/// readout of a hook.
struct Quantity {
  QuantityKind kind = QuantityKind::neuron;
  std::uint32_t index = 0;        ///< neuron, feature, logit, first logit, margin's
  std::uint32_t other = 0;        ///< second logit or feature
  std::vector<double> direction;  ///< residual_mid: [d_model]
  /// logit_mixture: (y_i, omega_i 2^16), distinct and not A, the weights' sum 2^16.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> mixture = {};
  std::optional<Readout> readout;

  /// "neuron 5", "logit-difference 3 7", …
  [[nodiscard]] std::string text() const;
};

inline constexpr std::uint32_t kWholeMixture = 1U << 16U;
inline constexpr std::size_t kMostRivals = 16;

/// Throws InputError naming the field: an index out of range, a feature without an SAE or with
/// one that does not fit the model, a hook that the bounds do not speak of.
void check_quantity(const Transformer& model, const Sae* sae, const Quantity& quantity);

}  // namespace assay::bounds
