#include <algorithm>
#include <cmath>

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

}  // namespace

FloatLayers::FloatLayers(std::shared_ptr<const FloatAttention> attention, Ulps ulps)
    : attention_(std::move(attention)), net_(attention_->net()) {
  fill_mid();
  if (!net_.attn_only()) {
    if (net_.normalised) {
      fill_normed_mid();
    }
    fill_neurons();
    fill_activations(ulps);
  }
  fill_residual();
  if (net_.normalised) {
    fill_unembedded();
  } else {
    unembedded = r;
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

void FloatLayers::fill_normed_mid() {
  Sizes size;
  const double D = deviation({}, size);
  normed_ = float_norm(net_, m, size, D, net_.ln2_w, net_.ln2_b);
}

// z = y W_in + b_in, y = m or LN2(m)
void FloatLayers::fill_neurons() {
  const FloatAttention& a = *attention_;
  const std::size_t d = net_.d_model, f = net_.d_mlp, e = net_.d_head, He = net_.n_heads * e;
  const Computed& y = net_.normalised ? normed_ : m;
  Sizes whole, carried;
  for (std::size_t k = 0; k < d; ++k) {
    whole.push_back(above(y.size[k] + y.error[k]));
  }
  const Sizes sums = weighted(whole, net_.W_in.data(), f);
  const Sizes sizes = weighted(y.size, net_.W_in.data(), f);
  if (net_.normalised) {
    carried = weighted(y.error, net_.W_in.data(), f);
    for (std::size_t j = 0; j < f; ++j) {
      const double z_size = above(sizes[j] + std::fabs(static_cast<double>(net_.b_in[j])));
      z_range_.emplace_back(-z_size, z_size);
    }
  } else {
    carried = weighted(mid_rounding_, net_.W_in.data(), f);
    for (std::size_t i = 0; i < He; ++i) {
      Ball row;
      for (std::size_t k = 0; k < d; ++k) {
        row.mid.push_back(static_cast<double>(net_.W_O[i * d + k]));
        row.rad.push_back(0);
      }
      const Ball to = times(row, net_.W_in.data(), f);
      to_neurons_.emplace_back();
      for (std::size_t j = 0; j < f; ++j) {
        to_neurons_[i].push_back(magnitude(to[j]));
        carried[j] = above(carried[j] + a.mean.error[i] * to_neurons_[i][j]);
      }
    }
    std::vector<Interval> range;
    for (const std::vector<Interval>& x : a.queries) {
      const std::vector<Interval> base =
          intervals(times(Ball(x), net_.W_in.data(), f, net_.b_in.data()));
      for (std::size_t j = 0; j < f; ++j) {
        if (range.size() < f) {
          range.push_back(base[j]);
        }
        range[j] = hull(range[j], base[j]);
      }
    }
    for (std::size_t h = 0; h < net_.n_heads; ++h) {
      add_to(range, a.neuron[h]);
      for (std::size_t j = 0; j < f; ++j) {
        const Interval& n = a.neuron[h][j];
        carried[j] = above(carried[j] + a.tilt[h] * above(sum_up(n.hi(), -n.lo())) / 2);
      }
    }
    z_range_ = range;
  }
  for (std::size_t j = 0; j < f; ++j) {
    z_rounding_.push_back(rounding(d + 2, sums[j] + std::fabs(static_cast<double>(net_.b_in[j]))));
    z.size.push_back(magnitude(z_range_[j]));
    z.error.push_back(above(carried[j] + z_rounding_[j]));
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
  Sizes whole;
  for (std::size_t j = 0; j < f; ++j) {
    whole.push_back(above(act.size[j] + act.error[j]));
  }
  const Sizes sums = weighted(whole, net_.W_out.data(), d);
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
  unembedded = float_norm(net_, r, size, D, net_.ln_final_w, net_.ln_final_b);
}

}  // namespace assay_check
