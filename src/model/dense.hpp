#pragma once

#include "assay/model/forward.hpp"

namespace assay {

/// y = x W + b for x [n,k], W [k,m] (row-major float32), b [m] or null. Each element is summed
/// in double, k = 0, 1, 2, … in turn and the bias last, whatever n is: a row's bits do not
/// depend on the rows around it, so a token's logits are the same alone and in a batch.
[[nodiscard]] Matrix affine(const Matrix& x, const float* W, std::size_t m, const float* b);

/// The same product for a mostly zero x: zero entries are skipped.
[[nodiscard]] Matrix affine_sparse(const Matrix& x, const float* W, std::size_t m, const float* b);

}  // namespace assay
