#pragma once

#include <optional>
#include <span>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/model/decoder.hpp"
#include "assay/model/readout.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/transformer.hpp"
#include "assay/num/interval.hpp"

namespace assay::bounds {

/// The network's values at the last token of one concrete context, enclosed in REAL semantics:
/// weights as the reals their bits denote, every operation rounded outward.
struct ConcreteValues {
  std::vector<Interval> resid_mid;   ///< [d_model]
  std::vector<Interval> mlp_post;    ///< [d_mlp]
  std::vector<Interval> mlp_out;     ///< [d_model]
  std::vector<Interval> resid_post;  ///< [d_model]
  std::vector<Interval> logits;      ///< [d_vocab_out]
};

/// One layer, ReLU, no LayerNorm, relative or absolute positions, any window; throws InputError for other models.
[[nodiscard]] ConcreteValues enclose(const Transformer& model, std::span<const TokenId> context);

/// The feature's encoder pre-activation; throws InputError when the SAE reads another hook.
[[nodiscard]] Interval enclose_pre_activation(const Sae& sae, FeatureId feature,
                                              const ConcreteValues& values);

/// The feature's thresholded value (0 when surely off); nullopt when on/off is not decided.
[[nodiscard]] std::optional<Interval> enclose_feature(const Sae& sae, FeatureId feature,
                                                      const ConcreteValues& values);
[[nodiscard]] Interval enclose_readout(const Readout& readout, const ConcreteValues& values);

/// ln rho, times the temperature when it is applied before the cut: a token stays in the
/// support iff l_t - max l is at least this.
[[nodiscard]] Interval min_p_cut(const Decoder& decoder);

/// WITNESS: the token is surely in the decoder's support at these logits (false when a tie or
/// the rounding leaves it open).
[[nodiscard]] bool surely_emittable(const Decoder& decoder, std::span<const Interval> logits,
                                    TokenId token);
/// The token is surely outside the support.
[[nodiscard]] bool surely_excluded(const Decoder& decoder, std::span<const Interval> logits,
                                   TokenId token);

}  // namespace assay::bounds
