#include <algorithm>
#include <cmath>

#include "float32.hpp"
#include "linear.hpp"

namespace assay_check {
namespace {

double half_width(const Interval& x) {
  return std::max(sum_up(x.hi(), -x.lo()), 0.0) / 2;
}

/// |x_i| of a ball
Sizes magnitudes(const Ball& x) {
  Sizes out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    out.push_back(magnitude(x[i]));
  }
  return out;
}

/// √d |g|
double length(const std::vector<Interval>& g) {
  const Interval d(static_cast<double>(g.size()));
  const double squares = (d * square_sum(g)).hi();
  return squares > 0 ? above(square_root(Interval(squares)).hi()) : 0;
}

}  // namespace

// act(z^) − act(z) = s (z^ − z), s between the slopes: the error of Σ κ_j act(z_j) runs back through
// κ_j s_j = κ_j (middle slope) ± |κ_j| (half width).
FloatLayers::Slopes FloatLayers::slopes(const std::vector<Interval>& kappa) const {
  Slopes s;
  for (std::size_t j = 0; j < kappa.size(); ++j) {
    const Interval middle(slope_[j].lo() / 2 + slope_[j].hi() / 2);
    s.mid.push_back(kappa[j] * middle);
    s.rest.push_back(above(magnitude(kappa[j]) * half_width(slope_[j])));
    s.whole.push_back(above(magnitude(kappa[j]) * magnitude(slope_[j])));
  }
  return s;
}

// The error of <g ± Σ_j rest_j W_in[:,j], m>.
double FloatLayers::head_path(const Ball& g, const Sizes* rest) const {
  const FloatAttention& a = *attention_;
  const std::size_t d = net_.d_model, e = net_.d_head, H = net_.n_heads, f = net_.d_mlp;
  double sum = 0;
  for (std::size_t h = 0; h < H; ++h) {
    const Ball along = times(&net_.W_O[h * e * d], e, g);
    double spread = a.spread(h, along);
    for (std::size_t j = 0; rest != nullptr && j < f; ++j) {
      spread += (*rest)[j] * 2 * half_width(a.neuron[h][j]);
    }
    sum += a.tilt[h] * above(spread) / 2;
    for (std::size_t i = 0; i < e; ++i) {
      double size = magnitude(along[i]);
      for (std::size_t j = 0; rest != nullptr && j < f; ++j) {
        size += to_neurons_[h * e + i][j] * (*rest)[j];
      }
      sum += above(size) * a.mean.error[h * e + i];
    }
  }
  for (std::size_t k = 0; k < d; ++k) {
    double size = magnitude(g[k]);
    for (std::size_t j = 0; rest != nullptr && j < f; ++j) {
      size += directions_[k][j] * (*rest)[j];
    }
    sum += above(size) * mid_rounding_[k];
  }
  return above(sum);
}

double FloatLayers::path(const std::vector<Interval>& g, const std::vector<Interval>& kappa) const {
  const bool reads_mlp =
      std::any_of(kappa.begin(), kappa.end(), [](const Interval& k) { return !k.is_zero(); });
  if (!reads_mlp) {
    return head_path(Ball(g), nullptr);
  }
  const Slopes s = slopes(kappa);
  const std::size_t d = net_.d_model, f = net_.d_mlp;
  double own = 0;
  for (std::size_t j = 0; j < f; ++j) {
    own += s.whole[j] * z_rounding_[j] + magnitude(kappa[j]) * act_rounding_[j];
  }
  const Ball back = times(net_.W_in.data(), d, Ball(s.mid));
  if (!net_.normalised) {
    std::vector<Interval> G = intervals(back);
    for (std::size_t k = 0; k < d; ++k) {
      G[k] = G[k] + g[k];
    }
    return above(head_path(Ball(G), &s.rest) + above(own));
  }
  // ( <G, Δ> + (D − D^) <G, P m/D> ) / D^ with |<G, P m/D>| <= √d |G| for the middle slopes
  const std::vector<Interval> G = folded(intervals(back), net_.ln2_w);
  double turned = length(G);
  for (std::size_t j = 0; j < f; ++j) {
    turned += s.rest[j] * turned_[j];
  }
  const double through = head_path(Ball(G), &s.rest) + normed_.slip * above(turned);
  const Sizes middle = magnitudes(back);
  for (std::size_t k = 0; k < d; ++k) {
    double size = middle[k];
    for (std::size_t j = 0; j < f; ++j) {
      size += std::fabs(static_cast<double>(net_.W_in[k * f + j])) * s.rest[j];
    }
    own += above(size) * normed_.local.error[k];
  }
  return above(head_path(Ball(g), nullptr) + normed_.scale * above(through) + above(own));
}

// δ along LNfinal: ( <h, Δ> + (D − D^) <h, P r/D> ) / D^, h = P(w ∘ δ), |P r/D| <= √d; never above 2 √d |h|.
double FloatLayers::final_path(const std::vector<Interval>& delta) const {
  const std::vector<Interval> h = folded(delta, net_.ln_final_w);
  std::vector<Interval> kappa;
  if (!net_.attn_only()) {
    kappa = intervals(times(net_.W_out.data(), net_.d_mlp, Ball(h)));
  }
  double through = path(h, kappa) + unembedded.slip * length(h), own = 0;
  for (std::size_t k = 0; k < h.size(); ++k) {
    through += magnitude(h[k]) * r_rounding[k];
    own += magnitude(delta[k]) * unembedded.local.error[k];
  }
  return above(std::min(unembedded.scale * above(through), 2 * length(h)) + above(own));
}

}  // namespace assay_check
