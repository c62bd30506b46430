#pragma once

#include <span>
#include <string>
#include <vector>

#include "assay/automata/affine_panels.hpp"
#include "assay/automata/window_code.hpp"
#include "assay/model/transformer.hpp"
#include "assay/num/interval.hpp"

namespace assay::automata {

/// An affine quantity <weights, x> + bias of a hook's activation x at the last token.
struct Probe {
  std::string hook;             ///< hook_resid_mid, mlp.hook_post, hook_mlp_out or hook_resid_post
  std::vector<double> weights;  ///< exact
  Interval bias;
};

/// Throws UsageError naming what exact mode cannot read: more than one layer, no attention
/// window, absolute or rotary positions, LayerNorm, another activation, too many tokens.
void require_exact_family(const Transformer& model);

/// The network at the last token of many windows at once, in double, with an error bound that is
/// proved once for all windows:
///
///   FAST-FORWARD   |fl(l_t) − l_t| <= logit_radius[t]  for every token t and every window
///
/// with room for the rounding of fl(l_t) ± radius, and the same for probes (docs/theorems.md). An error that cannot be bounded is infinite, so
/// that nothing is decided by it.
class ExactForward {
 public:
  /// Throws as require_exact_family, and InputError for a probe of another hook or width.
  ExactForward(const Transformer& model, std::vector<Probe> probes);

  [[nodiscard]] std::size_t vocabulary() const { return vocabulary_; }
  [[nodiscard]] const WindowCodes& codes() const { return codes_; }
  [[nodiscard]] const std::vector<double>& logit_radius() const { return logit_radius_; }
  [[nodiscard]] const std::vector<double>& probe_radius() const { return probe_radius_; }

  /// Rows of one call at most.
  static constexpr std::size_t kBatch = 64;
  /// What one thread works in.
  struct Scratch {
    std::vector<double> mid, post, out, resid, logits, probes;
  };
  [[nodiscard]] Scratch make_scratch() const;
  /// Fills scratch.logits [rows, logits()] and scratch.probes [rows, probes].
  void evaluate(std::span<const WindowCode> windows, Scratch& scratch) const;
  [[nodiscard]] std::size_t stride() const { return unembed_.padded; }  ///< of logits

  /// Size and error of a vector that a step produces.
  struct Known {
    std::vector<double> size, radius;
  };
  /// What attention adds up, rounded to double, and how far from real that is.
  struct Tables {
    std::vector<double> weight;    ///< [heads, V query, V key]: e^{score − largest of the query}
    std::vector<double> nearness;  ///< [heads, window]: e^{rel_bias − largest}
    std::vector<double> value;     ///< [V, heads, width]: v_h(u) W_O[h]
    std::vector<double> base;      ///< [V, width]: x_c + b_O
    double weight_error = 0;       ///< >= Σ_j |p̂_j − p_j| for weights p̂ normalised in double
    std::vector<Known> value_known;  ///< [heads], over all tokens
    Known base_known;
  };
  [[nodiscard]] const Tables& tables() const { return tables_; }

 private:
  static Known through(const Known& x, const Tensor& weights, const Tensor& bias, std::size_t out);
  void score_tables(const Transformer& model);
  [[nodiscard]] Known value_tables(const Transformer& model);
  void bound_probes(const std::vector<Known>& sites);
  void attend(WindowCode window, double* mid) const;
  [[nodiscard]] std::size_t site(const std::string& hook) const;

  WindowCodes codes_;
  std::size_t vocabulary_, width_, heads_, neurons_;
  Tables tables_;
  AffinePanels in_, out_, unembed_;
  std::vector<Probe> probes_;
  std::vector<std::size_t> probe_site_;
  std::vector<double> logit_radius_, probe_radius_;
};

}  // namespace assay::automata
