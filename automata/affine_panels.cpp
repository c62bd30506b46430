#include "assay/automata/affine_panels.hpp"

#include <cstring>

#include "clones.hpp"
#include "four.hpp"

namespace assay::automata {
namespace {

constexpr std::size_t kPanel = AffinePanels::kPanel;
constexpr std::size_t kRows = 4;

/// rows (kRows at a time) x one panel of 8 columns: acc = b, then acc += x_i W_i for rising i.
template <std::size_t R>
__attribute__((always_inline)) inline void panel(const double* x, std::size_t x_stride,
                                                 std::size_t in, const double* weights,
                                                 const double* bias, double* y,
                                                 std::size_t y_stride) {
  Four low[R], high[R];
  for (std::size_t r = 0; r < R; ++r) {
    low[r] = *reinterpret_cast<const Four*>(bias);
    high[r] = *reinterpret_cast<const Four*>(bias + 4);
  }
  for (std::size_t i = 0; i < in; ++i) {
    const Four a = *reinterpret_cast<const Four*>(weights + i * kPanel);
    const Four b = *reinterpret_cast<const Four*>(weights + i * kPanel + 4);
    for (std::size_t r = 0; r < R; ++r) {
      const double v = x[r * x_stride + i];
      low[r] += v * a;
      high[r] += v * b;
    }
  }
  for (std::size_t r = 0; r < R; ++r) {
    std::memcpy(y + r * y_stride, &low[r], sizeof(Four));
    std::memcpy(y + r * y_stride + 4, &high[r], sizeof(Four));
  }
}

ASSAY_CLONES void multiply(const double* x, std::size_t x_stride, std::size_t rows, std::size_t in,
                           std::size_t padded, const double* panels, const double* bias,
                           double* y) {
  for (std::size_t p = 0; p < padded / kPanel; ++p) {
    const double* weights = panels + p * in * kPanel;
    std::size_t r = 0;
    for (; r + kRows <= rows; r += kRows) {
      panel<kRows>(x + r * x_stride, x_stride, in, weights, bias + p * kPanel,
                   y + r * padded + p * kPanel, padded);
    }
    for (; r < rows; ++r) {
      panel<1>(x + r * x_stride, x_stride, in, weights, bias + p * kPanel,
               y + r * padded + p * kPanel, padded);
    }
  }
}

}  // namespace

AffinePanels::AffinePanels(std::size_t rows, std::size_t columns)
    : in(rows),
      out(columns),
      padded(round_to_panel(columns)),
      panels(rows * padded, 0.0),
      bias(padded, 0.0) {}

AffinePanels AffinePanels::of(const Tensor& weights, const Tensor& bias, std::size_t in,
                              std::size_t out) {
  AffinePanels map(in, out);
  for (std::size_t j = 0; j < out; ++j) {
    for (std::size_t i = 0; i < in; ++i) {
      map.at(i, j) = static_cast<double>(weights.data[i * out + j]);
    }
    map.bias[j] = bias.data.empty() ? 0.0 : static_cast<double>(bias.data[j]);
  }
  return map;
}

void AffinePanels::apply(const double* x, std::size_t x_stride, std::size_t rows, double* y) const {
  multiply(x, x_stride, rows, in, padded, panels.data(), bias.data(), y);
}

}  // namespace assay::automata
