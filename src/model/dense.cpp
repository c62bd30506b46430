#include "dense.hpp"

#include <Eigen/Core>
#include <algorithm>

namespace assay {
namespace {

using Row = Eigen::Map<Eigen::RowVectorXd>;
using ConstRow = Eigen::Map<const Eigen::RowVectorXd>;
using FloatRow = Eigen::Map<const Eigen::RowVectorXf>;

constexpr std::size_t kColumns = 256;  ///< a panel of 4 x 256 doubles stays in the first cache
constexpr std::size_t kRows = 32;
constexpr std::size_t kDepth = 4;

Eigen::Index index(std::size_t i) {
  return static_cast<Eigen::Index>(i);
}

/// Rows [r0, r1) and columns [c0, c0+width) of y += x W, `kDepth` rows of W at a time.
void multiply_tile(const Matrix& x, const float* W, std::size_t m, std::size_t r0, std::size_t r1,
                   std::size_t c0, std::size_t width, Matrix& y) {
  Eigen::Matrix<double, kDepth, kColumns, Eigen::RowMajor> panel;
  for (std::size_t k0 = 0; k0 < x.cols; k0 += kDepth) {
    const std::size_t depth = std::min(kDepth, x.cols - k0);
    for (std::size_t i = 0; i < depth; ++i) {
      panel.row(index(i)).head(index(width)) =
          FloatRow(W + (k0 + i) * m + c0, index(width)).cast<double>();
    }
    const auto w = [&panel](std::size_t i, std::size_t n) {
      return ConstRow(panel.data() + i * kColumns, index(n));
    };
    for (std::size_t r = r0; r < r1; ++r) {
      Row out(&y.at(r, c0), index(width));
      const double* a = x.data.data() + r * x.cols + k0;
      if (depth == kDepth) {
        out = (((out + a[0] * w(0, width)) + a[1] * w(1, width)) + a[2] * w(2, width)) +
              a[3] * w(3, width);
      } else {
        for (std::size_t i = 0; i < depth; ++i) {
          out += a[i] * w(i, width);
        }
      }
    }
  }
}

void add_bias(const float* b, std::size_t m, Matrix& y) {
  if (b == nullptr) {
    return;
  }
  for (std::size_t r = 0; r < y.rows; ++r) {
    Row(&y.at(r, 0), index(m)) += FloatRow(b, index(m)).cast<double>();
  }
}

}  // namespace

Matrix affine(const Matrix& x, const float* W, std::size_t m, const float* b) {
  Matrix y{x.rows, m, std::vector<double>(x.rows * m, 0.0)};
  for (std::size_t r0 = 0; r0 < x.rows; r0 += kRows) {
    for (std::size_t c0 = 0; c0 < m; c0 += kColumns) {
      multiply_tile(x, W, m, r0, std::min(r0 + kRows, x.rows), c0, std::min(kColumns, m - c0), y);
    }
  }
  add_bias(b, m, y);
  return y;
}

Matrix affine_sparse(const Matrix& x, const float* W, std::size_t m, const float* b) {
  Matrix y{x.rows, m, std::vector<double>(x.rows * m, 0.0)};
  for (std::size_t r = 0; r < x.rows; ++r) {
    Row out(&y.at(r, 0), index(m));
    for (std::size_t k = 0; k < x.cols; ++k) {
      if (const double a = x.at(r, k); a != 0) {
        out += a * FloatRow(W + k * m, index(m)).cast<double>();
      }
    }
  }
  add_bias(b, m, y);
  return y;
}

}  // namespace assay
