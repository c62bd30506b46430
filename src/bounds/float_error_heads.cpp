#include <algorithm>
#include <cmath>
#include <limits>

#include "float_error.hpp"

namespace assay::bounds {
namespace {

constexpr double kHalfUlp = 0x1p-24;
constexpr double kLargest = 0x1p119;      // numbers above it might overflow somewhere on the way
constexpr double kWork = 0x1p33;          // multiply-adds
constexpr Eigen::Index kBlock = 512;      // keys at a time
constexpr double kUnshiftedScore = 32;    // e^(2 score) must stay a normal float32
constexpr double kUnshiftedSum = 0x1p26;  // keys times largest value
constexpr double kRotaryTable = 0x1p-20;  // per token of the longest context

void need(const Rows& x) {
  if (x.size() != 0 && (!x.allFinite() || x.maxCoeff() > kLargest)) {
    throw NoFloatBound("numbers above 2^119, or not numbers: float32 may overflow");
  }
}

Rows whole(const Rounded& x) {
  return x.size + x.error;
}

/// |x| of a ball, upper ends
Rows size_of(const Ball& x) {
  return x.mid.cwiseAbs() + x.radius;
}

/// Float32's x W + b, x enclosed by `exact`.
Rounded project(const Rounded& x, const Ball& W, const Ball& b, const Ball& value) {
  const Rows size = W.mid.cwiseAbs();
  const Rows sums = (whole(x) * size).rowwise() + Row(b.mid.row(0).cwiseAbs());
  need(sums);
  return {size_of(value),
          x.error * size + rounded(static_cast<std::size_t>(x.size.cols()) + 2, sums)};
}

/// The pairs that R_p turns: a number and its partner come to at most their sum.
void turn(Rounded& x, std::size_t half, double table) {
  for (std::size_t i = 0; i < half; ++i) {
    const Eigen::Index a = index(i), b = index(i + half);
    const Eigen::VectorXd size = x.size.col(a) + x.size.col(b);
    const Eigen::VectorXd error = x.error.col(a) + x.error.col(b);
    x.size.col(a) = x.size.col(b) = size;
    x.error.col(a) = x.error.col(b) =
        ((error + (table + 6 * kHalfUlp) * (size + error)).array() + 0x1p-147).matrix();
  }
}

void raise(Row& x, const Rows& by) {
  const Row top = by.colwise().maxCoeff();
  x = x.size() == 0 ? top : Row(x.cwiseMax(top));
}

Ball centred(const Ball& x) {
  const Eigen::VectorXd mean = x.mid.rowwise().mean(), radius = x.radius.rowwise().mean();
  const Eigen::VectorXd top = x.mid.cwiseAbs().rowwise().maxCoeff();
  Ball y{x.mid.colwise() - mean, x.radius.colwise() + radius};
  y.radius.colwise() += static_cast<double>(x.mid.cols() + 4) * 0x1p-51 * top;
  return y;
}

}  // namespace

Rows rounded(std::size_t n, const Rows& sums) {
  const double nu = static_cast<double>(n) * kHalfUlp;
  if (!(nu <= 0x1p-5)) {
    throw NoFloatBound("a sum of more than 2^19 terms");
  }
  need(sums);
  return (nu / (1 - nu) * sums).array() + static_cast<double>(n) * 0x1p-148;
}

Rows affine_row(const Tensor& t) {
  return t.data.empty() ? Rows() : exact(t, 0, 1, t.data.size()).mid;
}

// Row by row, with D the deviation, delta the error of y − mean and s = |delta|/sqrt d:
//   |computed − P y/D| <= (delta_i + min(sqrt d, |P y|_i/D) s) / max(D − s, sqrt eps)
// (never more than sqrt d + |P y|_i/D), and d + 12 roundings more; then w and b.
Rounded norm_rounded(const Rounded& y, const Rows& centred, const std::vector<double>& deviation,
                     double eps, const Rows& w, const Rows& b) {
  const Eigen::Index n = y.size.cols();
  const double d = static_cast<double>(n);
  const auto terms = static_cast<std::size_t>(n);
  Rounded out{Rows(y.size.rows(), n), Rows(y.size.rows(), n)};
  for (Eigen::Index r = 0; r < y.size.rows(); ++r) {
    const double D = deviation[static_cast<std::size_t>(r)];
    const Rows mean = Rows::Constant(1, 1, (y.size.row(r) + y.error.row(r)).sum() / d);
    const double shared = y.error.row(r).sum() / d + rounded(terms + 2, mean)(0, 0);
    const Row moved = y.error.row(r).array() + shared;
    const Row delta = moved + kHalfUlp * (centred.row(r) + moved);
    need(Rows::Constant(1, 1, (centred.row(r) + delta).squaredNorm()));
    const double slip = delta.norm() / std::sqrt(d);
    const double least =
        std::max(D * (1 - 0x1p-40) - slip * (1 + 0x1p-40), std::sqrt(eps) * (1 - 0x1p-40));
    const Row size = (centred.row(r) / D).cwiseMin(std::sqrt(d));
    const Row shift =
        ((delta + size * slip) / least).cwiseMin((size.array() + std::sqrt(d)).matrix());
    const Row error = shift + Row(rounded(terms + 12, size + shift));
    const Row scale = w.cols() == 0 ? Row::Ones(n) : Row(w.cwiseAbs().row(0));
    const Row offset = b.cols() == 0 ? Row::Zero(n) : Row(b.cwiseAbs().row(0));
    out.size.row(r) = scale.cwiseProduct(size) + offset;
    out.error.row(r) =
        scale.cwiseProduct(error) + Row(rounded(3, scale.cwiseProduct(Row(size + error)) + offset));
  }
  need(out.size + out.error);
  return out;
}

NormStep norm_step(const Rounded& y, const Rows& centred, double deviation, double eps,
                   const Rows& w, const Rows& b) {
  NormStep step;
  step.slip = y.error.norm() / std::sqrt(static_cast<double>(y.error.cols()));
  const double least = std::max(deviation * (1 - 0x1p-40) - step.slip * (1 + 0x1p-40),
                                std::sqrt(eps) * (1 - 0x1p-40));
  step.scale = 1 / least;
  const Rounded known{y.size + y.error, Rows::Zero(1, y.size.cols())};
  const Rows around = (centred + y.error).array() + y.error.mean();
  step.local = norm_rounded(known, around, {least}, eps, w, b);
  return step;
}

void Hull::add(const Ball& rows) {
  const Row low = (rows.mid - rows.radius).colwise().minCoeff();
  const Row high = (rows.mid + rows.radius).colwise().maxCoeff();
  // one rounding each; 2^-50 of the size is more
  const Row slack = 0x1p-50 * (low.cwiseAbs().cwiseMax(high.cwiseAbs()));
  lo = lo.size() == 0 ? Row(low - slack) : Row(lo.cwiseMin(low - slack));
  hi = hi.size() == 0 ? Row(high + slack) : Row(hi.cwiseMax(high + slack));
}

/// The tokens that stand at each position, and the sums that only the scores need.
struct FloatHeads::Seen {
  Seen(const Network& n, const Domain& d);
  [[nodiscard]] Rounded normed(const Ball& x, Rounded& raw) const;

  const Network& net;
  std::vector<TokenSet> keys, asked;  ///< by position
  double count = 0, asked_count = 0;
  std::size_t most = 0, half = 0;
  double table = 0;
  std::vector<Row> query_size, query_error;  ///< per head
  std::vector<double> bias, score, score_error;
};

FloatHeads::Seen::Seen(const Network& n, const Domain& domain) : net(n) {
  const std::size_t positions = net.absolute ? domain.max_length : 1;
  std::vector<std::vector<bool>> seen(positions, std::vector<bool>(net.vocab, false)), query = seen;
  for (std::size_t length = domain.min_length; length <= domain.max_length; ++length) {
    for (std::size_t j = 0; j < net.keys(length) && (net.absolute || j <= domain.last.size());
         ++j) {
      for (const TokenId t : domain.back(j)) {
        seen[net.absolute ? length - 1 - j : 0][t.at()] = true;
        query[net.absolute ? length - 1 - j : 0][t.at()] =
            query[net.absolute ? length - 1 - j : 0][t.at()] || j == 0;
      }
    }
  }
  const auto list = [&](const std::vector<bool>& of, double& total) {
    TokenSet set;
    for (std::size_t u = 0; u < of.size(); ++u) {
      if (of[u]) {
        set.emplace_back(u);
      }
    }
    total += static_cast<double>(set.size());
    return set;
  };
  for (std::size_t p = 0; p < positions; ++p) {
    keys.push_back(list(seen[p], count));
    asked.push_back(list(query[p], asked_count));
  }
  most = net.keys(domain.max_length);
  half = net.rotary ? net.model->config.rotary_dim / 2 : 0;
  table = static_cast<double>(domain.max_length) * kRotaryTable;
  score.assign(net.heads, 0);
  score_error.assign(net.heads, 0);
  for (std::size_t h = 0; h < net.heads; ++h) {
    bias.push_back(0);
    for (std::size_t j = 0; net.model->config.relative_bias && j < most; ++j) {
      bias.back() =
          std::max(bias.back(), std::fabs(static_cast<double>(net.model->rel_bias.at(h, j))));
    }
  }
}

/// What LN1 makes of x, and x itself (`raw`), in float32.
Rounded FloatHeads::Seen::normed(const Ball& x, Rounded& raw) const {
  raw.size = size_of(x);
  raw.error = (net.absolute ? kHalfUlp : 0.0) * raw.size;
  need(raw.size);
  if (!net.norm) {
    return raw;
  }
  const Ball y = centred(x);
  std::vector<double> deviation;
  for (Eigen::Index r = 0; r < y.mid.rows(); ++r) {
    const Row least = (y.mid.row(r).cwiseAbs() - y.radius.row(r)).cwiseMax(0.0);
    deviation.push_back(std::sqrt(least.squaredNorm() / static_cast<double>(net.d) + net.eps.lo) *
                        (1 - 0x1p-40));
  }
  Rounded out = norm_rounded(raw, size_of(y), deviation, net.eps.lo, affine_row(net.model->ln1_w),
                             affine_row(net.model->ln1_b));
  return out;
}

FloatHeads::FloatHeads(const Network& network, const Domain& domain, const FloatOptions& options)
    : net(network) {
  if (net.rotary && domain.any_length) {
    throw NoFloatBound("rotary tables are bounded for contexts up to a longest one only");
  }
  Seen seen(net, domain);
  const double H = static_cast<double>(net.heads), e = static_cast<double>(net.d_head);
  if (seen.count * H * (e + static_cast<double>(net.f)) * static_cast<double>(net.d) > kWork ||
      seen.count * seen.asked_count * H * e > kWork) {
    throw NoFloatBound("too many tokens, positions and heads");
  }
  to_mid.resize(net.heads);
  to_centred.resize(net.heads);
  to_neurons.resize(net.heads);
  values.resize(net.heads);
  value_size.resize(net.heads);
  value_error.resize(net.heads);
  seen.query_size.resize(net.heads);
  seen.query_error.resize(net.heads);
  take_queries(seen);
  take_keys(seen);
  finish(seen, options);
}

void FloatHeads::take_queries(Seen& seen) {
  const auto grow = [](Ball& all, const Ball& more) {
    const Eigen::Index at = all.mid.rows(), n = more.mid.rows();
    all.mid.conservativeResize(at + n, more.mid.cols());
    all.radius.conservativeResize(at + n, more.mid.cols());
    all.mid.bottomRows(n) = more.mid;
    all.radius.bottomRows(n) = more.radius;
  };
  for (std::size_t p = 0; p < seen.asked.size(); ++p) {
    if (seen.asked[p].empty()) {
      continue;
    }
    const Ball x = net.embed(seen.asked[p], p);
    Rounded raw;
    const Rounded normed = seen.normed(x, raw);
    grow(queries, x);
    raise(input_size, raw.size);
    raise(input_error, raw.error);
    const Ball exact_x = net.first_norm(x);
    for (std::size_t h = 0; h < net.heads; ++h) {
      const Ball value = plus_row(product(exact_x, net.W_Q[h]), net.b_Q[h]);
      Rounded q = project({net.norm ? size_of(exact_x) : normed.size, normed.error}, net.W_Q[h],
                          net.b_Q[h], value);
      turn(q, seen.half, seen.table);
      raise(seen.query_size[h], q.size);
      raise(seen.query_error[h], q.error);
    }
  }
}

void FloatHeads::take_keys(Seen& seen) {
  std::vector<std::vector<Ball>> blocks(net.heads);
  for (std::size_t p = 0; p < seen.keys.size(); ++p) {
    for (std::size_t first = 0; first < seen.keys[p].size(); first += kBlock) {
      const auto begin = seen.keys[p].begin() + static_cast<std::ptrdiff_t>(first);
      const std::size_t n = std::min<std::size_t>(kBlock, seen.keys[p].size() - first);
      const Ball x = net.embed(TokenSet(begin, begin + static_cast<std::ptrdiff_t>(n)), p);
      Rounded raw;
      Rounded normed = seen.normed(x, raw);
      const Ball exact_x = net.first_norm(x);
      normed.size = net.norm ? size_of(exact_x) : normed.size;
      for (std::size_t h = 0; h < net.heads; ++h) {
        Rounded k = project(normed, net.W_K[h], net.b_K[h],
                            plus_row(product(exact_x, net.W_K[h]), net.b_K[h]));
        turn(k, seen.half, seen.table);
        take_scores(h, k, seen);
        const Ball v = plus_row(product(exact_x, net.W_V[h]), net.b_V[h]);
        const Rounded computed = project(normed, net.W_V[h], net.b_V[h], v);
        raise(value_size[h], computed.size);
        raise(value_error[h], computed.error);
        const Ball out = product(v, net.W_O[h]);
        to_mid[h].add(out);
        if (net.norm) {
          to_centred[h].add(centred(out));
        }
        if (net.f != 0) {
          to_neurons[h].add(product(v, net.to_neurons[h]));
        }
        blocks[h].push_back(v);
      }
    }
  }
  for (std::size_t h = 0; h < net.heads; ++h) {
    Ball& all = values[h];
    const Eigen::Index rows = index(static_cast<std::size_t>(seen.count)), cols = index(net.d_head);
    all = {Rows(rows, cols), Rows(rows, cols)};
    Eigen::Index at = 0;
    for (const Ball& block : blocks[h]) {
      all.mid.middleRows(at, block.mid.rows()) = block.mid;
      all.radius.middleRows(at, block.mid.rows()) = block.radius;
      at += block.mid.rows();
    }
  }
}

// score error: |q| dk + |k| dq + dq dk, and d_head + 14 roundings of |q||k| / scale + |bias|
void FloatHeads::take_scores(std::size_t h, const Rounded& k, Seen& seen) const {
  const Eigen::VectorXd q = seen.query_size[h].transpose(), dq = seen.query_error[h].transpose();
  const double inverse = 1 / net.scale.lo;
  const Rows sums = whole(k) * (q + dq) * inverse;
  const Rows carried = (k.error * (q + dq) + k.size * dq) * inverse;
  const Rows biased = sums.array() + seen.bias[h];
  need(sums / inverse);
  const Eigen::VectorXd ends =
      (whole(k).rowwise().sum().array() + (q + dq).sum() + 1) * (1 + inverse);
  need(ends);
  const Rows error = carried + rounded(net.d_head + 14, biased) +
                     static_cast<double>(net.d_head + 2) * 0x1p-148 * ends;
  const Rows score = ((k.size * q * inverse).array() + seen.bias[h]).matrix() + error;
  seen.score_error[h] = std::max(seen.score_error[h], error.maxCoeff());
  seen.score[h] = std::max(seen.score[h], score.maxCoeff());
}

// alpha = e^(score error + 12 u score + 2 ulps u N) − 1; the mean moves by at most alpha/(1 − alpha)
// times half the spread of the values
void FloatHeads::finish(const Seen& seen, const FloatOptions& options) {
  const double N = static_cast<double>(seen.most);
  double largest = 0, top = 0;
  for (std::size_t h = 0; h < net.heads; ++h) {
    const double x = seen.score_error[h] + 12 * kHalfUlp * seen.score[h] +
                     2 * static_cast<double>(options.exp_ulps) * kHalfUlp * N * (1 + 0x1p-10);
    if (!(x <= 0.499)) {
      throw NoFloatBound("head " + std::to_string(h) + ": the scores are too uncertain in float32");
    }
    const double alpha = exp(Interval(x)).hi - 1 + 0x1p-50;
    tilt.push_back(alpha / (1 - alpha));
    largest = std::max(largest, seen.score[h]);
    const Rows size = value_size[h], error = value_error[h];
    const Rows sums = size + error;
    need(sums);
    top = std::max(top, sums.maxCoeff() + 1);
    value_error[h] = error + rounded(4 * seen.most + 4, sums) +
                     Rows((N * 0x1p-120 * sums).array() + N * (0x1p-56 + 0x1p-120));
    Hull of_values;
    of_values.add(values[h]);
    wide.push_back(of_values.width());
  }
  any_shift = largest <= kUnshiftedScore * (1 - 0x1p-20) && N * top <= kUnshiftedSum;
}

FloatHeads::Spread FloatHeads::spread(std::size_t head, const Ball& g) const {
  const Ball along = product(values[head], g);
  const double lo = (along.mid - along.radius).minCoeff(),
               hi = (along.mid + along.radius).maxCoeff();
  const double slack = 0x1p-50 * std::max(std::fabs(lo), std::fabs(hi));
  return {hi - lo + 2 * slack, lo - slack};
}

}  // namespace assay::bounds
