#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "torch_api.hpp"

namespace assay::torch_bridge {

using Parameters = std::map<std::string, at::Tensor>;

/// AdamW (Loshchilov & Hutter, arXiv 1711.05101): m, v moments with bias correction, weight
/// decay apart from the gradient and on matrices only. Its whole state is two tensors per
/// parameter and a counter, so a checkpoint restores it exactly.
class Adam {
 public:
  Adam(Parameters& parameters, double beta1, double beta2, double decay)
      : parameters_(parameters), beta1_(beta1), beta2_(beta2), decay_(decay) {
    for (auto& [name, p] : parameters_) {
      m_[name] = at::zeros_like(p);
      v_[name] = at::zeros_like(p);
    }
  }

  /// Gradients of `loss`, in the parameters' name order.
  [[nodiscard]] std::vector<at::Tensor> gradients(const at::Tensor& loss) const {
    std::vector<at::Tensor> inputs;
    for (const auto& [name, p] : parameters_) {
      inputs.push_back(p);
    }
    return torch::autograd::grad({loss}, inputs);
  }

  /// One step; gradients are first scaled down to a joint norm of `clip` (0 = not).
  void step(std::vector<at::Tensor> gradients, double lr, double clip) {
    const c10::NoGradGuard no_gradient;
    if (clip > 0) {
      at::Tensor square = at::zeros({}, gradients.front().options());
      for (const at::Tensor& g : gradients) {
        square += g.square().sum();
      }
      const double norm = std::sqrt(square.item<double>());
      if (norm > clip) {
        for (at::Tensor& g : gradients) {
          g = g * (clip / norm);
        }
      }
    }
    ++steps_;
    const double t = static_cast<double>(steps_);
    const double correction1 = 1 - std::pow(beta1_, t);
    const double correction2 = std::sqrt(1 - std::pow(beta2_, t));
    std::size_t i = 0;
    for (auto& [name, p] : parameters_) {
      const at::Tensor& g = gradients[i++];
      at::Tensor& m = m_[name].mul_(beta1_).add_(g, 1 - beta1_);
      at::Tensor& v = v_[name].mul_(beta2_).addcmul_(g, g, 1 - beta2_);
      if (decay_ > 0 && p.dim() > 1) {
        p.mul_(1 - lr * decay_);
      }
      p.addcdiv_(m, v.sqrt().div_(correction2).add_(1e-8), -lr / correction1);
    }
  }

  [[nodiscard]] Parameters& first_moments() { return m_; }
  [[nodiscard]] Parameters& second_moments() { return v_; }
  void restore_steps(std::size_t steps) { steps_ = steps; }

 private:
  Parameters& parameters_;
  double beta1_, beta2_, decay_;
  Parameters m_, v_;
  std::size_t steps_ = 0;
};

}  // namespace assay::torch_bridge
