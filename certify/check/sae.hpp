#pragma once

#include <string>
#include <vector>

#include "interval.hpp"

namespace assay_check {

/// The encoder of an SAE or transcoder in the SAELens layout: pre = (x - b_dec * apply) W_enc + b_enc;
/// feature i is off iff pre_i <= threshold_i, its value is then 0, else pre_i. `topk` (k > 0): the k largest
/// pre-activations are kept, in a tie any of them, and are on where above 0.
struct SaeEncoder {
  std::string hook;  ///< the site it reads
  std::size_t d_in = 0, d_sae = 0, k = 0;
  bool subtract_b_dec = true;
  std::vector<float> W_enc, b_enc, b_dec, threshold;  ///< W_enc [d_in, d_sae]

  /// W_enc[:, i]
  [[nodiscard]] std::vector<Interval> direction(std::size_t i) const;
  /// beta_i = b_enc[i] - (apply_b_dec_to_input ? <b_dec, W_enc[:, i]> : 0)
  [[nodiscard]] Interval offset(std::size_t i) const;
};

/// An affine readout of a hook's activation: <weights, x> + bias.
struct AffineReadout {
  std::string hook;
  std::vector<Interval> weights;
  Interval bias;
};

/// Unknown architectures, normalisations and tensors are refused. Throws Reject.
[[nodiscard]] SaeEncoder read_sae(const std::string& config, const std::string& config_file,
                                  std::string weights, const std::string& weights_file);
[[nodiscard]] AffineReadout read_readout(const std::string& bytes, const std::string& file);

}  // namespace assay_check
