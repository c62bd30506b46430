#include "assay/model/generation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/base/errors.hpp"
#include "assay/model/activation.hpp"
#include "dense.hpp"

namespace assay {
namespace {

/// LayerNorm (x - mean) / sqrt(var + eps) w + b, or RMSNorm x / sqrt(mean x^2 + eps) w; sums from left to right.
Matrix normalised(const DeepModel& m, const Tensor& w, const Tensor& b, Matrix x) {
  if (m.config.norm == NormKind::none) {
    return x;
  }
  const auto n = static_cast<double>(x.cols);
  for (std::size_t r = 0; r < x.rows; ++r) {
    double* row = &x.at(r, 0);
    const double mean = m.rms ? 0.0 : std::accumulate(row, row + x.cols, 0.0) / n;
    double squares = 0;
    for (std::size_t i = 0; i < x.cols; ++i) {
      row[i] -= mean;
      squares += row[i] * row[i];
    }
    const double deviation = std::sqrt(squares / n + m.config.eps);
    for (std::size_t i = 0; i < x.cols; ++i) {
      row[i] /= deviation;
      if (!w.data.empty()) {
        row[i] = row[i] * static_cast<double>(w.data[i]) + static_cast<double>(b.data[i]);
      }
    }
  }
  return x;
}

/// [n, heads * d_head], head after head.
Matrix project(const Matrix& x, const Tensor& W, const Tensor& b) {
  const std::size_t H = W.shape[0], d = W.shape[1], dh = W.shape[2];
  Matrix out{x.rows, H * dh, std::vector<double>(x.rows * H * dh)};
  for (std::size_t h = 0; h < H; ++h) {
    const Matrix head = affine(x, W.data.data() + h * d * dh, dh, b.data.data() + h * dh);
    for (std::size_t r = 0; r < x.rows; ++r) {
      std::copy_n(head.data.begin() + static_cast<std::ptrdiff_t>(r * dh), dh, &out.at(r, h * dh));
    }
  }
  return out;
}

/// Rotate-half on the first rotary_dim dimensions of one head at a position.
void rotate(const TransformerConfig& c, std::size_t position, double* x) {
  const std::size_t half = c.rotary_dim / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const double angle =
        static_cast<double>(position) /
        std::pow(c.rotary_base, static_cast<double>(i) / static_cast<double>(half));
    const double a = x[i], b = x[i + half];
    x[i] = a * std::cos(angle) - b * std::sin(angle);
    x[i + half] = b * std::cos(angle) + a * std::sin(angle);
  }
}

void add(Matrix& x, const Matrix& y) {
  for (std::size_t i = 0; i < x.data.size(); ++i) {
    x.data[i] += y.data[i];
  }
}

double dot(const double* a, const double* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

}  // namespace

Generation::Generation(const DeepModel& model, std::size_t sequences)
    : model_(model),
      lengths_(sequences, 0),
      memory_(sequences, std::vector<Memory>(model.blocks.size())) {}

/// z[r, h] = sum_j softmax_j(q.k_j / scale + rel_bias[h][lag]) v_j over the keys that the query sees.
void Generation::attend(std::size_t layer, std::span<const std::size_t> rows, const Matrix& queries,
                        Matrix& z) {
  const TransformerConfig& c = model_.config;
  const Block& block = model_.blocks[layer];
  const std::size_t width = c.n_heads * c.d_head;
  const double scale = c.attn_scale > 0 ? c.attn_scale : std::sqrt(static_cast<double>(c.d_head));
  std::vector<double> p;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Memory& memory = memory_[rows[r]][layer];
    const std::size_t n = lengths_[rows[r]] + 1;
    p.resize(c.attention_window == 0 ? n : std::min(n, c.attention_window));
    for (std::size_t h = 0; h < c.n_heads; ++h) {
      const std::size_t at = h * c.d_head;
      double top = -INFINITY;
      for (std::size_t lag = 0; lag < p.size(); ++lag) {
        const double* key = memory.keys.data() + (n - 1 - lag) * width + at;
        p[lag] = dot(queries.data.data() + r * width + at, key, c.d_head) / scale;
        p[lag] += c.relative_bias ? static_cast<double>(block.rel_bias.at(h, lag)) : 0.0;
        top = std::max(top, p[lag]);
      }
      double sum = 0;
      for (double& score : p) {
        score = std::exp(score - top);
        sum += score;
      }
      for (std::size_t lag = 0; lag < p.size(); ++lag) {
        const double* value = memory.values.data() + (n - 1 - lag) * width + at;
        for (std::size_t i = 0; i < c.d_head; ++i) {
          z.at(r, at + i) += p[lag] / sum * value[i];
        }
      }
    }
  }
}

Matrix Generation::attention(std::size_t layer, std::span<const std::size_t> rows,
                             const Matrix& x) {
  const TransformerConfig& c = model_.config;
  const Block& block = model_.blocks[layer];
  Matrix q = project(x, block.W_Q, block.b_Q);
  Matrix k = project(x, block.W_K, block.b_K);
  const Matrix v = project(x, block.W_V, block.b_V);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t h = 0; c.positions == PosKind::rotary && h < c.n_heads; ++h) {
      rotate(c, lengths_[rows[r]], &q.at(r, h * c.d_head));
      rotate(c, lengths_[rows[r]], &k.at(r, h * c.d_head));
    }
    Memory& memory = memory_[rows[r]][layer];
    memory.keys.insert(memory.keys.end(), k.row(r).begin(), k.row(r).end());
    memory.values.insert(memory.values.end(), v.row(r).begin(), v.row(r).end());
  }
  Matrix z{rows.size(), q.cols, std::vector<double>(rows.size() * q.cols, 0.0)};
  attend(layer, rows, q, z);
  return affine(z, block.W_O.data.data(), c.d_model, block.b_O.data.data());
}

Matrix Generation::append(std::span<const std::size_t> rows, std::span<const TokenId> tokens) {
  const TransformerConfig& c = model_.config;
  require(rows.size() == tokens.size(), "Generation::append: one token for each row");
  Matrix x{rows.size(), c.d_model, std::vector<double>(rows.size() * c.d_model)};
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t position = lengths_[rows[r]];
    require(tokens[r].at() < c.d_vocab && (model_.longest() == 0 || position < model_.longest()),
            "Generation::append: a token or a position that the model does not have");
    for (std::size_t i = 0; i < c.d_model; ++i) {
      x.at(r, i) = static_cast<double>(model_.W_E.at(tokens[r].at(), i));
      x.at(r, i) += c.positions == PosKind::standard
                        ? static_cast<double>(model_.W_pos.at(position, i))
                        : 0.0;
    }
  }
  for (std::size_t layer = 0; layer < model_.blocks.size(); ++layer) {
    const Block& block = model_.blocks[layer];
    add(x, attention(layer, rows, normalised(model_, block.ln1_w, block.ln1_b, x)));
    if (c.attn_only) {
      continue;
    }
    Matrix hidden = affine(normalised(model_, block.ln2_w, block.ln2_b, x), block.W_in.data.data(),
                           c.d_mlp, block.b_in.data.data());
    for (double& value : hidden.data) {
      value = activate(c.act_fn, value);
    }
    add(x, affine(hidden, block.W_out.data.data(), c.d_model, block.b_out.data.data()));
  }
  for (const std::size_t row : rows) {
    ++lengths_[row];
  }
  return affine(normalised(model_, model_.ln_final_w, model_.ln_final_b, std::move(x)),
                model_.W_U.data.data(), c.d_vocab_out, model_.b_U.data.data());
}

std::vector<double> next_logits(const DeepModel& model, std::span<const TokenId> context) {
  require(!context.empty(), "next_logits: an empty context");
  Generation one(model, 1);
  const std::size_t row = 0;
  Matrix logits;
  for (const TokenId token : context) {
    logits = one.append(std::span(&row, 1), std::span(&token, 1));
  }
  return logits.data;
}

}  // namespace assay
