#pragma once

#include "assay/model/transformer.hpp"

namespace assay {

/// The MLP's activation function at x, to the nearest.
[[nodiscard]] double activate(ActFn act, double x);

}  // namespace assay
