#pragma once

#include <string>
#include <vector>

#include "interval.hpp"

namespace assay_check {

/// The output of one normalisation of a model of any depth, x = w ∘ s + b: what is said of it holds of every
/// input of the norm, so that nothing else of the model is read (docs/certificate-format.md, kind `site`).
struct Site {
  std::string name;                             ///< ln_final, blocks.N.ln1 or blocks.N.ln2
  bool centred = true;                          ///< LayerNorm, else RMSNorm
  bool affine = true;                           ///< LN and RMS have a w
  std::size_t n_layers = 0, d = 0, tokens = 0;  ///< tokens: of W_U; 0 but for ln_final
  std::vector<float> w, b, W_U, b_U;            ///< ones and zeros where the norm has none

  /// x, or what TransformerLens calls NAME.hook_normalized where that is x.
  [[nodiscard]] bool is_read_by(const std::string& hook) const {
    return hook == name || (hook == name + ".hook_normalized" && (centred || !affine));
  }
  [[nodiscard]] std::string words() const;
};

/// Unknown sites, other functions and tensors that the norm does not have are refused. Throws Reject.
[[nodiscard]] Site read_site(const std::string& name, const std::string& config,
                             const std::string& config_file, std::string weights,
                             const std::string& weights_file);

}  // namespace assay_check
