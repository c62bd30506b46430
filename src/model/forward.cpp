#include "assay/model/forward.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "assay/base/errors.hpp"
#include "assay/model/activation.hpp"
#include "dense.hpp"

namespace assay {

double activate(ActFn act, double x) {
  switch (act) {
    case ActFn::relu:
      return x > 0 ? x : 0.0;
    case ActFn::gelu_erf:
      return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
    case ActFn::gelu_tanh:
      break;
  }
  const double c = std::sqrt(2 / std::numbers::pi);
  return 0.5 * x * (1 + std::tanh(c * (x + 0.044715 * x * x * x)));
}

namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<RowMatrix>;
using ConstView = Eigen::Map<const RowMatrix>;

constexpr const char* kHooks[] = {kHookResidPre, kHookAttnOut, kHookResidMid, kHookMlpPre,
                                  kHookMlpPost,  kHookMlpOut,  kHookResidPost};

Eigen::Index index(std::size_t i) {
  return static_cast<Eigen::Index>(i);
}
View view(Matrix& m) {
  return {m.data.data(), index(m.rows), index(m.cols)};
}
ConstView view(const Matrix& m) {
  return {m.data.data(), index(m.rows), index(m.cols)};
}

Matrix matrix(std::size_t rows, std::size_t cols) {
  return {rows, cols, std::vector<double>(rows * cols, 0.0)};
}

Matrix last_row(const Matrix& m) {
  const auto row = m.row(m.rows - 1);
  return {1, m.cols, {row.begin(), row.end()}};
}

/// x [n,k] times one matrix of a tensor, plus bias.
Matrix times(const Matrix& x, const Tensor& W, const Tensor& b) {
  return affine(x, W.data.data(), W.cols(), b.data.empty() ? nullptr : b.data.data());
}

/// Head h's rows of W [H,d,dh] and b [H,dh].
Matrix head_times(const Matrix& x, const Tensor& W, const Tensor& b, std::size_t h) {
  const std::size_t d = W.shape[1], dh = W.shape[2];
  return affine(x, W.data.data() + h * d * dh, dh,
                b.data.empty() ? nullptr : b.data.data() + h * dh);
}

/// y = (x - mean) / sqrt(var + eps) * w + b, biased variance; w and b absent under LNPre. The
/// sums run from left to right: a vectorised one would depend on the row's address.
Matrix layer_norm(const TransformerConfig& config, const Tensor& w, const Tensor& b, Matrix x) {
  if (config.norm == NormKind::none) {
    return x;
  }
  const auto n = static_cast<double>(x.cols);
  for (std::size_t r = 0; r < x.rows; ++r) {
    double* row = &x.at(r, 0);
    const double mean = std::accumulate(row, row + x.cols, 0.0) / n;
    double squares = 0;
    for (std::size_t i = 0; i < x.cols; ++i) {
      row[i] -= mean;
      squares += row[i] * row[i];
    }
    const double deviation = std::sqrt(squares / n + config.eps);
    for (std::size_t i = 0; i < x.cols; ++i) {
      row[i] /= deviation;
      if (!w.data.empty()) {
        row[i] = row[i] * static_cast<double>(w.data[i]) + static_cast<double>(b.data[i]);
      }
    }
  }
  return x;
}

/// Rotate-half on the first rotary_dim dimensions; row r stands at position first + r.
void rotate(const TransformerConfig& config, std::size_t first, Matrix& x) {
  const std::size_t half = config.rotary_dim / 2;
  for (std::size_t r = 0; r < x.rows; ++r) {
    const auto position = static_cast<double>(first + r);
    for (std::size_t i = 0; i < half; ++i) {
      const double frequency =
          std::pow(config.rotary_base, static_cast<double>(i) / static_cast<double>(half));
      const double angle = position / frequency;
      const double a = x.at(r, i), b = x.at(r, i + half);
      x.at(r, i) = a * std::cos(angle) - b * std::sin(angle);
      x.at(r, i + half) = b * std::cos(angle) + a * std::sin(angle);
    }
  }
}

/// One run of the model over part of a sequence.
class Run {
 public:
  /// Row r of the run is the token at position first + r.
  Run(const Transformer& model, std::size_t first) : model_(model), first_(first) {}

  /// W_E[t] + W_pos[p], shape [n, d_model].
  [[nodiscard]] Matrix embed(std::span<const TokenId> tokens) const {
    const std::size_t d = model_.config.d_model;
    Matrix x = matrix(tokens.size(), d);
    for (std::size_t r = 0; r < tokens.size(); ++r) {
      for (std::size_t i = 0; i < d; ++i) {
        x.at(r, i) = model_.W_E.at(tokens[r].at(), i);
        if (model_.config.positions == PosKind::standard) {
          x.at(r, i) += static_cast<double>(model_.W_pos.at(first_ + r, i));
        }
      }
    }
    return x;
  }

  /// Attention output of the queries of rows [begin, n): shape [n - begin, d_model].
  [[nodiscard]] Matrix attention(const Matrix& resid, std::size_t begin) const {
    const auto& c = model_.config;
    const Matrix x = layer_norm(c, model_.ln1_w, model_.ln1_b, resid);
    const Matrix queries = begin == 0 ? x : last_row(x);
    Matrix z = matrix(x.rows - begin, c.n_heads * c.d_head);
    for (std::size_t h = 0; h < c.n_heads; ++h) {
      attend(queries, x, begin, h, z);
    }
    // W_O [H,dh,d] is one [H*dh, d] matrix: the heads' outputs are summed by the product.
    return affine(z, model_.W_O.data.data(), c.d_model,
                  model_.b_O.data.empty() ? nullptr : model_.b_O.data.data());
  }

 private:
  /// z[q, h] = sum_j softmax_j(q.k_j / scale + rel_bias[h][q - j]) v_j over the keys q sees.
  void attend(const Matrix& queries, const Matrix& x, std::size_t begin, std::size_t h,
              Matrix& z) const {
    const auto& c = model_.config;
    Matrix q = head_times(queries, model_.W_Q, model_.b_Q, h);
    Matrix k = head_times(x, model_.W_K, model_.b_K, h);
    const Matrix v = head_times(x, model_.W_V, model_.b_V, h);
    if (c.positions == PosKind::rotary) {
      rotate(c, first_ + begin, q);
      rotate(c, first_, k);
    }
    const double scale = c.attn_scale > 0 ? c.attn_scale : std::sqrt(static_cast<double>(c.d_head));
    std::vector<double> p;
    for (std::size_t r = begin; r < x.rows; ++r) {
      const std::size_t seen = std::min(r + 1, model_.keys_seen(first_ + r));
      p.resize(seen);
      softmax_scores(q.row(r - begin), k, r, scale, h, p);
      Eigen::Map<Eigen::RowVectorXd> out(&z.at(r - begin, h * c.d_head), index(c.d_head));
      for (std::size_t back = 0; back < seen; ++back) {
        out += p[back] * view(v).row(index(r - back));
      }
    }
  }

  /// p[back] = weight of the key `back` tokens before row r.
  void softmax_scores(std::span<const double> q, const Matrix& k, std::size_t r, double scale,
                      std::size_t h, std::vector<double>& p) const {
    double top = -INFINITY;
    for (std::size_t back = 0; back < p.size(); ++back) {
      double dot = 0;
      const auto key = k.row(r - back);
      for (std::size_t i = 0; i < q.size(); ++i) {
        dot += q[i] * key[i];
      }
      p[back] = dot / scale;
      if (model_.config.relative_bias) {
        p[back] += static_cast<double>(model_.rel_bias.at(h, back));
      }
      top = std::max(top, p[back]);
    }
    double sum = 0;
    for (double& score : p) {
      score = std::exp(score - top);
      sum += score;
    }
    for (double& score : p) {
      score /= sum;
    }
  }

  const Transformer& model_;
  std::size_t first_;
};

/// Calls the splice at its site and checks that the shape is still the same.
void splice_at(const char* site, const Splice* splice, Matrix& value) {
  if (splice == nullptr || splice->hook != site) {
    return;
  }
  const std::size_t rows = value.rows, cols = value.cols;
  splice->replace(value, splice->context);
  require(value.rows == rows && value.cols == cols && value.data.size() == rows * cols,
          "forward: a splice changed its site's shape");
}

void check_tokens(const Transformer& model, std::span<const TokenId> tokens) {
  const auto& c = model.config;
  if (tokens.empty()) {
    throw InputError("token sequence: expected at least one token, found none");
  }
  const bool relative_full = c.relative_bias && c.attention_window == 0;
  if ((c.positions == PosKind::standard || relative_full) && tokens.size() > c.n_ctx) {
    throw InputError("token sequence: expected at most n_ctx = " + std::to_string(c.n_ctx) +
                     " tokens, found " + std::to_string(tokens.size()));
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].at() >= c.d_vocab) {
      throw InputError("token sequence: position " + std::to_string(i) +
                       ": expected a token id below " + std::to_string(c.d_vocab) + ", found " +
                       std::to_string(tokens[i].at()));
    }
  }
}

void check_hook(const std::string& name, const TransformerConfig& config) {
  check_hook_name(name);
  const bool mlp = name == kHookMlpPre || name == kHookMlpPost || name == kHookMlpOut;
  if (config.attn_only && mlp) {
    throw UsageError("hook '" + name + "': the model is attn_only and has no MLP");
  }
}

void check_splice(const Splice* splice, const TransformerConfig& config) {
  if (splice == nullptr) {
    return;
  }
  check_hook(splice->hook, config);
  require(splice->replace != nullptr, "forward: a splice without a replacement");
}

/// Everything after the attention output, row by row: the residual stream `resid` becomes
/// hook_resid_post. `keep` sees every hook value once.
template <class Keep>
Matrix after_attention(const Transformer& model, Matrix resid, const Matrix& attn_out,
                       const Splice* splice, const Keep& keep) {
  view(resid) += view(attn_out);
  splice_at(kHookResidMid, splice, resid);
  keep(kHookResidMid, resid);
  if (!model.config.attn_only) {
    Matrix hidden =
        times(layer_norm(model.config, model.ln2_w, model.ln2_b, resid), model.W_in, model.b_in);
    splice_at(kHookMlpPre, splice, hidden);
    keep(kHookMlpPre, hidden);
    for (double& x : hidden.data) {
      x = activate(model.config.act_fn, x);
    }
    splice_at(kHookMlpPost, splice, hidden);
    keep(kHookMlpPost, hidden);
    Matrix mlp_out = times(hidden, model.W_out, model.b_out);
    splice_at(kHookMlpOut, splice, mlp_out);
    keep(kHookMlpOut, mlp_out);
    view(resid) += view(mlp_out);
  }
  splice_at(kHookResidPost, splice, resid);
  keep(kHookResidPost, resid);
  return resid;
}

Matrix unembed(const Transformer& model, Matrix resid) {
  const Matrix x = layer_norm(model.config, model.ln_final_w, model.ln_final_b, std::move(resid));
  return times(x, model.W_U, model.b_U);
}

}  // namespace

bool is_known_hook(const std::string& name) {
  return std::any_of(std::begin(kHooks), std::end(kHooks),
                     [&name](const char* hook) { return name == hook; });
}

void check_hook_name(const std::string& name) {
  if (is_known_hook(name)) {
    return;
  }
  std::string known;
  for (const char* hook : kHooks) {
    known += std::string(known.empty() ? "" : ", ") + hook;
  }
  throw UsageError("hook '" + name + "': expected one of " + known);
}

ForwardPass forward(const Transformer& model, std::span<const TokenId> tokens,
                    std::span<const std::string> hooks, const Splice* splice) {
  check_tokens(model, tokens);
  for (const std::string& hook : hooks) {
    check_hook(hook, model.config);
  }
  check_splice(splice, model.config);
  ForwardPass pass;
  const auto keep = [&](const char* hook, const Matrix& value) {
    if (std::find(hooks.begin(), hooks.end(), hook) != hooks.end()) {
      pass.hooks[hook] = value;
    }
  };
  const Run run(model, 0);
  Matrix resid = run.embed(tokens);
  splice_at(kHookResidPre, splice, resid);
  keep(kHookResidPre, resid);
  Matrix attn_out = run.attention(resid, 0);
  splice_at(kHookAttnOut, splice, attn_out);
  keep(kHookAttnOut, attn_out);
  pass.logits = unembed(model, after_attention(model, std::move(resid), attn_out, splice, keep));
  return pass;
}

std::vector<double> next_logits(const Transformer& model, std::span<const TokenId> context) {
  check_tokens(model, context);
  // One layer: the last query sees the embeddings of the last keys_seen tokens, nothing else.
  const std::size_t first = context.size() - model.keys_seen(context.size() - 1);
  const Run run(model, first);
  Matrix resid = run.embed(context.subspan(first));
  const Matrix attn_out = run.attention(resid, resid.rows - 1);
  const auto keep = [](const char* /*hook*/, const Matrix& /*value*/) {};
  return unembed(model, after_attention(model, last_row(resid), attn_out, nullptr, keep)).data;
}

}  // namespace assay
