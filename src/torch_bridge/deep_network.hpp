#pragma once

#include <string>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/torch_bridge/sample.hpp"
#include "torch_api.hpp"

namespace assay::torch_bridge {

/// A model of any depth as LibTorch float64 tensors, run token by token over sequences of one length side by side; keys
/// and values are kept. Included by network.cpp alone, which already has LibTorch.
class DeepNetwork : public TokenEngine {
 public:
  DeepNetwork(const DeepModel& model, std::size_t sequences, at::Device device)
      : model_(model), device_(device) {
    const TransformerConfig& c = model.config;
    W_E_ = on_device(model.W_E);
    W_U_ = on_device(model.W_U);
    b_U_ = on_device(model.b_U);
    if (c.positions == PosKind::standard) {
      W_pos_ = on_device(model.W_pos);
    }
    final_ = {on_device(model.ln_final_w), on_device(model.ln_final_b)};
    for (const Block& block : model.blocks) {
      layers_.push_back(layer_of(block));
    }
    for (std::size_t row = 0; row < sequences; ++row) {
      rows_.push_back(row);
    }
  }

  Matrix append(std::span<const std::size_t> rows, std::span<const TokenId> tokens) override {
    const c10::NoGradGuard no_gradient;
    keep_rows(rows);
    const TransformerConfig& c = model_.config;
    std::vector<std::int64_t> ids;
    for (const TokenId t : tokens) {
      ids.push_back(static_cast<std::int64_t>(t.at()));
    }
    at::Tensor x = W_E_.index_select(0, tokens_to_torch(ids, ids.size(), device_).flatten());
    if (c.positions == PosKind::standard) {
      x = x + W_pos_.select(0, length_);
    }
    for (Layer& layer : layers_) {
      x = x + attention(layer, norm(x, layer.ln1));
      if (!c.attn_only) {
        const at::Tensor hidden = at::addmm(layer.b_in, norm(x, layer.ln2), layer.W_in);
        x = x + at::addmm(layer.b_out, activated(hidden), layer.W_out);
      }
    }
    ++length_;
    const at::Tensor logits =
        at::addmm(b_U_, norm(x, final_), W_U_).to(at::kCPU).contiguous();
    const double* first = logits.data_ptr<double>();
    return {rows.size(), c.d_vocab_out, {first, first + logits.numel()}};
  }

  std::vector<double> alone(std::span<const TokenId> context) override {
    DeepNetwork one(model_, 1, device_);
    const std::size_t row = 0;
    Matrix logits;
    for (const TokenId token : context) {
      logits = one.append(std::span(&row, 1), std::span(&token, 1));
    }
    return logits.data;
  }

 private:
  struct Norm {
    at::Tensor w, b;  ///< undefined: none
  };
  struct Layer {
    at::Tensor W, b;                ///< [d, 3 H dh]: queries, keys, values
    at::Tensor W_O, b_O, rel_bias;  ///< [H dh, d]
    at::Tensor W_in, b_in, W_out, b_out;
    Norm ln1, ln2;
    at::Tensor keys, values;  ///< [rows, H, capacity, dh]
  };

  [[nodiscard]] at::Tensor on_device(const Tensor& t) const {
    return t.data.empty() ? at::Tensor() : to_torch(t, device_).to(at::kDouble);
  }
  [[nodiscard]] Layer layer_of(const Block& b) const {
    const auto flat = [&](const Tensor& w) {  // [H,d,dh] -> [d,H*dh]
      const at::Tensor t = on_device(w);
      return t.permute({1, 0, 2}).reshape({t.size(1), t.size(0) * t.size(2)});
    };
    Layer out;
    out.W = at::cat({flat(b.W_Q), flat(b.W_K), flat(b.W_V)}, 1);
    out.b = at::cat({on_device(b.b_Q).flatten(), on_device(b.b_K).flatten(), on_device(b.b_V).flatten()});
    out.W_O = on_device(b.W_O).reshape({-1, len(model_.config.d_model)});
    out.b_O = on_device(b.b_O);
    out.rel_bias = on_device(b.rel_bias);
    out.W_in = on_device(b.W_in);
    out.b_in = on_device(b.b_in);
    out.W_out = on_device(b.W_out);
    out.b_out = on_device(b.b_out);
    out.ln1 = {on_device(b.ln1_w), on_device(b.ln1_b)};
    out.ln2 = {on_device(b.ln2_w), on_device(b.ln2_b)};
    return out;
  }

  [[nodiscard]] at::Tensor norm(const at::Tensor& x, const Norm& n) const {
    if (model_.config.norm == NormKind::none) {
      return x;
    }
    const at::Tensor centred = model_.rms ? x : x - x.mean(-1, true);
    const at::Tensor s = centred / (centred.pow(2).mean(-1, true) + model_.config.eps).sqrt();
    return n.w.defined() ? s * n.w + n.b : s;
  }

  [[nodiscard]] at::Tensor activated(const at::Tensor& x) const {
    switch (model_.config.act_fn) {
      case ActFn::relu:
        return at::relu(x);
      case ActFn::gelu_erf:
        return at::gelu(x);
      case ActFn::gelu_tanh:
        return at::gelu(x, "tanh");
    }
    return x;
  }

  /// Rotate-half of [rows, H, dh] at the present position.
  [[nodiscard]] at::Tensor rotated(const at::Tensor& x) const {
    const TransformerConfig& c = model_.config;
    if (c.positions != PosKind::rotary) {
      return x;
    }
    const std::int64_t half = len(c.rotary_dim) / 2, rest = x.size(-1) - 2 * half;
    const at::Tensor power = at::arange(half, x.options()) / static_cast<double>(half);
    const at::Tensor angle = static_cast<double>(length_) / at::pow(c.rotary_base, power);
    const at::Tensor a = x.narrow(-1, 0, half), b = x.narrow(-1, half, half);
    return at::cat({a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin(),
                    x.narrow(-1, 2 * half, rest)},
                   -1);
  }

  [[nodiscard]] at::Tensor attention(Layer& layer, const at::Tensor& x) const {
    const TransformerConfig& c = model_.config;
    const std::int64_t n = x.size(0), H = len(c.n_heads), dh = len(c.d_head);
    const at::Tensor qkv = at::addmm(layer.b, x, layer.W).view({n, 3, H, dh});
    remember(layer.keys, rotated(qkv.select(1, 1)));
    remember(layer.values, qkv.select(1, 2));
    const std::int64_t seen = c.attention_window == 0
                                  ? length_ + 1
                                  : std::min(length_ + 1, len(c.attention_window));
    const std::int64_t first = length_ + 1 - seen;
    const at::Tensor q = (rotated(qkv.select(1, 0)) / c.attn_scale).unsqueeze(2);
    at::Tensor scores = at::matmul(q, layer.keys.narrow(2, first, seen).transpose(-1, -2));
    if (c.relative_bias) {  // [H, seen], the newest last
      scores = scores + layer.rel_bias.narrow(1, 0, seen).flip(1).unsqueeze(1);
    }
    const at::Tensor z = at::matmul(at::softmax(scores, -1), layer.values.narrow(2, first, seen));
    return at::addmm(layer.b_O, z.reshape({n, H * dh}), layer.W_O);
  }

  /// memory[:, :, length] = x, growing by doubling.
  void remember(at::Tensor& memory, const at::Tensor& x) const {
    if (!memory.defined()) {
      memory = at::zeros({x.size(0), x.size(1), 16, x.size(2)}, x.options());
    } else if (memory.size(2) == length_) {
      memory = at::cat({memory, at::zeros_like(memory)}, 2);
    }
    memory.select(2, length_).copy_(x);
  }

  /// Forgets the sequences that are not among `rows`, an ascending part of those before.
  void keep_rows(std::span<const std::size_t> rows) {
    if (std::equal(rows.begin(), rows.end(), rows_.begin(), rows_.end())) {
      return;
    }
    std::vector<std::int64_t> at;
    std::size_t i = 0;
    for (const std::size_t row : rows) {
      while (i < rows_.size() && rows_[i] != row) {
        ++i;
      }
      require(i < rows_.size(), "DeepNetwork::append: a row that was left out before");
      at.push_back(static_cast<std::int64_t>(i));
    }
    const at::Tensor kept = tokens_to_torch(at, at.size(), device_).flatten();
    for (Layer& layer : layers_) {
      if (layer.keys.defined()) {
        layer.keys = layer.keys.index_select(0, kept);
        layer.values = layer.values.index_select(0, kept);
      }
    }
    rows_.assign(rows.begin(), rows.end());
  }

  const DeepModel& model_;
  at::Device device_;
  at::Tensor W_E_, W_pos_, W_U_, b_U_;
  Norm final_;
  std::vector<Layer> layers_;
  std::vector<std::size_t> rows_;
  std::int64_t length_ = 0;
};

}  // namespace assay::torch_bridge
