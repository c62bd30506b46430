#include "ball.hpp"

namespace assay::bounds {
namespace {

constexpr double kUnderflow = 1e-290;  // more than n 2^-1074 for every n that fits in memory

}  // namespace

Ball exact(const Tensor& t, std::size_t offset, std::size_t rows, std::size_t cols) {
  using FloatRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const FloatRows> block(t.data.data() + offset, index(rows), index(cols));
  return {block.cast<double>(), Rows::Zero(index(rows), index(cols))};
}

Ball exact_bias(const Tensor& t, std::size_t offset, std::size_t n) {
  if (t.data.empty()) {
    return {Rows::Zero(1, index(n)), Rows::Zero(1, index(n))};
  }
  return exact(t, offset, 1, n);
}

Ball product(const Ball& a, const Ball& b) {
  const Rows a_size = a.mid.cwiseAbs();
  const Rows b_size = b.mid.cwiseAbs();
  Rows radius = a_size * (b.radius + gamma(a.mid.cols()) * b_size);
  if (!a.radius.isZero(0)) {
    radius += a.radius * (b_size + b.radius);
  }
  return {a.mid * b.mid, (2 * radius).array() + kUnderflow};
}

Ball plus_row(const Ball& a, const Ball& b) {
  Ball sum{a.mid.rowwise() + Row(b.mid.row(0)), a.radius.rowwise() + Row(b.radius.row(0))};
  sum.radius = 1.0001 * (sum.radius + 0x1p-52 * sum.mid.cwiseAbs());
  sum.radius.array() += kUnderflow;
  return sum;
}

}  // namespace assay::bounds
