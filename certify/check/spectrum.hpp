#pragma once

#include <cstddef>
#include <vector>

namespace assay_check {

/// Whether the largest eigenvalue of a symmetric matrix of n rows is at most `most`, shown by DOMINANCE (or minors).
/// Of G the lower triangle is read; the matrix is within `error` of it in Frobenius norm; entries are below `size`.
[[nodiscard]] bool is_at_most(const std::vector<double>& G, std::size_t n, double error,
                              double size, double most);

}  // namespace assay_check
