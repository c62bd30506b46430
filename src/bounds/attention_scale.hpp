#pragma once

#include "assay/model/transformer.hpp"
#include "assay/num/interval.hpp"

namespace assay::bounds {

/// attn_scale as the certificate means it: sqrt(d_head), or what config.json states, as a decimal
/// and as its nearest double. A config holds the nearest double; one step either way holds both.
[[nodiscard]] inline Interval attention_scale(const TransformerConfig& config) {
  const double nearest = config.attn_scale;
  return nearest > 0 ? Interval(round_down(nearest), round_up(nearest))
                     : sqrt(Interval(static_cast<double>(config.d_head)));
}

}  // namespace assay::bounds
