#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "one_layer.hpp"
#include "prover.hpp"

namespace assay::bounds {
namespace {

constexpr std::size_t kSteps = 80;

std::vector<Interval> encoder_column(const Sae& sae, std::size_t feature) {
  std::vector<Interval> g;
  for (std::size_t i = 0; i < sae.d_in; ++i) {
    g.emplace_back(static_cast<double>(sae.W_enc.at(i, feature)));
  }
  return g;
}

}  // namespace

std::string hex_words(const std::vector<double>& values) {
  std::string out;
  for (const double v : values) {
    out += (out.empty() ? "" : " ") + hex_float(v);
  }
  return out;
}

std::string fold_words(const FoldProof& proof) {
  std::vector<double> L;
  for (const HeadMaximum& m : proof.maxima) {
    L.push_back(m.L);
  }
  return "S " + hex_words(proof.slopes) + " L " + hex_words(L);
}

Interval feature_offset(const Sae& sae, std::size_t feature) {
  Interval beta(sae.b_enc.data.empty() ? 0.0 : static_cast<double>(sae.b_enc.data[feature]));
  if (sae.apply_b_dec_to_input && !sae.b_dec.data.empty()) {
    for (std::size_t i = 0; i < sae.d_in; ++i) {
      beta = beta - Interval(static_cast<double>(sae.b_dec.data[i])) *
                        Interval(static_cast<double>(sae.W_enc.at(i, feature)));
    }
  }
  return beta;
}

double threshold_of(const Sae& sae, std::size_t feature) {
  return sae.threshold.data.empty() ? 0.0 : static_cast<double>(sae.threshold.data[feature]);
}

/// FEATURE-OFF   <g, x_c + b_O> + beta_i + sum_h L_h <= threshold_i,  g = W_enc[:,i]
Conclusion feature_off(SuffixWork& work, const Sae& sae, std::size_t feature) {
  const std::vector<Interval> g = encoder_column(sae, feature);
  const auto maxima = work.suffix.attention_maximum(to_direction(g));
  const Interval base = work.suffix.base(g);
  Interval sum = base + feature_offset(sae, feature);
  double size = std::fabs(base.hi);
  std::vector<double> L;
  for (const HeadMaximum& m : maxima) {
    L.push_back(m.L);
    sum += Interval(m.L);
    size += std::fabs(m.L);
  }
  return {"FEATURE-OFF", false, hex_words(L), with_room(sum.hi, size)};
}

/// FEATURE-OFF-MLP   MLP-FOLD with kappa_j = W_enc[j,i], g0 = 0, const0 = beta_i
Conclusion feature_off_mlp(SuffixWork& work, const Sae& sae, std::size_t feature) {
  const std::size_t d = work.suffix.layer().model().config.d_model;
  const FoldTarget target{encoder_column(sae, feature), std::vector<Interval>(d),
                          feature_offset(sae, feature)};
  const FoldProof proof = mlp_fold(work.suffix, work.neurons(), target, kSteps);
  return {"FEATURE-OFF-MLP", true, fold_words(proof), proof.hi};
}

}  // namespace assay::bounds
