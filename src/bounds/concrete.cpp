#include "assay/bounds/concrete.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "attention_scale.hpp"

namespace assay::bounds {
namespace {

using Row = std::vector<Interval>;

Interval real(float x) {
  return Interval(static_cast<double>(x));
}

/// An absent bias is zeros.
Interval entry(const Tensor& t, std::size_t i) {
  return t.data.empty() ? Interval(0.0) : real(t.data[i]);
}

/// x [n] times the row-major [n, m] block at `weights`, plus `bias` [m] (may be null).
Row affine(const Row& x, const float* weights, const float* bias, std::size_t m) {
  Row y(m);
  for (std::size_t j = 0; j < m; ++j) {
    y[j] = bias == nullptr ? Interval(0.0) : real(bias[j]);
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < m; ++j) {
      y[j] += x[i] * real(weights[i * m + j]);
    }
  }
  return y;
}

const float* bias_of(const Tensor& t, std::size_t offset) {
  return t.data.empty() ? nullptr : t.data.data() + offset;
}

Interval dot(const Row& a, const Row& b) {
  Interval sum(0.0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

void refuse(bool wrong, const char* key, const char* expected, const char* found) {
  if (wrong) {
    throw InputError("config.json", key, expected, found);
  }
}

void check_family(const Transformer& model, std::span<const TokenId> context) {
  const auto& c = model.config;
  refuse(c.n_layers != 1, "n_layers", "1 (interval evaluation)", "another number");
  refuse(c.norm != NormKind::none, "normalization_type", "null (interval evaluation)", "LN");
  refuse(c.act_fn != ActFn::relu && !c.attn_only, "act_fn", "relu (interval evaluation)", "gelu");
  refuse(c.positions == PosKind::rotary, "positional_embedding_type",
         "standard, relative_bias or none (interval evaluation)", "rotary");
  if (context.empty()) {
    throw InputError("context", "length", "at least one token", "none");
  }
  for (const TokenId t : context) {
    if (t.at() >= c.d_vocab) {
      throw InputError("context", "token", "an id below " + std::to_string(c.d_vocab),
                       std::to_string(t.at()));
    }
  }
  if (c.positions == PosKind::standard && context.size() > c.n_ctx) {
    throw InputError("context", "length", "at most n_ctx = " + std::to_string(c.n_ctx),
                     std::to_string(context.size()));
  }
}

/// The keys the last query sees, nearest first, embedded: row j stands j back.
std::vector<Row> embed_seen(const Transformer& model, std::span<const TokenId> context) {
  const std::size_t n = context.size();
  const std::size_t seen = model.keys_seen(n - 1);
  std::vector<Row> rows(seen, Row(model.config.d_model));
  for (std::size_t j = 0; j < seen; ++j) {
    const std::size_t position = n - 1 - j;
    for (std::size_t i = 0; i < model.config.d_model; ++i) {
      rows[j][i] = real(model.W_E.at(context[position].at(), i));
      if (model.config.positions == PosKind::standard) {
        rows[j][i] += real(model.W_pos.at(position, i));
      }
    }
  }
  return rows;
}

/// One head's output through W_O: weights e^{s_j} / sum, s_j relative to the largest upper end.
Row head_output(const Transformer& model, const std::vector<Row>& x, std::size_t h) {
  const auto& c = model.config;
  const std::size_t dh = c.d_head;
  const std::size_t block = h * c.d_model * dh;
  const Row q = affine(x[0], model.W_Q.data.data() + block, bias_of(model.b_Q, h * dh), dh);
  const Interval scale = attention_scale(c);
  Row scores(x.size());
  double top = -std::numeric_limits<double>::infinity();
  for (std::size_t j = 0; j < x.size(); ++j) {
    const Row k = affine(x[j], model.W_K.data.data() + block, bias_of(model.b_K, h * dh), dh);
    scores[j] = dot(q, k) / scale;
    if (!model.rel_bias.data.empty()) {
      if (j >= model.rel_bias.cols()) {
        throw InputError("model.safetensors", "blocks.0.attn.rel_bias",
                         "an entry for the key " + std::to_string(j) + " back", "none");
      }
      scores[j] += real(model.rel_bias.at(h, j));
    }
    top = std::max(top, scores[j].hi);
  }
  Row z(dh, Interval(0.0));
  Interval total(0.0);
  for (std::size_t j = 0; j < x.size(); ++j) {
    const Interval weight = exp(scores[j] - Interval(top));
    const Row v = affine(x[j], model.W_V.data.data() + block, bias_of(model.b_V, h * dh), dh);
    total += weight;
    for (std::size_t i = 0; i < dh; ++i) {
      z[i] += weight * v[i];
    }
  }
  for (Interval& component : z) {
    component = component / total;
  }
  return affine(z, model.W_O.data.data() + h * dh * c.d_model, nullptr, c.d_model);
}

const Row& at_hook(const std::string& hook, const ConcreteValues& values) {
  if (hook == kHookResidMid) {
    return values.resid_mid;
  }
  if (hook == kHookMlpPost) {
    return values.mlp_post;
  }
  if (hook == kHookMlpOut) {
    return values.mlp_out;
  }
  if (hook == kHookResidPost) {
    return values.resid_post;
  }
  throw InputError("hook", hook,
                   std::string(kHookResidMid) + ", " + kHookMlpPost + ", " + kHookMlpOut + " or " +
                       kHookResidPost,
                   "a hook that interval evaluation does not give");
}

}  // namespace

Interval min_p_cut(const Decoder& decoder) {
  const auto real_of = [](const Rational& r) {
    return Interval(static_cast<double>(r.num)) / Interval(static_cast<double>(r.den));
  };
  const Interval cut = log(real_of(decoder.min_p));
  return decoder.order == TemperatureOrder::before ? cut * real_of(decoder.temperature) : cut;
}

ConcreteValues enclose(const Transformer& model, std::span<const TokenId> context) {
  check_family(model, context);
  const auto& c = model.config;
  const std::vector<Row> x = embed_seen(model, context);
  ConcreteValues values;
  values.resid_mid = x[0];
  for (std::size_t i = 0; i < c.d_model; ++i) {
    values.resid_mid[i] += entry(model.b_O, i);
  }
  for (std::size_t h = 0; h < c.n_heads; ++h) {
    const Row out = head_output(model, x, h);
    for (std::size_t i = 0; i < c.d_model; ++i) {
      values.resid_mid[i] += out[i];
    }
  }
  values.mlp_out.assign(c.d_model, Interval(0.0));
  values.resid_post = values.resid_mid;
  if (!c.attn_only) {
    values.mlp_post =
        affine(values.resid_mid, model.W_in.data.data(), bias_of(model.b_in, 0), c.d_mlp);
    for (Interval& z : values.mlp_post) {
      z = relu(z);
    }
    values.mlp_out =
        affine(values.mlp_post, model.W_out.data.data(), bias_of(model.b_out, 0), c.d_model);
    for (std::size_t i = 0; i < c.d_model; ++i) {
      values.resid_post[i] += values.mlp_out[i];
    }
  }
  values.logits =
      affine(values.resid_post, model.W_U.data.data(), bias_of(model.b_U, 0), c.d_vocab_out);
  return values;
}

Interval enclose_pre_activation(const Sae& sae, FeatureId feature, const ConcreteValues& values) {
  const Row& x = at_hook(sae.hook_name, values);
  const std::size_t i = feature.at();
  if (i >= sae.d_sae || x.size() != sae.d_in) {
    throw InputError(
        "sae", "feature " + std::to_string(i),
        "an index below " + std::to_string(sae.d_sae) + " and d_in = " + std::to_string(x.size()),
        "d_in = " + std::to_string(sae.d_in));
  }
  Interval pre = entry(sae.b_enc, i);
  for (std::size_t r = 0; r < sae.d_in; ++r) {
    Interval shifted = x[r];
    if (sae.apply_b_dec_to_input) {
      shifted = shifted - entry(sae.b_dec, r);
    }
    pre += shifted * real(sae.W_enc.at(r, i));
  }
  return pre;
}

std::optional<Interval> enclose_feature(const Sae& sae, FeatureId feature,
                                        const ConcreteValues& values) {
  need_thresholds(sae);
  const Interval pre = enclose_pre_activation(sae, feature, values);
  const double threshold =
      sae.threshold.data.empty() ? 0.0 : static_cast<double>(sae.threshold.data[feature.at()]);
  if (pre.hi <= threshold) {
    return Interval(0.0);
  }
  if (pre.lo > threshold) {
    return pre;
  }
  return std::nullopt;
}

Interval enclose_readout(const Readout& readout, const ConcreteValues& values) {
  const Row& x = at_hook(readout.hook, values);
  if (readout.weights.size() != x.size()) {
    throw InputError("readout", "weights", std::to_string(x.size()) + " numbers",
                     std::to_string(readout.weights.size()));
  }
  Interval sum(readout.bias);
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += x[i] * Interval(readout.weights[i]);
  }
  return sum;
}

bool surely_emittable(const Decoder& decoder, std::span<const Interval> logits, TokenId token) {
  require(token.at() < logits.size(), "surely_emittable: token out of range");
  const Interval cut = min_p_cut(decoder);
  bool above_cut = true;
  bool unique_argmax = true;
  for (std::size_t y = 0; y < logits.size(); ++y) {
    if (y == token.at()) {
      above_cut = above_cut && logits[y].is_valid() && cut.hi < 0;
      unique_argmax = unique_argmax && logits[y].is_valid();
      continue;
    }
    const Interval difference = logits[token.at()] - logits[y];
    above_cut = above_cut && difference.lo > cut.hi;
    unique_argmax = unique_argmax && difference.lo > 0;
  }
  return above_cut || unique_argmax;
}

bool surely_excluded(const Decoder& decoder, std::span<const Interval> logits, TokenId token) {
  require(token.at() < logits.size(), "surely_excluded: token out of range");
  const Interval cut = min_p_cut(decoder);
  return std::any_of(logits.begin(), logits.end(), [&](Interval rival) {
    const Interval difference = logits[token.at()] - rival;
    return difference.hi < cut.lo && rival.is_valid() && logits[token.at()].is_valid();
  });
}

}  // namespace assay::bounds
