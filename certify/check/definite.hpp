#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <vector>

namespace assay_check {

using Integer = boost::multiprecision::cpp_int;
__extension__ using Wide = __int128;

/// The lower triangle of a symmetric integer matrix, row by row.
using Triangle = std::vector<std::vector<Integer>>;

/// True only if the matrix is positive definite; of any size by dominance, and up to 256 rows whenever it is.
[[nodiscard]] bool is_positive_definite(const Triangle& M);

}  // namespace assay_check
