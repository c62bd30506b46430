#include "assay/automata/sampler.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <string>

#include "assay/base/errors.hpp"
#include "assay/model/forward.hpp"

namespace assay::automata {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::RowVectorXd;

constexpr std::size_t kLargestTable = 4096;  ///< tokens; a score table has the square of it

Eigen::Index index(std::size_t i) {
  return static_cast<Eigen::Index>(i);
}

RowMatrix dense(const float* data, std::size_t rows, std::size_t cols) {
  using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Floats>(data, index(rows), index(cols)).cast<double>();
}

Row bias(const Tensor& b, std::size_t offset, std::size_t n) {
  if (b.data.empty()) {
    return Row::Zero(index(n));
  }
  return dense(b.data.data() + offset, 1, n);
}

bool is_tabulable(const TransformerConfig& c) {
  return (c.positions == PosKind::relative || c.positions == PosKind::none) &&
         c.norm == NormKind::none && (c.attn_only || c.act_fn == ActFn::relu) &&
         c.d_vocab <= kLargestTable;
}

bool needs_n_ctx(const TransformerConfig& c) {
  return c.positions == PosKind::standard || (c.relative_bias && c.attention_window == 0);
}

}  // namespace

/// score[h](c, u) = <q_h(c), k_h(u)> / scale, value[h].row(u) = v_h(u) W_O[h].
struct Sampler::Tables {
  std::vector<RowMatrix> score, value;
  RowMatrix embedding, W_in, W_out, W_U;
  Row b_O, b_in, b_out, b_U;

  explicit Tables(const Transformer& m) {
    const auto& c = m.config;
    const std::size_t d = c.d_model, dh = c.d_head;
    embedding = dense(m.W_E.data.data(), c.d_vocab, d);
    const double scale = c.attn_scale > 0 ? c.attn_scale : std::sqrt(static_cast<double>(dh));
    for (std::size_t h = 0; h < c.n_heads; ++h) {
      const auto project = [&](const Tensor& W, const Tensor& b) -> RowMatrix {
        RowMatrix x = embedding * dense(W.data.data() + h * d * dh, d, dh);
        x.rowwise() += bias(b, h * dh, dh);
        return x;
      };
      const RowMatrix q = project(m.W_Q, m.b_Q), k = project(m.W_K, m.b_K);
      score.emplace_back(q * k.transpose() / scale);
      value.emplace_back(project(m.W_V, m.b_V) * dense(m.W_O.data.data() + h * dh * d, dh, d));
    }
    b_O = bias(m.b_O, 0, d);
    W_U = dense(m.W_U.data.data(), d, c.d_vocab_out);
    b_U = bias(m.b_U, 0, c.d_vocab_out);
    if (!c.attn_only) {
      W_in = dense(m.W_in.data.data(), d, c.d_mlp);
      b_in = bias(m.b_in, 0, c.d_mlp);
      W_out = dense(m.W_out.data.data(), c.d_mlp, d);
      b_out = bias(m.b_out, 0, d);
    }
  }

  /// hook_resid_mid at the last token of the context.
  [[nodiscard]] Row resid_mid(const Transformer& model, std::span<const TokenId> context) const {
    const std::size_t n = context.size(), current = context[n - 1].at();
    Row m = embedding.row(index(current)) + b_O;
    std::vector<double> weight(model.keys_seen(n - 1));
    for (std::size_t h = 0; h < score.size(); ++h) {
      double top = -INFINITY;
      for (std::size_t back = 0; back < weight.size(); ++back) {
        weight[back] = score[h](index(current), index(context[n - 1 - back].at()));
        if (model.config.relative_bias) {
          weight[back] += static_cast<double>(model.rel_bias.at(h, back));
        }
        top = std::max(top, weight[back]);
      }
      double total = 0;
      for (double& w : weight) {
        w = std::exp(w - top);
        total += w;
      }
      for (std::size_t back = 0; back < weight.size(); ++back) {
        m += (weight[back] / total) * value[h].row(index(context[n - 1 - back].at()));
      }
    }
    return m;
  }

  /// m + relu(m W_in + b_in) W_out + b_out, summing over the neurons that are on.
  [[nodiscard]] Row resid_post(Row m) const {
    if (W_in.size() == 0) {
      return m;
    }
    const Row z = m * W_in + b_in;
    m += b_out;
    for (Eigen::Index j = 0; j < z.size(); ++j) {
      if (z[j] > 0) {
        m += z[j] * W_out.row(j);
      }
    }
    return m;
  }
};

Sampler::Sampler(const Transformer& model)
    : model_(model),
      tables_(is_tabulable(model.config) ? std::make_unique<const Tables>(model) : nullptr) {}

Sampler::~Sampler() = default;

std::vector<double> Sampler::next_logits(std::span<const TokenId> context) const {
  require(!context.empty(), "sampler: an empty context");
  if (!tables_) {
    return assay::next_logits(model_, context);
  }
  const Row r = tables_->resid_post(tables_->resid_mid(model_, context));
  const Row logits = r * tables_->W_U + tables_->b_U;
  return {logits.data(), logits.data() + logits.size()};
}

std::vector<TokenId> Sampler::run(const Decoder& decoder, std::span<const TokenId> prompt,
                                  std::size_t max_new, Random& random) const {
  const auto& c = model_.config;
  if (prompt.empty()) {
    throw InputError("prompt: expected at least one token, found none");
  }
  for (const TokenId token : prompt) {
    if (token.at() >= c.d_vocab) {
      throw InputError("prompt", "token id", "below " + std::to_string(c.d_vocab),
                       std::to_string(token.at()));
    }
  }
  if (needs_n_ctx(c) && prompt.size() + max_new > c.n_ctx) {
    throw InputError("run", "prompt and new tokens", "at most n_ctx = " + std::to_string(c.n_ctx),
                     std::to_string(prompt.size() + max_new));
  }
  std::vector<TokenId> tokens(prompt.begin(), prompt.end());
  for (std::size_t i = 0; i < max_new; ++i) {
    const std::vector<double> logits = next_logits(tokens);
    const TokenId next = sample(support(decoder, logits), random);
    if (next.at() >= c.d_vocab) {
      break;  // an output that cannot be read back in: the run ends here
    }
    tokens.push_back(next);
  }
  return tokens;
}

}  // namespace assay::automata
