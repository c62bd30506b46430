#include "coordinates.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <numeric>

#include "assay/base/errors.hpp"

namespace assay::erase {
namespace {

/// R (x - mu) if about the mean, else R x.
std::vector<double> pushed(std::span<const double> right, std::span<const double> mu, std::size_t r,
                           std::span<const double> x, bool about_mean) {
  std::vector<double> c(r, 0.0);
  for (std::size_t k = 0; k < r; ++k) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      c[k] += right[k * x.size() + j] * (x[j] - (about_mean ? mu[j] : 0.0));
    }
  }
  return c;
}

std::vector<double> row_of(const Tensor& w, std::size_t row) {
  const std::size_t d = w.cols();
  const auto begin = w.data.begin() + static_cast<std::ptrdiff_t>(row * d);
  return {begin, begin + static_cast<std::ptrdiff_t>(d)};
}

/// A vector [d] is one row.
Tensor resized(const Tensor& w, std::size_t width) {
  return w.shape.size() == 1 ? zeros({width}) : zeros({w.shape[0], width});
}

std::size_t rows_of(const Tensor& w) {
  return w.shape.size() == 1 ? 1 : w.shape[0];
}

std::vector<double> row_of_any(const Tensor& w, std::size_t row) {
  return w.shape.size() == 1 ? std::vector<double>(w.data.begin(), w.data.end()) : row_of(w, row);
}

}  // namespace

Coordinates::Coordinates(const Eraser& eraser)
    : d_(eraser.d()),
      r_(eraser.rank),
      is_pivot_(eraser.d(), false),
      left_(eraser.proj_left),
      right_(eraser.proj_right),
      mu_(eraser.bias) {
  using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto r = static_cast<Eigen::Index>(r_), d = static_cast<Eigen::Index>(d_);
  const Eigen::Map<const RowMatrix> right(right_.data(), r, d);
  const Eigen::FullPivLU<RowMatrix> lu(right);
  require(lu.rank() == r, "fold: R without full row rank");
  for (Eigen::Index k = 0; k < r; ++k) {
    pivots_.push_back(static_cast<std::size_t>(lu.permutationQ().indices()(k)));
  }
  std::sort(pivots_.begin(), pivots_.end());
  RowMatrix square(r, r);
  for (Eigen::Index k = 0; k < r; ++k) {
    is_pivot_[pivots_[static_cast<std::size_t>(k)]] = true;
    square.col(k) = right.col(static_cast<Eigen::Index>(pivots_[static_cast<std::size_t>(k)]));
  }
  const RowMatrix m = square.fullPivLu().solve(right);
  m_.assign(m.data(), m.data() + m.size());
  for (std::size_t k = 0; k < r_; ++k) {
    for (std::size_t i = 0; i < r_; ++i) {
      m_[k * d_ + pivots_[i]] = i == k ? 1.0 : 0.0;
    }
    offset_.push_back(std::inner_product(mu_.begin(), mu_.end(),
                                         m_.begin() + static_cast<std::ptrdiff_t>(k * d_), 0.0));
  }
}

std::vector<double> Coordinates::read_doubles(const std::vector<double>& w, std::size_t width,
                                              const Reads& reads, double& bias) const {
  std::vector<double> out(width, 0.0);
  for (std::size_t i = 0; i < d_; ++i) {
    if (!is_pivot_[i] || reads.own) {
      out[i] = w[i];
    }
    for (std::size_t k = 0; k < r_ && !is_pivot_[i]; ++k) {
      out[i] -= m_[k * d_ + i] * w[pivots_[k]];
    }
  }
  for (std::size_t k = 0; k < r_; ++k) {
    bias += reads.constant ? offset_[k] * w[pivots_[k]] : 0.0;
    for (std::size_t i = 0; i < d_ && reads.hidden; ++i) {
      out[(*reads.hidden)[k]] += left_[i * r_ + k] * w[i];
    }
  }
  return out;
}

Tensor Coordinates::read(const Tensor& w, std::size_t width, const Reads& reads,
                         std::vector<double>& bias) const {
  const std::size_t n = w.cols();
  Tensor out = zeros({width, n});
  std::vector<double> column(d_);
  for (std::size_t c = 0; c < n; ++c) {
    for (std::size_t i = 0; i < d_; ++i) {
      column[i] = static_cast<double>(w.at(i, c));
    }
    const std::vector<double> mapped = read_doubles(column, width, reads, bias[c]);
    for (std::size_t i = 0; i < width; ++i) {
      out.data[i * n + c] = static_cast<float>(mapped[i]);
    }
  }
  return out;
}

Tensor Coordinates::write_erased(const Tensor& w, std::size_t width,
                                 const std::optional<std::vector<std::size_t>>& hidden,
                                 bool constant) const {
  Tensor out = resized(w, width);
  for (std::size_t row = 0; row < rows_of(w); ++row) {
    const std::vector<double> x = row_of_any(w, row);
    const std::vector<double> c = pushed(right_, mu_, r_, x, constant);
    float* const to = out.data.data() + row * width;
    for (std::size_t i = 0; i < d_; ++i) {
      if (!is_pivot_[i]) {
        double moved = 0.0;
        for (std::size_t k = 0; k < r_; ++k) {
          moved += left_[i * r_ + k] * c[k];
        }
        to[i] = static_cast<float>(x[i] - moved);
      }
    }
    for (std::size_t k = 0; k < r_ && hidden; ++k) {
      to[(*hidden)[k]] = static_cast<float>(c[k]);
    }
  }
  return out;
}

Tensor Coordinates::write_behind(const Tensor& w, std::size_t width, bool constant) const {
  Tensor out = resized(w, width);
  for (std::size_t row = 0; row < rows_of(w); ++row) {
    const std::vector<double> x = row_of_any(w, row);
    float* const to = out.data.data() + row * width;
    for (std::size_t i = 0; i < d_; ++i) {
      to[i] = static_cast<float>(x[i]);
    }
    for (std::size_t k = 0; k < r_; ++k) {
      double value = constant ? -offset_[k] : 0.0;
      for (std::size_t i = 0; i < d_; ++i) {
        value += m_[k * d_ + i] * x[i];
      }
      to[pivots_[k]] = static_cast<float>(value);
    }
  }
  return out;
}

Tensor project_rows(const Eraser& e, const Tensor& w, bool constant) {
  Tensor out = w;
  for (std::size_t row = 0; row < rows_of(w); ++row) {
    const std::vector<double> x = row_of_any(w, row);
    const std::vector<double> c = pushed(e.proj_right, e.bias, e.rank, x, constant);
    for (std::size_t i = 0; i < e.d(); ++i) {
      double moved = 0.0;
      for (std::size_t k = 0; k < e.rank; ++k) {
        moved += e.proj_left[i * e.rank + k] * c[k];
      }
      out.data[row * e.d() + i] = static_cast<float>(x[i] - moved);
    }
  }
  return out;
}

Tensor project_columns(const Eraser& e, const Tensor& w, std::vector<double>& bias) {
  Tensor out = w;
  const std::size_t n = w.cols();
  const std::vector<double> shift = pushed(e.proj_right, e.bias, e.rank, e.bias, false);
  std::vector<double> along(e.rank);
  for (std::size_t c = 0; c < n; ++c) {
    for (std::size_t k = 0; k < e.rank; ++k) {
      along[k] = 0.0;
      for (std::size_t i = 0; i < e.d(); ++i) {
        along[k] += e.proj_left[i * e.rank + k] * static_cast<double>(w.at(i, c));
      }
      bias[c] += along[k] * shift[k];
    }
    for (std::size_t i = 0; i < e.d(); ++i) {
      double value = static_cast<double>(w.at(i, c));
      for (std::size_t k = 0; k < e.rank; ++k) {
        value -= e.proj_right[k * e.d() + i] * along[k];
      }
      out.data[i * n + c] = static_cast<float>(value);
    }
  }
  return out;
}

}  // namespace assay::erase
