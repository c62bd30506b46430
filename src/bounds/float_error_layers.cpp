#include <algorithm>
#include <cmath>

#include "float_error.hpp"

namespace assay::bounds {
namespace {

constexpr double kHalfUlp = 0x1p-24;
constexpr double kCubed = 0x1p39;  // a z whose cube float32 holds
// gelu' and gelu_new' stay within, both functions above kGeluLeast (tests/unit/bounds/float_error_test.cpp)
constexpr double kSlopeLo = -0.14, kSlopeHi = 1.14, kGeluLeast = -0.2;

Rows absolute(const Tensor& t, std::size_t rows, std::size_t cols) {
  return t.data.empty() ? Rows::Zero(index(rows), index(cols))
                        : Rows(exact(t, 0, rows, cols).mid.cwiseAbs());
}

/// Sum of boxes.
void add(std::vector<Interval>& x, const Hull& hull) {
  for (std::size_t k = 0; k < x.size(); ++k) {
    x[k] += Interval(hull.lo(index(k)), hull.hi(index(k)));
  }
}

std::vector<Interval> hull_of(const Ball& rows) {
  Hull hull;
  hull.add(rows);
  std::vector<Interval> out;
  for (Eigen::Index k = 0; k < hull.lo.size(); ++k) {
    out.emplace_back(hull.lo(k), hull.hi(k));
  }
  return out;
}

Row sizes(const std::vector<Interval>& box) {
  Row out(index(box.size()));
  for (std::size_t k = 0; k < box.size(); ++k) {
    out(index(k)) = std::max(std::fabs(box[k].lo), std::fabs(box[k].hi));
  }
  return out;
}

void centre(std::vector<Interval>& x) {
  Interval sum(0.0);
  for (const Interval v : x) {
    sum += v;
  }
  const Interval mean = sum / Interval(static_cast<double>(x.size()));
  for (Interval& v : x) {
    v = v - mean;
  }
}

double least_square(Interval v) {
  const double near = v.lo > 0 ? v.lo : v.hi < 0 ? -v.hi : 0.0;
  return std::max(round_down(near * near), 0.0);
}

Ball column_ball(const std::vector<Interval>& g) {
  const Ball row = to_ball(g);
  return {row.mid.transpose(), row.radius.transpose()};
}

}  // namespace

FloatWork::FloatWork(const Network& net, const Domain& domain, const FloatOptions& options)
    : net_(net), heads_(net, domain, options) {
  const Transformer& m = *net.model;
  W_O_ = absolute(m.W_O, net.heads * net.d_head, net.d);
  fill_mid();
  if (net.f != 0) {
    W_in_ = net.W_in.cwiseAbs();
    W_out_ = net.W_out.cwiseAbs();
    fill_neurons();
    fill_activations(options);
  }
  fill_residual();
  final_.local = residual_;
  if (net.norm) {
    fill_final();
  }
}

// m = x + b_O + sum_h out_h: the outputs' own errors, tilted means, and H d_head + 4 roundings
void FloatWork::fill_mid() {
  const std::size_t He = net_.heads * net_.d_head;
  Row outputs(index(He)), boxed(index(He)), tilted = Row::Zero(index(net_.d));
  std::vector<Interval> range =
      hull_of(plus_row(heads_.queries, {net_.b_O, Rows::Zero(1, index(net_.d))}));
  for (std::size_t h = 0; h < net_.heads; ++h) {
    const Eigen::Index at = index(h * net_.d_head), n = index(net_.d_head);
    boxed.segment(at, n) = heads_.value_error[h];
    outputs.segment(at, n) =
        heads_.value_size[h] + heads_.tilt[h] / 2 * heads_.wide[h] + heads_.value_error[h];
    tilted += heads_.tilt[h] / 2 * heads_.to_mid[h].width();
    add(range, heads_.to_mid[h]);
  }
  const Row sums = outputs * W_O_ + heads_.input_size + heads_.input_error + net_.b_O.cwiseAbs();
  mid_rounding_ = heads_.input_error + Row(rounded(He + 4, sums));
  mid_.size = sizes(range);
  mid_.error = tilted + boxed * W_O_ + mid_rounding_;
}

double FloatWork::deviation(const std::vector<Interval>& rest, Rows& centred_size) const {
  Row top = Row::Zero(index(net_.d));
  double least = std::numeric_limits<double>::infinity();
  for (Eigen::Index c = 0; c < heads_.queries.mid.rows(); ++c) {
    std::vector<Interval> base;
    for (Eigen::Index k = 0; k < index(net_.d); ++k) {
      base.push_back(heads_.queries.at(c, k) + Interval(net_.b_O(k)));
    }
    centre(base);
    std::vector<Interval> y = base;
    for (const Hull& hull : heads_.to_centred) {
      add(y, hull);
    }
    std::vector<Interval> u;
    double squares = 0;
    for (std::size_t k = 0; k < y.size(); ++k) {
      y[k] = rest.empty() ? y[k] : y[k] + rest[k];
      u.emplace_back(y[k].lo / 2 + y[k].hi / 2);
      squares += least_square(y[k]);
    }
    top = top.cwiseMax(sizes(y));
    centre(u);
    Interval along(0.0), length(0.0);
    for (std::size_t k = 0; k < y.size(); ++k) {
      along += u[k] * (rest.empty() ? base[k] : base[k] + rest[k]);
      length += u[k] * u[k];
    }
    const Ball g = column_ball(u);
    for (std::size_t h = 0; h < net_.heads; ++h) {
      along += Interval(heads_.spread(h, product(net_.W_O[h], g)).least);
    }
    if (along.lo > 0 && length.hi > 0) {
      squares = std::max(squares, along.lo * along.lo / length.hi);
    }
    least = std::min(least, squares * (1 - 0x1p-40));
  }
  centred_size = top;
  return std::sqrt(least / static_cast<double>(net_.d) + net_.eps.lo) * (1 - 0x1p-40);
}

// z_j = s <h_j, m> + c_j: the hulls of <h_j, m>; under LN2 s = 1/D and |s <h_j, m>| <= sqrt d |h_j|
std::vector<Interval> FloatWork::neuron_ranges(double deviation, const Rows& centred_size) {
  const Ball start = plus_row(heads_.queries, {net_.b_O, Rows::Zero(1, index(net_.d))});
  std::vector<Interval> range = hull_of(product(start, net_.neuron_directions));
  for (const Hull& hull : heads_.to_neurons) {
    add(range, hull);
  }
  turned_ = Row::Zero(index(net_.f));
  const double d = static_cast<double>(net_.d);
  Interval s(1.0);
  if (net_.norm) {
    s = {(1 - 0x1p-40) / std::sqrt(centred_size.squaredNorm() / d + net_.eps.hi),
         (1 + 0x1p-40) / deviation};
  }
  for (std::size_t j = 0; j < net_.f; ++j) {
    const Eigen::Index at = index(j);
    if (net_.norm) {
      const double ball = std::sqrt(d) * directions_.col(at).norm() * (1 + 0x1p-40);
      const Interval y = s * range[j];
      range[j] = {std::clamp(y.lo, -ball, ball), std::clamp(y.hi, -ball, ball)};
      turned_(at) = std::max(std::fabs(range[j].lo), std::fabs(range[j].hi));
    }
    range[j] += net_.neuron_offsets.at(0, at);
  }
  return range;
}

// z = y W_in + b_in with y = m or LN2(m): what runs through <h_j, m>, then LN2's and the sum's own
void FloatWork::fill_neurons() {
  const Row b = exact_bias(net_.model->b_in, 0, net_.f).mid.cwiseAbs();
  directions_ = net_.neuron_directions.mid.cwiseAbs() + net_.neuron_directions.radius;
  double D = 1;
  Rows centred_size;
  if (net_.norm) {
    D = deviation({}, centred_size);
    normed_ = norm_step(mid_, centred_size, D, net_.eps.lo, affine_row(net_.model->ln2_w),
                        affine_row(net_.model->ln2_b));
  } else {
    normed_.local = {mid_.size + mid_.error, Rows::Zero(1, index(net_.d))};
  }
  act_range_ = neuron_ranges(D, centred_size);
  const Rounded& y = normed_.local;
  neuron_rounding_ = rounded(net_.d + 2, Row((y.size + y.error) * W_in_) + b);
  Row through = mid_rounding_ * directions_ + normed_.slip * turned_;
  to_neurons_ = Rows(index(net_.heads * net_.d_head), index(net_.f));
  for (std::size_t h = 0; h < net_.heads; ++h) {
    const Ball& to = net_.to_neurons[h];
    const Rows size = to.mid.cwiseAbs() + to.radius;
    to_neurons_.middleRows(index(h * net_.d_head), index(net_.d_head)) = size;
    through += heads_.tilt[h] / 2 * heads_.to_neurons[h].width() + heads_.value_error[h] * size;
  }
  neurons_ = {sizes(act_range_), normed_.scale * through + Row(y.error * W_in_) + neuron_rounding_};
}

void FloatWork::fill_activations(const FloatOptions& options) {
  const Eigen::Index f = index(net_.f);
  const bool is_relu = net_.act == ActFn::relu;
  slope_lo_ = Row::Constant(f, is_relu ? 0.0 : kSlopeLo);
  slope_hi_ = Row::Constant(f, is_relu ? 1.0 : kSlopeHi);
  act_rounding_ = Row::Zero(f);
  const Row z = neurons_.size + neurons_.error;
  if (!is_relu) {
    if (!(z.maxCoeff() <= kCubed)) {
      throw NoFloatBound("pre-activations above 2^39");
    }
    act_rounding_ = ((static_cast<double>(options.act_ulps) + 8) * kHalfUlp * z).array() + 0x1p-140;
  }
  for (Eigen::Index j = 0; j < f; ++j) {
    Interval& range = act_range_[static_cast<std::size_t>(j)];  // of z_j; from here on of act(z_j)
    // Only a neuron that is surely on one side, with room for a checker, has a fixed slope.
    const double edge = neurons_.error(0, j) * (1 + 0x1p-20) + 0x1p-30 * z(j);
    if (is_relu && (range.hi + edge < 0 || range.lo - edge > 0)) {
      slope_lo_(j) = slope_hi_(j) = range.lo > 0 ? 1.0 : 0.0;
    }
    range = is_relu ? relu(range) : Interval(kGeluLeast, std::max(range.hi, -kGeluLeast));
  }
  act_.size = sizes(act_range_);
  act_.error =
      slope_lo_.cwiseAbs().cwiseMax(slope_hi_).cwiseProduct(Row(neurons_.error)) + act_rounding_;
}

void FloatWork::fill_residual() {
  residual_ = mid_;
  residual_rounding_ = Row::Zero(index(net_.d));
  if (net_.f == 0) {
    return;
  }
  const Row sums = Row((act_.size + act_.error) * W_out_) + net_.b_out.cwiseAbs();
  Row middle(index(net_.f)), radius(index(net_.f));
  for (std::size_t j = 0; j < net_.f; ++j) {
    const Interval v = act_range_[j];
    middle(index(j)) = v.lo / 2 + v.hi / 2;
    radius(index(j)) = std::max(v.hi - middle(index(j)), middle(index(j)) - v.lo) * (1 + 0x1p-40);
  }
  // product() doubles a radius, which only a rounding error may bear
  const Ball out = plus_row(product({middle, Rows::Zero(1, index(net_.f))},
                                    {net_.W_out, Rows::Zero(index(net_.f), index(net_.d))}),
                            {net_.b_out, Rows::Zero(1, index(net_.d))});
  mlp_out_.size = out.mid.cwiseAbs() + out.radius + radius * W_out_;
  out_rounding_ = rounded(net_.f + 2, sums);
  mlp_out_.error = act_.error * W_out_ + out_rounding_;
  residual_.size = mid_.size + mlp_out_.size;
  residual_rounding_ = rounded(net_.f + 4, sums + Row(mid_.size + mid_.error));
  residual_.error = mid_.error + act_.error * W_out_ + residual_rounding_;
}

void FloatWork::fill_final() {
  std::vector<Interval> rest;
  for (std::size_t k = 0; net_.f != 0 && k < net_.d; ++k) {
    rest.emplace_back(net_.b_out(index(k)));
  }
  if (net_.f != 0) {
    centre(rest);
    for (std::size_t j = 0; j < net_.f; ++j) {
      std::vector<Interval> row;
      for (std::size_t k = 0; k < net_.d; ++k) {
        row.emplace_back(net_.W_out(index(j), index(k)));
      }
      centre(row);
      for (std::size_t k = 0; k < net_.d; ++k) {
        rest[k] += act_range_[j] * row[k];
      }
    }
  }
  for (std::size_t k = 0; net_.f != 0 && k < net_.d; ++k) {
    FoldTarget one{std::vector<Interval>(net_.f), std::vector<Interval>(net_.d), {}};
    one.g0[k] = Interval(1.0);
    for (std::size_t j = 0; j < net_.f; ++j) {
      one.kappa[j] = Interval(net_.W_out(index(j), index(k)));
    }
    double& error = residual_.error(0, index(k));
    error = std::min(error, carried(one) + residual_rounding_(index(k)));
  }
  Rows centred_size;
  const double D = deviation(rest, centred_size);
  final_ = norm_step(residual_, centred_size, D, net_.eps.lo, affine_row(net_.model->ln_final_w),
                     affine_row(net_.model->ln_final_b));
}

}  // namespace assay::bounds
