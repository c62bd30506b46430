#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "assay/base/random.hpp"
#include "assay/bounds/quantity.hpp"
#include "assay/model/forward.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/transformer.hpp"

// One-layer transformers in float32, every freedom of FLOAT32-ANY-ORDER taken at random: the order and the
// bracketing of each sum, fused or not, the place of the scale, the softmax and its shift, and exp, erf,
// tanh and rotary tables off by as much as they may be.
namespace fixture {

class Float32Runner {
 public:
  Float32Runner(const assay::Transformer& model, const assay::Sae* sae, std::uint64_t seed,
                bool any_shift)
      : m_(model), sae_(sae), random_(seed), any_shift_(any_shift) {}

  [[nodiscard]] float value(const assay::bounds::Quantity& q,
                            const std::vector<assay::TokenId>& context) {
    using assay::bounds::QuantityKind;
    style_ = random_.below(1U << 16);
    run(context);
    switch (q.kind) {
      case QuantityKind::neuron:
        return pre_[q.index];
      case QuantityKind::logit:
        return logit(q.index);
      case QuantityKind::logit_difference:
        return logit(q.index) - logit(q.other);
      case QuantityKind::logit_margin: {
        float least = HUGE_VALF;
        const float own = logit(q.index);
        for (std::uint32_t y = 0; y < m_.config.d_vocab_out; ++y) {
          least = y == q.index ? least : std::min(least, own - logit(y));
        }
        return least;
      }
      case QuantityKind::residual_mid:
        return reading(q.direction, mid_, 0.0);
      case QuantityKind::readout:
        return reading(q.readout->weights, hook(q.readout->hook), q.readout->bias);
      case QuantityKind::feature_difference:
        return feature(q.index) - feature(q.other);
      case QuantityKind::logit_mixture:
        throw std::invalid_argument("float32: a mixture of logits is no quantity of a request");
      case QuantityKind::feature:
        break;
    }
    return feature(q.index);
  }

 private:
  using Floats = std::vector<float>;
  struct Term {
    float a = 0, b = 0;
    bool is_product = false;
  };

  bool coin() { return random_.below(2) == 0; }
  [[nodiscard]] bool style(unsigned bit) const { return ((style_ >> bit) & 1U) != 0; }

  static float rounded(const Term& t) { return t.is_product ? t.a * t.b : t.a; }

  /// The sum of products and numbers: from left to right, in pairs, or in any tree.
  float sum(std::vector<Term> terms) {
    if (terms.empty()) {
      return 0;
    }
    const std::size_t way = random_.below(4);
    for (std::size_t i = terms.size(); way != 0 && i > 1; --i) {
      std::swap(terms[i - 1], terms[random_.below(i)]);
    }
    while (terms.size() > 1) {
      std::size_t i = way == 3 ? random_.below(terms.size() - 1) : 0;
      if (way == 2) {  // from the end
        i = terms.size() - 2;
      }
      Term& x = terms[i];
      const Term y = terms[i + 1];
      float total = 0;
      if (y.is_product && coin()) {
        total = std::fma(y.a, y.b, rounded(x));
      } else if (x.is_product && coin()) {
        total = std::fma(x.a, x.b, rounded(y));
      } else {
        total = rounded(x) + rounded(y);
      }
      x = {total, 0, false};
      terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
    return rounded(terms[0]);
  }

  /// A correctly rounded number moved by up to one ulp: within 2 ulp of the exact one.
  float shaken(double exact) {
    const auto x = static_cast<float>(exact);
    const bool up = style(0) ? style(1) : coin();
    return style(2) ? x : std::nextafter(x, up ? INFINITY : -INFINITY);
  }
  float exponential(float x) {
    const float y = shaken(std::exp(static_cast<double>(x)));
    return y < 0 ? 0 : y;
  }

  [[nodiscard]] static float at(const assay::Tensor& t, std::size_t i) {
    return t.data.empty() ? 0.0F : t.data[i];
  }

  /// x W + b, W [n, columns] from `offset`
  Floats affine(const Floats& x, const assay::Tensor& W, std::size_t offset, std::size_t columns,
                const assay::Tensor& b, std::size_t b_offset) {
    Floats out;
    for (std::size_t c = 0; c < columns; ++c) {
      std::vector<Term> terms;
      for (std::size_t i = 0; i < x.size(); ++i) {
        terms.push_back({x[i], W.data[offset + i * columns + c], true});
      }
      terms.push_back({at(b, b_offset + c), 0, false});
      out.push_back(sum(terms));
    }
    return out;
  }

  Floats norm(Floats x, const assay::Tensor& w, const assay::Tensor& b) {
    if (m_.config.norm == assay::NormKind::none) {
      return x;
    }
    const auto d = static_cast<float>(x.size());
    std::vector<Term> terms;
    for (const float v : x) {
      terms.push_back({v, 0, false});
    }
    const float mean = style(3) ? sum(terms) / d : sum(terms) * (1 / d);
    terms.clear();
    for (float& v : x) {
      v = v - mean;
      terms.push_back({v, v, true});
    }
    const auto eps = static_cast<float>(m_.config.eps);
    const float deviation = std::sqrt(sum(terms) / d + eps);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = style(4) ? x[i] / deviation : x[i] * (1 / deviation);
      if (!w.data.empty()) {
        x[i] = coin() ? std::fma(x[i], w.data[i], b.data[i]) : x[i] * w.data[i] + b.data[i];
      }
    }
    return x;
  }

  void turn(Floats& x, std::size_t position, std::size_t length) {
    const std::size_t half = m_.config.rotary_dim / 2;
    const double off = 0.9 * static_cast<double>(length) * 0x1p-20;
    for (std::size_t i = 0; i < half; ++i) {
      const double angle =
          static_cast<double>(position) *
          std::pow(m_.config.rotary_base, -static_cast<double>(i) / static_cast<double>(half));
      const auto c = static_cast<float>(std::cos(angle) + (coin() ? off : -off));
      const auto s = static_cast<float>(std::sin(angle) + (coin() ? off : -off));
      const float a = x[i], b = x[i + half];
      x[i] = sum({{a, c, true}, {-b, s, true}});
      x[i + half] = sum({{b, c, true}, {a, s, true}});
    }
  }

  /// Softmax over the keys and the mean of their values.
  Floats attend(const Floats& scores, const std::vector<Floats>& values) {
    float shift = *std::max_element(scores.begin(), scores.end());
    if (any_shift_ && style(5)) {
      shift = style(6) ? 0.0F : scores[random_.below(scores.size())];
    } else if (style(7)) {
      return stream(scores, values);
    }
    Floats weights;
    std::vector<Term> terms;
    for (const float s : scores) {
      weights.push_back(exponential(s - shift));
      terms.push_back({weights.back(), 0, false});
    }
    const float total = sum(terms);
    Floats out;
    for (std::size_t i = 0; i < values[0].size(); ++i) {
      terms.clear();
      for (std::size_t j = 0; j < scores.size(); ++j) {
        const float p = style(8) ? weights[j] / total : weights[j];
        terms.push_back({p, values[j][i], true});
      }
      const float x = sum(terms);
      out.push_back(style(8) ? x : style(9) ? x / total : x * (1 / total));
    }
    return out;
  }

  /// Block by block; what was added up shrinks when a larger score comes.
  Floats stream(const Floats& scores, const std::vector<Floats>& values) {
    float top = -INFINITY, total = 0;
    Floats out(values[0].size(), 0.0F);
    for (std::size_t first = 0; first < scores.size();) {
      const std::size_t last = std::min(scores.size(), first + 1 + random_.below(2));
      float next = top;
      for (std::size_t j = first; j < last; ++j) {
        next = std::max(next, scores[j]);
      }
      const float shrink = first == 0 ? 0.0F : exponential(top - next);
      top = next;
      std::vector<Term> sums{{total, shrink, true}};
      std::vector<std::vector<Term>> parts;
      for (const float x : out) {
        parts.push_back({{x, shrink, true}});
      }
      for (std::size_t j = first; j < last; ++j) {
        const float w = exponential(scores[j] - top);
        sums.push_back({w, 0, false});
        for (std::size_t i = 0; i < out.size(); ++i) {
          parts[i].push_back({w, values[j][i], true});
        }
      }
      total = sum(sums);
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = sum(parts[i]);
      }
      first = last;
    }
    for (float& x : out) {
      x = style(9) ? x / total : x * (1 / total);
    }
    return out;
  }

  float activate(float x) {
    switch (m_.config.act_fn) {
      case assay::ActFn::relu:
        return std::max(x, 0.0F);
      case assay::ActFn::gelu_erf: {
        const float e =
            shaken(std::erf(static_cast<double>(x * static_cast<float>(std::numbers::sqrt2 / 2))));
        return style(10) ? 0.5F * x * (1 + e) : x * (0.5F * (1 + e));
      }
      case assay::ActFn::gelu_tanh:
        break;
    }
    const auto c = static_cast<float>(std::sqrt(2 / std::numbers::pi));
    const float inner =
        style(11) ? c * (x + 0.044715F * x * x * x) : c * std::fma(0.044715F * (x * x), x, x);
    return 0.5F * x * (1 + shaken(std::tanh(static_cast<double>(inner))));
  }

  Floats head(const std::vector<Floats>& inputs, std::size_t h, std::size_t n) {
    const auto& c = m_.config;
    const std::size_t d = c.d_model, e = c.d_head;
    Floats q = affine(inputs[0], m_.W_Q, h * d * e, e, m_.b_Q, h * e);
    turn(q, n - 1, n);
    const double scale = c.attn_scale > 0 ? c.attn_scale : std::sqrt(static_cast<double>(e));
    const auto s = static_cast<float>(scale);
    if (style(12)) {
      for (float& x : q) {
        x = style(13) ? x / s : x * (1 / s);
      }
    }
    Floats scores;
    std::vector<Floats> values;
    for (std::size_t j = 0; j < inputs.size(); ++j) {
      Floats k = affine(inputs[j], m_.W_K, h * d * e, e, m_.b_K, h * e);
      turn(k, n - 1 - j, n);
      std::vector<Term> terms;
      for (std::size_t i = 0; i < e; ++i) {
        terms.push_back({q[i], k[i], true});
      }
      const float bias = c.relative_bias ? m_.rel_bias.at(h, j) : 0.0F;
      if (style(12)) {
        terms.push_back({bias, 0, false});
        scores.push_back(sum(terms));
      } else {
        scores.push_back(style(13) ? sum(terms) / s + bias : std::fma(sum(terms), 1 / s, bias));
      }
      values.push_back(affine(inputs[j], m_.W_V, h * d * e, e, m_.b_V, h * e));
    }
    return attend(scores, values);
  }

  void run(const std::vector<assay::TokenId>& context) {
    const auto& c = m_.config;
    const std::size_t n = context.size(), d = c.d_model;
    const std::size_t seen = m_.keys_seen(n - 1);
    std::vector<Floats> inputs;
    Floats x0;
    for (std::size_t j = 0; j < seen; ++j) {
      Floats x;
      for (std::size_t i = 0; i < d; ++i) {
        x.push_back(m_.W_E.at(context[n - 1 - j].at(), i));
        if (c.positions == assay::PosKind::standard) {
          x.back() += m_.W_pos.at(n - 1 - j, i);
        }
      }
      if (j == 0) {
        x0 = x;
      }
      inputs.push_back(norm(std::move(x), m_.ln1_w, m_.ln1_b));
    }
    std::vector<std::vector<Term>> mid(d);
    for (std::size_t h = 0; h < c.n_heads; ++h) {
      const Floats out = head(inputs, h, n);
      for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t r = 0; r < c.d_head; ++r) {
          mid[i].push_back({out[r], m_.W_O.data[(h * c.d_head + r) * d + i], true});
        }
      }
    }
    mid_.clear();
    for (std::size_t i = 0; i < d; ++i) {
      mid[i].push_back({x0[i], 0, false});
      mid[i].push_back({at(m_.b_O, i), 0, false});
      mid_.push_back(sum(mid[i]));
    }
    after_attention();
  }

  void after_attention() {
    const std::size_t d = m_.config.d_model, f = m_.config.d_mlp;
    resid_post_ = mid_;
    if (!m_.config.attn_only) {
      pre_ = affine(norm(mid_, m_.ln2_w, m_.ln2_b), m_.W_in, 0, f, m_.b_in, 0);
      post_ = pre_;
      for (float& x : post_) {
        x = activate(x);
      }
      mlp_out_ = affine(post_, m_.W_out, 0, d, m_.b_out, 0);
      for (std::size_t i = 0; i < d; ++i) {
        std::vector<Term> all{{mid_[i], 0, false}, {at(m_.b_out, i), 0, false}};
        for (std::size_t j = 0; j < f; ++j) {
          all.push_back({post_[j], m_.W_out.data[j * d + i], true});
        }
        resid_post_[i] = style(14) ? mid_[i] + mlp_out_[i] : sum(all);
      }
    }
    unembedded_ = norm(resid_post_, m_.ln_final_w, m_.ln_final_b);
  }

  float logit(std::size_t token) {
    std::vector<Term> terms{{at(m_.b_U, token), 0, false}};
    for (std::size_t i = 0; i < unembedded_.size(); ++i) {
      terms.push_back({unembedded_[i], m_.W_U.at(i, token), true});
    }
    return sum(terms);
  }

  [[nodiscard]] const Floats& hook(const std::string& name) const {
    return name == assay::kHookResidMid  ? mid_
           : name == assay::kHookMlpPost ? post_
           : name == assay::kHookMlpOut  ? mlp_out_
                                         : resid_post_;
  }
  float reading(const std::vector<double>& g, const Floats& y, double bias) {
    std::vector<Term> terms{{static_cast<float>(bias), 0, false}};
    for (std::size_t i = 0; i < g.size(); ++i) {
      terms.push_back({y[i], static_cast<float>(g[i]), true});
    }
    return sum(terms);
  }
  float feature(std::size_t index) {
    const Floats& y = hook(sae_->hook_name);
    std::vector<Term> terms{{at(sae_->b_enc, index), 0, false}};
    for (std::size_t i = 0; i < sae_->d_in; ++i) {
      const float x = sae_->apply_b_dec_to_input ? y[i] - at(sae_->b_dec, i) : y[i];
      terms.push_back({x, sae_->W_enc.at(i, index), true});
    }
    return sum(terms);
  }

  const assay::Transformer& m_;
  const assay::Sae* sae_;
  assay::Random random_;
  bool any_shift_;
  std::uint64_t style_ = 0;
  Floats mid_, pre_, post_, mlp_out_, resid_post_, unembedded_;
};

}  // namespace fixture
