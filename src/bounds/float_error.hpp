#pragma once

#include <memory>
#include <stdexcept>
#include <vector>

#include "assay/bounds/float_error.hpp"
#include "network.hpp"
#include "target.hpp"

namespace assay::bounds {

/// Why no bound is known; caught where the answer is made.
struct NoFloatBound : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Sizes and errors are numbers >= 0 that only products, sums and quotients of such numbers make, to the
// nearest: each is off by a factor within 1 ± 2^-30, which the room of FloatWork::error covers.

/// A vector (or one row a key) and how far float32 may be from it.
struct Rounded {
  Rows size, error;
};

/// gamma_n of float32 times `sums`, the sums of the absolute values of n terms, and underflow.
[[nodiscard]] Rows rounded(std::size_t n, const Rows& sums);
/// LayerNorm in two passes; a row a vector. `centred` bounds |P y|, deviation[r] is below
/// sqrt(|P y|^2/d + eps). A Rows without columns stands for w = 1, b = 0.
[[nodiscard]] Rounded norm_rounded(const Rounded& y, const Rows& centred,
                                   const std::vector<double>& deviation, double eps, const Rows& w,
                                   const Rows& b);
[[nodiscard]] Rows affine_row(const Tensor& t);

/// LN of one vector y that float32 knows as y^, D = sqrt(|P y|^2/d + eps):
///   LN(y^) − LN(y) = ( P(y^ − y) + (D − D^) P y/D ) / D^      |D − D^| <= slip      1/D^ <= scale
struct NormStep {
  Rounded local;  ///< what float32 makes of LN(y^)
  double scale = 1, slip = 0;
};
[[nodiscard]] NormStep norm_step(const Rounded& y, const Rows& centred, double deviation,
                                 double eps, const Rows& w, const Rows& b);

/// Lower and upper ends, entry by entry.
struct Hull {
  Row lo, hi;

  void add(const Ball& rows);  ///< every row of it
  [[nodiscard]] Row width() const { return hi - lo; }
  [[nodiscard]] Row size() const { return lo.cwiseAbs().cwiseMax(hi.cwiseAbs()); }
};

/// The keys and queries of a domain, as attention in float32 sees them.
struct FloatHeads {
  FloatHeads(const Network& net, const Domain& domain, const FloatOptions& options);

  /// max - min over the keys of <v_h, g>, and the least.
  struct Spread {
    double width = 0, least = 0;
  };
  [[nodiscard]] Spread spread(std::size_t head, const Ball& g) const;  ///< g [d_head,1]

  const Network& net;
  std::vector<Ball> values;  ///< per head [keys, d_head]
  std::vector<double> tilt;  ///< per head alpha/(1 - alpha)
  std::vector<Row> value_size, value_error,
      wide;  ///< per head [d_head]; B of the theorem; spread of v
  std::vector<Hull> to_mid, to_centred, to_neurons;  ///< per head
  Ball queries;                                      ///< x(p,c): [queries, d]
  Row input_size, input_error;                       ///< of the queries' x
  bool any_shift = false;

 private:
  struct Seen;
  void take_queries(Seen& seen);
  void take_keys(Seen& seen);
  void take_scores(std::size_t head, const Rounded& keys, Seen& seen) const;
  void finish(const Seen& seen, const FloatOptions& options);
};

/// From m to the logits; answers for quantities.
class FloatWork {
 public:
  /// Throws NoFloatBound.
  FloatWork(const Network& net, const Domain& domain, const FloatOptions& options);

  /// Room included. Throws NoFloatBound.
  [[nodiscard]] double error(const Sae* sae, const Quantity& quantity) const;
  [[nodiscard]] bool any_shift() const { return heads_.any_shift; }

 private:
  void fill_mid();
  void fill_neurons();
  void fill_activations(const FloatOptions& options);
  void fill_residual();
  void fill_final();
  /// Below sqrt(|P y|^2/d + eps) for y = m + rest, rest enclosed; `centred` becomes a bound of |P y|.
  [[nodiscard]] double deviation(const std::vector<Interval>& rest, Rows& centred) const;
  /// Error of <g0, m> + sum kappa act(z) but for the rounding of this sum itself.
  [[nodiscard]] double carried(const FoldTarget& target) const;
  [[nodiscard]] double carried_by_mid(const Ball& g, const Row& loose) const;
  [[nodiscard]] double carried_to_logits(const Quantity& q) const;
  [[nodiscard]] std::vector<Interval> neuron_ranges(double deviation, const Rows& centred);
  [[nodiscard]] double logit_error(const Quantity& q) const;
  [[nodiscard]] double reading_error(const Sae* sae, const Quantity& q) const;

  const Network& net_;
  FloatHeads heads_;
  Rows W_in_, W_out_, W_O_;  ///< absolute values; W_O [H d_head, d]
  Rows directions_,
      to_neurons_;  ///< |h_j| [d,f] and |W_O h_j| [H d_head, f]; h_j = W_in[:,j] without LN2
  Row turned_;      ///< under LN2 a bound of |z_j − c_j|
  Rounded mid_, neurons_, act_, mlp_out_, residual_;
  NormStep normed_, final_;  ///< without a norm `local` is the whole of what they read
  Row mid_rounding_, neuron_rounding_, act_rounding_, out_rounding_, residual_rounding_;
  Row slope_lo_, slope_hi_;
  std::vector<Interval> act_range_;
};

/// Answers on one domain; a domain without a bound answers with the reason.
class FloatAnswers {
 public:
  FloatAnswers(const Network& net, const Domain& domain, const FloatOptions& options);
  [[nodiscard]] FloatError error(const Sae* sae, const Quantity& quantity) const;

 private:
  std::unique_ptr<const FloatWork> work_;
  std::string given_, reason_;
};

}  // namespace assay::bounds
