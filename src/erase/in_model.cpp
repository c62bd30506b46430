#include "assay/erase/in_model.hpp"

#include <cmath>

#include "assay/base/errors.hpp"

namespace assay::erase {
namespace {

void replace_by_deployed(Matrix& value, const void* context) {
  const auto& eraser = *static_cast<const Eraser*>(context);
  std::vector<float> x(value.cols);
  std::vector<std::int32_t> y(value.cols);
  for (std::size_t r = 0; r < value.rows; ++r) {
    for (std::size_t c = 0; c < value.cols; ++c) {
      x[c] = static_cast<float>(value.at(r, c));
    }
    deploy(eraser, x, y);
    for (std::size_t c = 0; c < value.cols; ++c) {
      value.at(r, c) = std::ldexp(static_cast<double>(y[c]), -eraser.grid_bits);
    }
  }
}

void replace_by_real(Matrix& value, const void* context) {
  const auto& e = *static_cast<const Eraser*>(context);
  for (std::size_t r = 0; r < value.rows; ++r) {
    std::vector<double> c(e.rank, 0.0);
    for (std::size_t k = 0; k < e.rank; ++k) {
      for (std::size_t j = 0; j < value.cols; ++j) {
        c[k] += e.proj_right[k * e.d() + j] * (value.at(r, j) - e.bias[j]);
      }
    }
    for (std::size_t i = 0; i < value.cols; ++i) {
      for (std::size_t k = 0; k < e.rank; ++k) {
        value.at(r, i) -= e.proj_left[i * e.rank + k] * c[k];
      }
    }
  }
}

}  // namespace

Bypass bypass_of(const std::string& hook) {
  const bool cut = hook == kHookResidPre || hook == kHookResidMid || hook == kHookResidPost;
  return cut ? Bypass::none : Bypass::residual;
}

std::string bypass_text(const std::string& hook) {
  return bypass_of(hook) == Bypass::none
             ? "none: all that the model computes after this site at a token, it computes from it"
             : "the residual stream: it carries the token and what attention found past this "
               "site, unerased, to the logits";
}

void need_model(const LoadedEraser& eraser, const Transformer& model, bool unbound) {
  const auto& named = eraser.origin.model_weights;
  if (named && *named != model.weights_digest) {
    throw Error(ExitCode::artifact, "the eraser was fitted on the model " + named->hex() +
                                        ", expected this one, " + model.weights_digest.hex());
  }
  const std::string& hook = eraser.eraser.hook;
  const bool mlp = hook == kHookMlpPre || hook == kHookMlpPost || hook == kHookMlpOut;
  if (!is_known_hook(hook) || (mlp && model.config.attn_only)) {
    throw InputError("eraser.json", "hook", "a site of this model", hook);
  }
  const std::size_t width =
      hook == kHookMlpPre || hook == kHookMlpPost ? model.config.d_mlp : model.config.d_model;
  if (eraser.eraser.d() != width) {
    throw InputError("eraser.json", "d", std::to_string(width) + ", the width of " + hook,
                     std::to_string(eraser.eraser.d()));
  }
  if (!named && !unbound) {
    throw UsageError(
        "eraser.json names no model (it was fitted on tensors): --unbound takes it for one of this "
        "model's site " +
        hook);
  }
}

Splice deployed_splice(const Eraser& eraser) {
  return {eraser.hook, replace_by_deployed, &eraser};
}

Splice real_splice(const Eraser& eraser) {
  return {eraser.hook, replace_by_real, &eraser};
}

}  // namespace assay::erase
