#pragma once

#include <map>
#include <string>
#include <vector>

#include "assay/model/transformer.hpp"
#include "torch_api.hpp"

namespace assay::torch_bridge {

/// The model of assay/model/transformer.hpp as LibTorch tensors, names and shapes as stored.
class Network {
 public:
  /// Uniform initial weights from our own generator: the same on every LibTorch.
  static Network random(const TransformerConfig& config, std::uint64_t seed, at::Device device);
  /// Throws InputError for what this bridge does not execute (rotary positions, attn_only).
  static Network from(const Transformer& model, at::Device device);
  [[nodiscard]] Transformer to_transformer() const;

  [[nodiscard]] const TransformerConfig& config() const { return config_; }
  [[nodiscard]] at::Device device() const { return device_; }
  /// Name -> tensor, in name order.
  [[nodiscard]] std::map<std::string, at::Tensor>& parameters() { return parameters_; }
  [[nodiscard]] const std::map<std::string, at::Tensor>& parameters() const { return parameters_; }

  // Stages of the forward pass; `tokens` [B,T], everything else [B,T,width].
  [[nodiscard]] at::Tensor resid_mid(const at::Tensor& tokens) const;
  [[nodiscard]] at::Tensor mlp_post(const at::Tensor& resid_mid) const;
  [[nodiscard]] at::Tensor mlp_out(const at::Tensor& mlp_post) const;
  [[nodiscard]] at::Tensor logits(const at::Tensor& resid_post) const;
  [[nodiscard]] at::Tensor forward(const at::Tensor& tokens) const;

  /// Heads far_heads, far_heads + 1, … see the known tokens only: their relative bias is set to -64
  /// at every lag >= known.
  void block_far(std::size_t far_heads, std::size_t known);

  /// The certified-range penalty, a scalar: how far a context that is free beyond the last
  /// `known` tokens can move the MLP inputs and the logits through attention.
  ///   (mean_t r_t^4)^(1/4),
  ///   r_t = sum_h [Bfar max_u w / (Bfar max_u w + near_t)] mean_m range_u (OV_h(u) [W_in|W_U])_m
  /// with w = exp(score(t,u)), Bfar = sum of e^bias over lags >= known,
  /// near_t = e^{b_0} w(t,t) + sum over lags 1..known-1 of e^bias min_u w(t,u). The fourth power is
  /// a soft maximum over the query tokens t: a plain mean leaves the loosest of them loose.
  [[nodiscard]] at::Tensor range_penalty(std::size_t known) const;

 private:
  Network(TransformerConfig config, at::Device device) : config_(config), device_(device) {}
  [[nodiscard]] const at::Tensor& get(const std::string& name) const;
  [[nodiscard]] at::Tensor norm(const at::Tensor& x, const std::string& name) const;
  [[nodiscard]] at::Tensor attention(const at::Tensor& x) const;
  [[nodiscard]] at::Tensor attend_all(const at::Tensor& q, const at::Tensor& k,
                                      const at::Tensor& v) const;
  [[nodiscard]] at::Tensor attend_banded(const at::Tensor& q, const at::Tensor& k,
                                         const at::Tensor& v) const;
  [[nodiscard]] at::Tensor bias_of(const at::Tensor& lag, const at::Tensor& allowed) const;

  TransformerConfig config_;
  at::Device device_;
  std::map<std::string, at::Tensor> parameters_;
};

/// Cross-entropy in nats per token of rows [B,T+1]: token i+1 predicted from tokens 0..i.
[[nodiscard]] at::Tensor next_token_loss(const at::Tensor& logits, const at::Tensor& rows);

}  // namespace assay::torch_bridge
