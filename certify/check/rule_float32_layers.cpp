#include <algorithm>
#include <cmath>

#include "elementary.hpp"
#include "float32.hpp"
#include "linear.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr double kMostCubed = 0x1p40;  // |z| whose cube fits a float32
// gelu' and gelu_new' lie in [−0.14, 1.14], both functions above −0.2.
const Interval kGeluSlope(-0.14, 1.14);
constexpr double kGeluLeast = -0.2;

void add_to(std::vector<Interval>& x, const std::vector<Interval>& y) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    x[i] = x[i] + y[i];
  }
}

Sizes whole(const Computed& x) {
  Sizes out;
  for (std::size_t i = 0; i < x.size.size(); ++i) {
    out.push_back(above(x.size[i] + x.error[i]));
  }
  return out;
}

}  // namespace

FloatLayers::FloatLayers(std::shared_ptr<const FloatAttention> attention, Ulps ulps)
    : attention_(std::move(attention)), net_(attention_->net()) {
  fill_mid();
  if (!net_.attn_only()) {
    fill_neurons();
    fill_activations(ulps);
  }
  fill_residual();
  if (net_.normalised) {
    fill_unembedded();
  } else {
    unembedded.local = r;
  }
}

void FloatLayers::fill_mid() {
  const FloatAttention& a = *attention_;
  const std::size_t d = net_.d_model, e = net_.d_head, He = net_.n_heads * e;
  std::vector<Interval> range = a.queries.front();
  for (const std::vector<Interval>& x : a.queries) {
    for (std::size_t k = 0; k < d; ++k) {
      range[k] = hull(range[k], x[k]);
    }
  }
  Sizes outputs, tilted(d, 0);
  for (std::size_t i = 0; i < He; ++i) {
    outputs.push_back(
        above(a.mean.size[i] + a.tilt[i / e] * a.values_spread[i] / 2 + a.mean.error[i]));
  }
  for (std::size_t h = 0; h < net_.n_heads; ++h) {
    add_to(range, a.mid[h]);
    for (std::size_t k = 0; k < d; ++k) {
      tilted[k] += a.tilt[h] * above(sum_up(a.mid[h][k].hi(), -a.mid[h][k].lo())) / 2;
    }
  }
  const Sizes sums = weighted(outputs, net_.W_O.data(), d);
  const Sizes carried = weighted(a.mean.error, net_.W_O.data(), d);
  for (std::size_t k = 0; k < d; ++k) {
    const double x = a.input.size[k] + a.input.error[k];
    mid_rounding_.push_back(
        above(a.input.error[k] +
              rounding(He + 4, sums[k] + x + std::fabs(static_cast<double>(net_.b_O[k])))));
    m.size.push_back(magnitude(range[k]));
    m.error.push_back(above(above(tilted[k]) + carried[k] + mid_rounding_[k]));
  }
}

double FloatLayers::deviation(const std::vector<Interval>& rest, Sizes& size) const {
  const FloatAttention& a = *attention_;
  const std::size_t d = net_.d_model, e = net_.d_head;
  double least = HUGE_VAL;
  size.assign(d, 0);
  for (const std::vector<Interval>& x : a.queries) {
    const std::vector<Interval> base = centred(x);
    std::vector<Interval> y = base;
    for (const std::vector<Interval>& part : a.centred) {
      add_to(y, part);
    }
    add_to(y, rest);
    std::vector<Interval> u;
    for (std::size_t k = 0; k < d; ++k) {
      size[k] = std::max(size[k], magnitude(y[k]));
      u.emplace_back(y[k].lo() / 2 + y[k].hi() / 2);
    }
    u = centred(u);
    Interval along = dot(u, base);  // of <u, P y>: its lower end counts
    for (std::size_t h = 0; h < net_.n_heads; ++h) {
      double lowest = 0;
      static_cast<void>(a.spread(h, times(&net_.W_O[h * e * d], e, Ball(u)), &lowest));
      along = along + Interval(lowest);
    }
    for (std::size_t k = 0; k < rest.size(); ++k) {
      along = along + u[k] * rest[k];
    }
    double squares = square_sum(y).lo();
    const Interval length = square_sum(u);
    if (along.lo() > 0 && length.lo() > 0) {
      squares = std::max(squares, (square(Interval(along.lo())) / length).lo());
    }
    least = std::min(least, squares);
  }
  return square_root(Interval(std::max(least, 0.0)) / Interval(static_cast<double>(d)) + net_.eps)
      .lo();
}

// <h_j, m> over the domain, and z_j = s <h_j, m> + c_j with s = 1/D, |s <h_j, m>| <= √d |h_j|.
std::vector<Interval> FloatLayers::neuron_ranges(double D, const Sizes& centred_size) {
  const FloatAttention& a = *attention_;
  const std::size_t d = net_.d_model, f = net_.d_mlp;
  std::vector<Interval> range;
  for (const std::vector<Interval>& x : a.queries) {
    const std::vector<Interval> base =
        intervals(times(Ball(read_by_neurons(net_, x)), net_.W_in.data(), f));
    range = range.empty() ? base : range;
    for (std::size_t j = 0; j < f; ++j) {
      range[j] = hull(range[j], base[j]);
    }
  }
  for (const std::vector<Interval>& part : a.neuron) {
    add_to(range, part);
  }
  const Ball c = times(Ball(std::vector<Interval>(net_.ln2_b.begin(), net_.ln2_b.end())),
                       net_.W_in.data(), net_.ln2_b.empty() ? 0 : f, net_.b_in.data());
  double squares = 0;
  for (const double x : centred_size) {
    squares += x * x;
  }
  const Interval dim(static_cast<double>(d));
  const Interval s = net_.normalised
                         ? hull(Interval(1) / Interval(D),
                                reciprocal_root(Interval(above(squares)) / dim + net_.eps))
                         : Interval(1);
  for (std::size_t j = 0; j < f; ++j) {
    if (!net_.normalised) {
      range[j] = range[j] + Interval(net_.b_in[j]);
      continue;
    }
    Interval length;
    for (std::size_t k = 0; k < d; ++k) {
      length = length + square(Interval(directions_[k][j]));
    }
    const double ball = length.hi() > 0 ? square_root(dim * Interval(length.hi())).hi() : 0;
    const Interval y = s * range[j];
    const Interval turned(std::clamp(y.lo(), -ball, ball), std::clamp(y.hi(), -ball, ball));
    turned_.push_back(magnitude(turned));
    range[j] = turned + c[j];
  }
  return range;
}

// z = y W_in + b_in, y = m or LN2(m). With Δ the error of m and D^ the computed deviation
//   z^ − z = ( <h_j, Δ> + (D − D^) (z_j − c_j) ) / D^ + what LN2 and the sum round
void FloatLayers::fill_neurons() {
  const FloatAttention& a = *attention_;
  const std::size_t d = net_.d_model, f = net_.d_mlp, e = net_.d_head, He = net_.n_heads * e;
  directions_.assign(d, {});
  for (std::size_t j = 0; j < f; ++j) {
    const std::vector<Interval> w = exact(&net_.W_in[j], d, f);
    const std::vector<Interval> h = net_.normalised ? folded(w, net_.ln2_w) : w;
    for (std::size_t k = 0; k < d; ++k) {
      directions_[k].push_back(magnitude(h[k]));
    }
  }
  Sizes size;
  double D = 1;
  if (net_.normalised) {
    D = deviation({}, size);
    normed_ = norm_of(net_, m, size, D, net_.ln2_w, net_.ln2_b);
  } else {
    normed_.local.size = whole(m);
    normed_.local.error.assign(d, 0);
  }
  z_range_ = neuron_ranges(D, size);
  Sizes carried(f, 0);
  for (std::size_t i = 0; i < He; ++i) {
    const std::vector<Interval> row(&net_.W_O[i * d], &net_.W_O[i * d] + d);
    const Ball to = times(Ball(read_by_neurons(net_, row)), net_.W_in.data(), f);
    to_neurons_.emplace_back();
    for (std::size_t j = 0; j < f; ++j) {
      to_neurons_[i].push_back(magnitude(to[j]));
      carried[j] = above(carried[j] + a.mean.error[i] * to_neurons_[i][j]);
    }
  }
  const Sizes sums = weighted(whole(normed_.local), net_.W_in.data(), f);
  const Sizes local = weighted(normed_.local.error, net_.W_in.data(), f);
  for (std::size_t j = 0; j < f; ++j) {
    double error = carried[j] + (net_.normalised ? turned_[j] * normed_.slip : 0);
    for (std::size_t k = 0; k < d; ++k) {
      error += directions_[k][j] * mid_rounding_[k];
    }
    for (std::size_t h = 0; h < net_.n_heads; ++h) {
      const Interval& n = a.neuron[h][j];
      error += a.tilt[h] * above(sum_up(n.hi(), -n.lo())) / 2;
    }
    z_rounding_.push_back(rounding(d + 2, sums[j] + std::fabs(static_cast<double>(net_.b_in[j]))));
    z.size.push_back(magnitude(z_range_[j]));
    z.error.push_back(above(normed_.scale * above(error) + local[j] + z_rounding_[j]));
  }
}

void FloatLayers::fill_activations(Ulps ulps) {
  for (std::size_t j = 0; j < net_.d_mlp; ++j) {
    const double lo = z_range_[j].lo(), hi = z_range_[j].hi(), error = z.error[j];
    if (net_.act == ActKind::relu) {
      slope_.push_back(sum_up(hi, error) < 0     ? Interval(0)
                       : -sum_up(-lo, error) > 0 ? Interval(1)
                                                 : Interval(0, 1));
      act_range_.emplace_back(std::max(lo, 0.0), std::max(hi, 0.0));
      act_rounding_.push_back(0);
    } else {
      const double whole = above(z.size[j] + error);
      if (!(whole <= kMostCubed)) {
        throw Reject("FLOAT32", "a pre-activation above 2^40");
      }
      slope_.push_back(kGeluSlope);
      act_range_.emplace_back(kGeluLeast, std::max(hi, -kGeluLeast));
      act_rounding_.push_back(
          above(static_cast<double>(ulps.activation + 8) * kUnit * whole + 0x1p-140));
    }
    act.size.push_back(magnitude(act_range_[j]));
    act.error.push_back(above(magnitude(slope_[j]) * error + act_rounding_[j]));
  }
}

// r = m + act W_out + b_out; mlp_out without m
void FloatLayers::fill_residual() {
  const std::size_t d = net_.d_model, f = net_.d_mlp;
  if (net_.attn_only()) {
    r = m;
    r_rounding.assign(d, 0);
    return;
  }
  const Sizes sums = weighted(whole(act), net_.W_out.data(), d);
  const Sizes carried = weighted(act.error, net_.W_out.data(), d);
  Ball middle;
  for (const Interval& x : act_range_) {
    middle.mid.push_back(x.lo() / 2 + x.hi() / 2);
    middle.rad.push_back(
        std::max(sum_up(x.hi(), -middle.mid.back()), sum_up(middle.mid.back(), -x.lo())));
  }
  const Ball out = times(middle, net_.W_out.data(), d, net_.b_out.data());
  for (std::size_t k = 0; k < d; ++k) {
    const double b = std::fabs(static_cast<double>(net_.b_out[k]));
    mlp_out.size.push_back(magnitude(out[k]));
    mlp_out_rounding.push_back(rounding(f + 2, sums[k] + b));
    mlp_out.error.push_back(above(carried[k] + mlp_out_rounding[k]));
    r.size.push_back(above(m.size[k] + mlp_out.size[k]));
    r_rounding.push_back(rounding(f + 4, sums[k] + b + m.size[k] + m.error[k]));
    r.error.push_back(above(m.error[k] + carried[k] + r_rounding[k]));
  }
}

void FloatLayers::fill_unembedded() {
  const std::size_t d = net_.d_model, f = net_.d_mlp;
  std::vector<Interval> rest(d);
  for (std::size_t k = 0; k < d && f != 0; ++k) {
    rest[k] = Interval(net_.b_out[k]);
  }
  rest = centred(rest);
  for (std::size_t j = 0; j < f; ++j) {
    const auto first = net_.W_out.begin() + static_cast<std::ptrdiff_t>(j * d);
    const std::vector<Interval> row =
        centred(std::vector<Interval>(first, first + static_cast<std::ptrdiff_t>(d)));
    for (std::size_t k = 0; k < d; ++k) {
      rest[k] = rest[k] + act_range_[j] * row[k];
    }
  }
  for (std::size_t k = 0; k < d && !net_.attn_only(); ++k) {
    std::vector<Interval> g(d), kappa;
    g[k] = Interval(1);
    for (std::size_t j = 0; j < f; ++j) {
      kappa.emplace_back(net_.W_out[j * d + k]);
    }
    r.error[k] = std::min(r.error[k], above(path(g, kappa) + r_rounding[k]));
  }
  Sizes size;
  const double D = deviation(rest, size);
  unembedded = norm_of(net_, r, size, D, net_.ln_final_w, net_.ln_final_b);
}

}  // namespace assay_check
