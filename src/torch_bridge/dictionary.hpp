#pragma once

#include <string>
#include <vector>

#include "assay/model/sae.hpp"
#include "assay/torch_bridge/options.hpp"
#include "network.hpp"
#include "torch_api.hpp"

namespace assay::torch_bridge {

/// Activations of the two sites a dictionary joins: [n, d_in] and [n, d_out].
struct Pairs {
  at::Tensor in, out;
};

/// Input and target of a dictionary of this kind at every position of `tokens` [B,T]:
/// sae: mlp.hook_post twice; transcoder: hook_resid_mid, hook_mlp_out.
[[nodiscard]] Pairs activations(const Network& network, const std::string& kind,
                                const at::Tensor& tokens);

/// A dictionary in training, in units where inputs and targets have norm sqrt(width) on
/// average: pre = (in_scale x - b_dec [sae only]) W_enc + b_enc, y = (f W_dec + b_dec) / out_scale.
/// Rows of W_dec have norm 1.
struct Dictionary {
  std::map<std::string, at::Tensor> parameters;  ///< W_enc, b_enc, W_dec, b_dec
  bool subtract_b_dec = false;
  double in_scale = 1;
  double out_scale = 1;
  double theta = 0;  ///< running mean of the smallest value kept (batchtopk), in double

  [[nodiscard]] const at::Tensor& get(const char* name) const { return parameters.at(name); }
  [[nodiscard]] at::Tensor pre(const at::Tensor& scaled_in) const;
  [[nodiscard]] at::Tensor decode(const at::Tensor& features) const;
};

/// Scales, biases and directions taken from a sample of the data: each feature starts as the
/// (input, target) direction of one sampled token, no two of them nearly the same.
[[nodiscard]] Dictionary start_dictionary(const SaeOptions& options, const Pairs& sample);

/// The value below which all but `count` entries of a 2-D tensor lie; at least 0.
[[nodiscard]] double kth_largest(const at::Tensor& values, std::size_t count);

/// Removes the part of W_dec's gradient that is parallel to its rows (before a step), and
/// brings the rows back to norm 1 (after it).
[[nodiscard]] at::Tensor perpendicular(const at::Tensor& gradient, const at::Tensor& w_dec);
void normalise_decoder(Dictionary& dictionary);

/// The stored form: scales folded into the weights, rows of W_dec of norm 1, one threshold for
/// all features (batchtopk) or ReLU (l1).
[[nodiscard]] Sae to_sae(const Dictionary& dictionary, const SaeOptions& options);

/// What is printed about a stored dictionary, over all positions of the given windows.
struct Evaluation {
  double l0 = 0;             ///< mean features on per token
  double fvu = 0;            ///< sum |y - y'|^2 / sum |y - mean y|^2
  double ce_clean = 0;       ///< nats per token
  double ce_spliced = 0;     ///< target site replaced by the reconstruction
  double ce_zero = 0;        ///< target site replaced by zero
  double recovered = 0;      ///< (ce_zero - ce_spliced) / (ce_zero - ce_clean)
  double dead_fraction = 0;  ///< features on at no position
  std::size_t tokens = 0;
};

/// `rows` [n, T+1]. A feature is off iff its pre-activation is <= its threshold.
[[nodiscard]] Evaluation evaluate(const Network& network, const Sae& sae, const std::string& kind,
                                  const at::Tensor& rows);

}  // namespace assay::torch_bridge
