#pragma once

#include <memory>
#include <vector>

#include "attention.hpp"
#include "case.hpp"

namespace assay_check {

// FLOAT32-ANY-ORDER (docs/certificate-format.md, FLOAT32). All numbers named size, error, spread … are upper
// ends, >= 0; every one passes through `above`, so none is NaN and none may overflow a float32.

inline constexpr double kUnit = 0x1p-24;  ///< u: half an ulp of 1

/// >= the exact value of a sum of up to 2^20 terms >= 0 that plain double found to be x; Reject above 2^120.
[[nodiscard]] double above(double x);
/// n roundings of a sum of products whose absolute values add up to `size`: γ_n size, and underflow.
[[nodiscard]] double rounding(std::size_t n, double size);
/// max(|lo|, |hi|)
[[nodiscard]] double magnitude(const Interval& x);

/// The stated accuracy of a deployment's exp and of its erf or tanh.
struct Ulps {
  std::size_t exponential = 2, activation = 2;
};

using Sizes = std::vector<double>;

/// A vector v that is known, and what float32 makes of it: |computed − v| <= error, |v| <= size.
struct Computed {
  Sizes size, error;
};

/// Σ_i x_i |W[i, c]| for every column.
[[nodiscard]] Sizes weighted(const Sizes& x, const float* W, std::size_t columns);

/// LayerNorm of y in float32: two passes, (y − mean) / sqrt(mean of squares + eps) ∘ w + b.
/// `centred` bounds |P y|, `deviation` is a lower end of sqrt(|P y|²/d + eps).
[[nodiscard]] Computed float_norm(const Network& net, const Computed& y, const Sizes& centred,
                                  double deviation, const std::vector<float>& w,
                                  const std::vector<float>& b);

/// y / D(y), D = sqrt(|P y|²/d + eps), after the error of y: |D(y^) − D(y)| <= slip, 1/D(y^) <= scale, and
/// `local` is what float32 makes of LN(y^) alone.
struct Normed {
  Computed local;
  double scale = 1, slip = 0;
};
[[nodiscard]] Normed norm_of(const Network& net, const Computed& y, const Sizes& centred,
                             double deviation, const std::vector<float>& w,
                             const std::vector<float>& b);
/// <W_in[:,j], result> = <h_j, x>: P x ∘ w2 under a norm, else x.
[[nodiscard]] std::vector<Interval> read_by_neurons(const Network& net, std::vector<Interval> x);
/// P(w ∘ x), as in h_j = P(w2 ∘ W_in[:,j])
[[nodiscard]] std::vector<Interval> folded(std::vector<Interval> x, const std::vector<float>& w);

/// What attention adds up over the contexts of a case, head by head (H heads of e numbers each).
class FloatAttention {
 public:
  /// `longest`: of the contexts in tokens, 0 when there is no longest one.
  FloatAttention(Attention& attention, const ContextCase& contexts, std::size_t longest, Ulps ulps);

  [[nodiscard]] const Network& net() const { return net_; }
  /// max − min over all keys of <v_h, g>; g has e entries.
  [[nodiscard]] double spread(std::size_t head, const Ball& g, double* least = nullptr) const;

  Sizes tilt;                                  ///< [H]: α/(1 − α), of the weights
  Computed mean;                               ///< [He]: size of v; error B, apart from the tilt
  Sizes values_spread;                         ///< [He]: of v
  std::vector<std::vector<Interval>> mid;      ///< [H][d]: contributions to m
  std::vector<std::vector<Interval>> centred;  ///< [H][d]: to P m, under a norm
  std::vector<std::vector<Interval>> neuron;   ///< [H][f]: to <h_j, m>
  std::vector<std::vector<Interval>> queries;  ///< x(p,c) + b_O of every query
  Computed input;                              ///< [d]: x of the queries
  bool any_shift = false;                      ///< softmax may leave the shift out

 private:
  struct Row {
    std::size_t position = 0, token = 0;
    bool operator<(const Row& r) const {
      return position != r.position ? position < r.position : token < r.token;
    }
  };
  struct Pass;  ///< what is only needed while the tables are made
  void collect(const ContextCase& contexts, std::vector<Row>& keys,
               std::vector<Row>& queries) const;
  void add_query(const Row& row, Pass& pass);
  void add_key(const Row& row, Pass& pass);
  void add_contributions(std::size_t head, const Ball& v);
  void weigh(const Pass& pass, Ulps ulps);

  Attention& attention_;
  const Network& net_;
  std::vector<Ball> values_;  ///< [key][He]
};

/// The same from m to the logits.
class FloatLayers {
 public:
  FloatLayers(std::shared_ptr<const FloatAttention> attention, Ulps ulps);

  [[nodiscard]] bool any_shift() const { return attention_->any_shift; }
  /// Error of <g, m> + Σ_j κ_j act(z_j), the sums of this expression itself left out.
  [[nodiscard]] double path(const std::vector<Interval>& g,
                            const std::vector<Interval>& kappa) const;
  /// The same of <δ, LNfinal(r)>.
  [[nodiscard]] double final_path(const std::vector<Interval>& delta) const;

  Computed m, z, act, mlp_out, r;
  Normed unembedded;  ///< LNfinal(r); without a norm r itself, of which r.error is the whole
  Sizes mlp_out_rounding, r_rounding;  ///< of the sums that make them

 private:
  struct Slopes {
    std::vector<Interval> mid;  ///< κ_j times the middle slope
    Sizes rest, whole;          ///< |κ_j| times half the slopes' width, times the largest slope
  };
  void fill_mid();
  void fill_neurons();
  void fill_activations(Ulps ulps);
  void fill_residual();
  void fill_unembedded();
  [[nodiscard]] double head_path(const Ball& g, const Sizes* rest) const;
  [[nodiscard]] Slopes slopes(const std::vector<Interval>& kappa) const;
  /// A lower end of sqrt(|P y|²/d + eps), y within these parts.
  [[nodiscard]] double deviation(const std::vector<Interval>& rest, Sizes& centred) const;
  [[nodiscard]] std::vector<Interval> neuron_ranges(double deviation, const Sizes& centred);

  std::shared_ptr<const FloatAttention> attention_;
  const Network& net_;
  Sizes mid_rounding_, z_rounding_, act_rounding_;
  Normed normed_;  ///< LN2(m)
  std::vector<Interval> z_range_, slope_, act_range_;
  Sizes turned_;                   ///< [f]: bound of |z_j − c_j| under LN2
  std::vector<Sizes> to_neurons_;  ///< [He][f]: |<W_O[i], h_j>|
  std::vector<Sizes> directions_;  ///< [d][f]: |h_j|, h_j = W_in[:,j] without LN2
};

}  // namespace assay_check
