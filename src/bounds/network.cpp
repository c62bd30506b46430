#include "network.hpp"

#include <cmath>

#include "assay/base/errors.hpp"

namespace assay::bounds {
namespace {

constexpr std::size_t kMostNeuronValues = std::size_t{1} << 23;

/// A number of config.json: the decimal and its nearest double both lie inside.
Interval stated(double x) {
  return {round_down(x), round_up(x)};
}

void need_finite(const Ball& b, const char* what) {
  if (!b.is_finite()) {
    throw InputError("model", what, "finite numbers that products of doubles can hold",
                     "NaN, infinity or overflow");
  }
}

Interval entry(const Tensor& t, std::size_t i, double absent) {
  return Interval(t.data.empty() ? absent : static_cast<double>(t.data[i]));
}

/// h_j = P(w2 o W_in[:,j]) and c_j = <b2, W_in[:,j]> + b_in[j].
void fold_norm(Network& net) {
  const Transformer& m = *net.model;
  std::vector<Interval> column(net.d);
  for (std::size_t j = 0; j < net.f; ++j) {
    Interval offset(net.neuron_offsets.mid(0, index(j)));
    Interval sum(0.0);
    for (std::size_t i = 0; i < net.d; ++i) {
      const Interval w(net.W_in(index(i), index(j)));
      column[i] = entry(m.ln2_w, i, 1.0) * w;
      offset += entry(m.ln2_b, i, 0.0) * w;
      sum += column[i];
    }
    const Interval mean = sum / Interval(static_cast<double>(net.d));
    for (std::size_t i = 0; i < net.d; ++i) {
      column[i] = column[i] - mean;
    }
    column.push_back(offset);
    const Ball ball = to_ball(column);
    column.pop_back();
    for (std::size_t i = 0; i < net.d; ++i) {
      net.neuron_directions.mid(index(i), index(j)) = ball.mid(0, index(i));
      net.neuron_directions.radius(index(i), index(j)) = ball.radius(0, index(i));
    }
    net.neuron_offsets.mid(0, index(j)) = ball.mid(0, index(net.d));
    net.neuron_offsets.radius(0, index(j)) = ball.radius(0, index(net.d));
  }
}

Interval ball_at(const Ball& b, Eigen::Index r, Eigen::Index c) {
  return b.radius(r, c) == 0 ? Interval(b.mid(r, c)) : b.at(r, c);
}

/// Rows side by side: [a; b; …].
Ball stack(const std::vector<Ball>& parts, std::size_t cols) {
  Eigen::Index rows = 0;
  for (const Ball& part : parts) {
    rows += part.mid.rows();
  }
  Ball all{Rows(rows, index(cols)), Rows(rows, index(cols))};
  Eigen::Index at = 0;
  for (const Ball& part : parts) {
    all.mid.middleRows(at, part.mid.rows()) = part.mid;
    all.radius.middleRows(at, part.mid.rows()) = part.radius;
    at += part.mid.rows();
  }
  return all;
}

}  // namespace

Ball to_ball(const std::vector<Interval>& box) {
  const Direction g = to_direction(box);
  const Eigen::Index n = index(box.size());
  return {Eigen::Map<const Rows>(g.mid.data(), 1, n),
          Eigen::Map<const Rows>(g.radius.data(), 1, n)};
}

Network::Network(const Transformer& m)
    : model(&m),
      vocab(m.config.d_vocab),
      d(m.config.d_model),
      heads(m.config.n_heads),
      d_head(m.config.d_head),
      f(m.config.attn_only ? 0 : m.config.d_mlp),
      window(m.config.attention_window),
      absolute(m.config.positions == PosKind::standard),
      rotary(m.config.positions == PosKind::rotary),
      norm(m.config.norm == NormKind::layer_norm),
      act(m.config.act_fn),
      eps(stated(m.config.eps)) {
  const auto& c = m.config;
  scale = stated(c.attn_scale > 0 ? c.attn_scale : std::sqrt(static_cast<double>(d_head)));
  for (std::size_t h = 0; h < heads; ++h) {
    const std::size_t block = h * d * d_head;
    W_Q.push_back(exact(m.W_Q, block, d, d_head));
    W_K.push_back(exact(m.W_K, block, d, d_head));
    W_V.push_back(exact(m.W_V, block, d, d_head));
    W_O.push_back(exact(m.W_O, block, d_head, d));
    b_Q.push_back(exact_bias(m.b_Q, h * d_head, d_head));
    b_K.push_back(exact_bias(m.b_K, h * d_head, d_head));
    b_V.push_back(exact_bias(m.b_V, h * d_head, d_head));
  }
  b_O = exact_bias(m.b_O, 0, d).mid;
  W_U = exact(m.W_U, 0, d, c.d_vocab_out).mid;
  b_U = exact_bias(m.b_U, 0, c.d_vocab_out).mid;
  b_out = exact_bias(m.b_out, 0, d).mid;
  if (f != 0) {
    neuron_directions = exact(m.W_in, 0, d, f);
    neuron_offsets = exact_bias(m.b_in, 0, f);
    W_in = neuron_directions.mid;
    W_out = exact(m.W_out, 0, f, d).mid;
    if (norm) {
      fold_norm(*this);
    }
    for (std::size_t h = 0; h < heads; ++h) {
      to_neurons.push_back(product(W_O[h], neuron_directions));
      need_finite(to_neurons.back(), "blocks.0.mlp.W_in");
    }
    need_finite(neuron_offsets, "blocks.0.mlp.b_in");
  }
}

std::vector<Interval> Network::neuron_direction(std::size_t j) const {
  std::vector<Interval> g;
  for (std::size_t i = 0; i < d; ++i) {
    const bool is_exact = neuron_directions.radius(index(i), index(j)) == 0;
    g.push_back(is_exact ? Interval(neuron_directions.mid(index(i), index(j)))
                         : neuron_directions.at(index(i), index(j)));
  }
  return g;
}

Ball Network::embed(const TokenSet& tokens, std::size_t position) const {
  Ball x{Rows(index(tokens.size()), index(d)), Rows::Zero(index(tokens.size()), index(d))};
  for (std::size_t r = 0; r < tokens.size(); ++r) {
    for (std::size_t i = 0; i < d; ++i) {
      const double a = static_cast<double>(model->W_E.at(tokens[r].at(), i));
      const double b = absolute ? static_cast<double>(model->W_pos.at(position, i)) : 0.0;
      const double sum = a + b;
      x.mid(index(r), index(i)) = sum;
      const bool is_exact = sum - a == b && sum - b == a;
      x.radius(index(r), index(i)) = is_exact ? 0.0 : 0x1p-52 * std::fabs(sum);
    }
  }
  return x;
}

Ball Network::first_norm(Ball x) const {
  if (!norm) {
    return x;
  }
  std::vector<Interval> row(d);
  for (Eigen::Index r = 0; r < x.mid.rows(); ++r) {
    Interval sum(0.0);
    for (std::size_t i = 0; i < d; ++i) {
      row[i] = ball_at(x, r, index(i));
      sum += row[i];
    }
    const Interval mean = sum / Interval(static_cast<double>(d));
    Interval squares(0.0);
    for (Interval& v : row) {
      v = v - mean;
      const Interval square = v * v;
      squares += Interval(std::fmax(square.lo, 0.0), square.hi);
    }
    const Interval deviation = sqrt(squares / Interval(static_cast<double>(d)) + eps);
    for (std::size_t i = 0; i < d; ++i) {
      row[i] = row[i] / deviation * entry(model->ln1_w, i, 1.0) + entry(model->ln1_b, i, 0.0);
    }
    const Ball ball = to_ball(row);
    x.mid.row(r) = ball.mid.row(0);
    x.radius.row(r) = ball.radius.row(0);
  }
  return x;
}

Places::Places(const Network& net, const Domain& domain) : net_(net), domain_(domain) {
  const std::size_t positions = net.absolute ? domain.max_length : 1;
  row_of_.assign(positions, std::vector<std::uint32_t>(net.vocab, kNone));
  std::vector<std::vector<bool>> seen(positions, std::vector<bool>(net.vocab, false));
  const auto mark = [&](std::size_t position, const TokenSet& set) {
    for (const TokenId t : set) {
      seen[position][t.at()] = true;
    }
  };
  for (std::size_t n = domain.min_length; n <= domain.max_length; ++n) {
    for (std::size_t j = 0; j < net.keys(n) && (net.absolute || j <= domain.last.size()); ++j) {
      mark(net.absolute ? n - 1 - j : 0, domain.back(j));
    }
  }
  std::vector<Ball> parts;
  for (std::size_t p = 0; p < positions; ++p) {
    place(p, seen[p], parts);
  }
  if (net.norm && smallest_ > 0) {
    unevenness_ = std::sqrt(largest_ / smallest_);
  }
  normed_ = stack(parts, net.d);
  need_finite(normed_, "embed");
  for (std::size_t h = 0; h < net.heads; ++h) {
    keys_.push_back(plus_row(product(normed_, net.W_K[h]), net.b_K[h]));
    values_.push_back(plus_row(product(normed_, net.W_V[h]), net.b_V[h]));
    need_finite(keys_.back(), "blocks.0.attn.W_K");
    need_finite(values_.back(), "blocks.0.attn.W_V");
  }
}

void Places::place(std::size_t position, const std::vector<bool>& tokens,
                   std::vector<Ball>& parts) {
  TokenSet set;
  for (std::size_t u = 0; u < tokens.size(); ++u) {
    if (tokens[u]) {
      set.emplace_back(u);
      row_of_[position][u] = static_cast<std::uint32_t>(rows_++);
    }
  }
  if (!set.empty()) {
    parts.push_back(net_.first_norm(net_.embed(set, position)));
    measure(position);
  }
}

void Places::measure(std::size_t position) {
  if (!net_.norm) {
    return;
  }
  for (std::size_t u = 0; u < net_.vocab; ++u) {
    const Ball x = net_.embed({TokenId(u)}, position);
    const double mean = x.mid.mean();
    const double square = (x.mid.array() - mean).square().mean() + net_.eps.hi;
    smallest_ = smallest_ > 0 ? std::min(smallest_, square) : square;
    largest_ = std::max(largest_, square);
  }
}

Ball Places::query(std::size_t head, std::uint32_t row) const {
  const Ball x{normed_.mid.row(row), normed_.radius.row(row)};
  return plus_row(product(x, net_.W_Q[head]), net_.b_Q[head]);
}

Ball Places::along(std::size_t head, const Direction& g) const {
  const auto column = [&](const std::vector<double>& v) -> Rows {
    return Eigen::Map<const Rows>(v.data(), index(v.size()), 1);
  };
  return product(values_[head], product(net_.W_O[head], {column(g.mid), column(g.radius)}));
}

Ball Places::along_neuron(std::size_t head, std::size_t j) const {
  const Ball& all = net_.to_neurons[head];
  if (net_.f * rows_ * net_.heads > kMostNeuronValues) {
    return product(values_[head], {all.mid.col(index(j)), all.radius.col(index(j))});
  }
  if (neuron_values_.empty()) {
    for (std::size_t h = 0; h < net_.heads; ++h) {
      const Ball& to = net_.to_neurons[h];
      neuron_values_.push_back(
          product({to.mid.transpose(), to.radius.transpose()},
                  {values_[h].mid.transpose(), values_[h].radius.transpose()}));
    }
  }
  return {neuron_values_[head].mid.row(index(j)), neuron_values_[head].radius.row(index(j))};
}

}  // namespace assay::bounds
