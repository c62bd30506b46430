#include "max_of_k_tables.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"

namespace assay::bench {

using namespace bounds;

namespace {

constexpr double kUnit = 0x1p-53;

/// Reals within `error` of every entry of mid.
struct Near {
  Rows mid;
  double error = 0;

  [[nodiscard]] double size() const { return mid.cwiseAbs().maxCoeff() + error; }
};

/// |fl(AB) - A'B'| <= n (|A| e_B + e_A |B| + e_A e_B) + gamma_n |row of A|_2 |column of B|_2 in any
/// order of summation (Cauchy-Schwarz on |A||B|); doubled, which covers its own rounding.
Near product(const Near& x, const Near& y, Cost& cost) {
  const auto n = static_cast<double>(x.mid.cols());
  const double rows = x.mid.rowwise().norm().maxCoeff();
  const double columns = y.mid.colwise().norm().maxCoeff();
  cost.multiply_adds += static_cast<std::uint64_t>(x.mid.rows() * x.mid.cols() * y.mid.cols() +
                                                   x.mid.size() + y.mid.size());
  return {x.mid * y.mid, 2 * (n * (x.size() * y.error + x.error * y.size()) +
                              gamma(x.mid.cols()) * rows * columns)};
}

Near sum(const Rows& mid, double error, Cost& cost) {
  cost.multiply_adds += static_cast<std::uint64_t>(mid.size());
  return {mid, 1.0001 * (error + 2 * kUnit * mid.cwiseAbs().maxCoeff())};
}

Near block(const Tensor& t, std::size_t rows, std::size_t columns) {
  return {exact(t, 0, rows, columns).mid, 0};
}

/// e^{x - largest of the row}; the error is relative.
Near weights(const Near& x, Cost& cost) {
  Near w{x.mid, 0};
  for (Eigen::Index q = 0; q < w.mid.rows(); ++q) {
    const double shift = x.mid.row(q).maxCoeff();
    for (Eigen::Index u = 0; u < w.mid.cols(); ++u) {
      const Interval score = Interval(x.mid(q, u)) - Interval(shift);
      const Interval e =
          exp(Interval(round_down(score.lo - x.error), round_up(score.hi + x.error)));
      w.mid(q, u) = std::min(1.0, e.lo);
      w.error = std::max(w.error, 1.0001 * (e.hi - w.mid(q, u)) / w.mid(q, u));
    }
  }
  cost.multiply_adds += static_cast<std::uint64_t>(w.mid.size());
  cost.comparisons += static_cast<std::uint64_t>(w.mid.size());
  cost.exponentials += static_cast<std::uint64_t>(w.mid.size());
  return w;
}

/// Moves the mean row of `from` into every row of `to`: any row would do.
void move_mean(Near& from, Near& to, Cost& cost) {
  const Row mean = from.mid.colwise().mean();
  cost.multiply_adds += static_cast<std::uint64_t>(from.mid.size());
  from = sum(from.mid.rowwise() - mean, from.error, cost);
  to = sum(to.mid.rowwise() + mean, to.error, cost);
}

void require_plain(const Network& net) {
  const TransformerConfig& config = net.model->config;
  if (!config.attn_only || net.heads != 1 || net.norm || !net.absolute || net.vocab < 2 ||
      config.d_vocab_out != net.vocab || !net.b_Q[0].mid.isZero(0) || !net.b_K[0].mid.isZero(0) ||
      !net.b_V[0].mid.isZero(0) || !net.b_O.isZero(0) || !net.b_U.isZero(0)) {
    throw InputError(
        "max of K: one head, attention only, absolute positions, no normalisation and no biases");
  }
}

}  // namespace

Tables::Tables(const Network& net, std::size_t length) : v(net.vocab), K(length) {
  require_plain(net);
  const Transformer& model = *net.model;
  if (K < 2 || K > model.config.n_ctx) {
    throw InputError("max of K: K is from 2 to the model's positions");
  }
  const Near tokens = block(model.W_E, v, net.d);
  const Near places = block(model.W_pos, K, net.d);
  const Near queries = sum(tokens.mid.rowwise() + Row(places.mid.row(index(K - 1))), 0, cost);
  Near q = product(queries, {net.W_Q[0].mid, 0}, cost);
  const double scale = 1 / net.scale.lo;  // the scale's enclosure is a few units wide
  q = sum(q.mid * scale, q.error * scale + 8 * kUnit * q.size() * scale, cost);
  const Rows keys_to_model = net.W_K[0].mid.transpose();
  const Near to_scores = product(q, {keys_to_model, 0}, cost);
  const Near b_near = weights(product(to_scores, {tokens.mid.transpose(), 0}, cost), cost);
  const Near a_near = weights(product(to_scores, {places.mid.transpose(), 0}, cost), cost);

  const Near W_U{net.W_U, 0};
  const Near out = product({net.W_O[0].mid, 0}, W_U, cost);
  const Near through = product({net.W_V[0].mid, 0}, out, cost);
  Near token_values = product(tokens, through, cost);
  Near place_values = product(places, through, cost);
  Near direct = product(queries, W_U, cost);
  move_mean(place_values, token_values, cost);
  move_mean(direct, token_values, cost);

  a = a_near.mid;
  b = b_near.mid;
  V = token_values.mid;
  P = place_values.mid;
  D = direct.mid;
  // A bracket is a sum of at most 8 entries, at most `size` in all; a term is that times two weights,
  // at most (1 + error)^2 of the largest b, and K terms are added in at most 8 K operations.
  const double n = static_cast<double>(K);
  const double size = 2 * (token_values.size() + place_values.size() + direct.size());
  const double bracket =
      2 * (token_values.error + place_values.error + direct.error) + gamma(8) * size;
  const double term = bracket + (a_near.error + b_near.error + gamma(4)) * size;
  room = 4 * n * (term + gamma(index(8 * K)) * size);
  if (!a.allFinite() || !b.allFinite() || !V.allFinite() || !P.allFinite() || !D.allFinite() ||
      !(a_near.error < 0.125) || !(b_near.error < 0.125) || !(room < 1) ||
      !(b.minCoeff() > 0x1p-900) || !(a.minCoeff() > 0x1p-900)) {
    throw InputError("max of K: scores or values too large to enclose");
  }
}

}  // namespace assay::bench
