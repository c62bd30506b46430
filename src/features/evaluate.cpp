#include "assay/features/evaluate.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"

namespace assay::features {
namespace {

using View = Eigen::Map<const Eigen::VectorXd>;

View row(const Matrix& m, std::size_t r) {
  return {m.data.data() + r * m.cols, static_cast<Eigen::Index>(m.cols)};
}

void put(Matrix& value, const void* context) {
  value = *static_cast<const Matrix*>(context);
}

void zero(Matrix& value, const void* /*context*/) {
  std::fill(value.data.begin(), value.data.end(), 0.0);
}

/// sum over positions of -ln p(next token), nats.
double cross_entropy(const Matrix& logits, const std::vector<TokenId>& tokens) {
  double sum = 0;
  for (std::size_t r = 0; r + 1 < tokens.size(); ++r) {
    const auto l = row(logits, r);
    const double top = l.maxCoeff();
    const double log_sum = top + std::log((l.array() - top).exp().sum());
    sum += log_sum - l[static_cast<Eigen::Index>(tokens[r + 1].at())];
  }
  return sum;
}

struct Sums {
  std::uint64_t tokens = 0, predicted = 0, active = 0;
  double squared_error = 0, cosine = 0;
  double ce_clean = 0, ce_spliced = 0, ce_ablated = 0;
  Eigen::VectorXd shift, mean_shifted;  ///< x - shift summed: the mean without cancellation
  double squared_shifted = 0;
};

void add_reconstruction(const Matrix& target, const Matrix& reconstruction, Sums& sums) {
  if (sums.shift.size() == 0) {
    sums.shift = row(target, 0);
    sums.mean_shifted = Eigen::VectorXd::Zero(sums.shift.size());
  }
  for (std::size_t r = 0; r < target.rows; ++r) {
    const auto x = row(target, r), y = row(reconstruction, r);
    const Eigen::VectorXd centred = x - sums.shift;
    sums.mean_shifted += centred;
    sums.squared_shifted += centred.squaredNorm();
    sums.squared_error += (x - y).squaredNorm();
    const double norms = x.norm() * y.norm();
    sums.cosine += norms > 0 ? x.dot(y) / norms : 0.0;
  }
}

void add_sequence(const Transformer& model, const Sae& sae, const std::vector<TokenId>& tokens,
                  Sums& sums, std::vector<std::uint64_t>& firings) {
  const std::string hooks[] = {sae.hook_name, sae.hook_name_out};
  const ForwardPass clean = forward(model, tokens, hooks);
  Matrix values = pre_activations(sae, clean.hooks.at(sae.hook_name));
  apply_activation(sae, values);
  for (std::size_t r = 0; r < values.rows; ++r) {
    for (std::size_t i = 0; i < values.cols; ++i) {
      const bool on = values.at(r, i) != 0;
      firings[i] += on ? 1U : 0U;
      sums.active += on ? 1U : 0U;
    }
  }
  const Matrix reconstruction = decode(sae, values);
  add_reconstruction(clean.hooks.at(sae.hook_name_out), reconstruction, sums);
  const Splice spliced{sae.hook_name_out, put, &reconstruction};
  const Splice ablated{sae.hook_name_out, zero, nullptr};
  sums.ce_clean += cross_entropy(clean.logits, tokens);
  sums.ce_spliced += cross_entropy(forward(model, tokens, {}, &spliced).logits, tokens);
  sums.ce_ablated += cross_entropy(forward(model, tokens, {}, &ablated).logits, tokens);
  sums.tokens += tokens.size();
  sums.predicted += tokens.size() - 1;
}

double ratio(double a, double b) {
  return b != 0 ? a / b : std::nan("");
}

void fill_metrics(const Sums& s, Evaluation& e) {
  const auto n = static_cast<double>(s.tokens), np = static_cast<double>(s.predicted);
  const double spread = s.squared_shifted - s.mean_shifted.squaredNorm() / n;
  const double fvu = ratio(s.squared_error, spread);
  const double clean = s.ce_clean / np, spliced = s.ce_spliced / np, ablated = s.ce_ablated / np;
  const auto dead =
      static_cast<std::uint64_t>(std::count(e.firings.begin(), e.firings.end(), std::uint64_t{0}));
  const auto m = static_cast<double>(e.firings.size());
  const auto add = [&e](const char* id, const char* definition, double value, std::uint64_t count) {
    e.metrics.push_back({id, definition, value, count});
  };
  add("l0", "mean over tokens of the number of features that are on",
      static_cast<double>(s.active) / n, s.tokens);
  add("mse", "mean over tokens of ||x - xhat||^2 (summed over dimensions)", s.squared_error / n,
      s.tokens);
  add("fvu", "sum ||x - xhat||^2 / sum ||x - mean x||^2", fvu, s.tokens);
  add("ev", "1 - fvu", 1 - fvu, s.tokens);
  add("cosine", "mean over tokens of cos(x, xhat), 0 where a norm is 0", s.cosine / n, s.tokens);
  add("ce_clean", "H: mean next-token cross-entropy of the model, nats per token", clean,
      s.predicted);
  add("ce_spliced", "H*: the same with xhat in place of x at the output site", spliced,
      s.predicted);
  add("ce_ablated", "H0: the same with zeros at the output site", ablated, s.predicted);
  add("delta_ce", "H* - H, nats per token", spliced - clean, s.predicted);
  add("loss_recovered", "(H0 - H*) / (H0 - H)", ratio(ablated - spliced, ablated - clean),
      s.predicted);
  add("dead", "features never on over these tokens", static_cast<double>(dead), s.tokens);
  add("dead_share", "dead / d_sae", static_cast<double>(dead) / m, s.tokens);
}

std::size_t density_bin(double p) {
  const double b = std::floor(std::log10(p)) + 8;
  return static_cast<std::size_t>(std::clamp(b, 0.0, static_cast<double>(kDensityBins - 1)));
}

}  // namespace

const Metric& Evaluation::metric(const std::string& id) const {
  const auto it =
      std::find_if(metrics.begin(), metrics.end(), [&id](const Metric& m) { return m.id == id; });
  require(it != metrics.end(), "evaluation: no metric of this id");
  return *it;
}

Evaluation evaluate(const Transformer& model, const Sae& sae, const Sequences& sequences) {
  check_fits(model, sae);
  if (const std::string& out = sae.hook_name_out;
      out != kHookResidMid && out != kHookMlpPost && out != kHookMlpOut) {
    throw InputError("SAE", "output site", "a site where a reconstruction can be spliced in", out);
  }
  if (token_count(sequences) <= sequences.size()) {
    throw InputError("text: expected a sequence of at least two tokens, found none");
  }
  Evaluation result;
  result.firings.assign(sae.d_sae, 0);
  Sums sums;
  Progress progress("evaluate", token_count(sequences));
  for (const auto& tokens : sequences) {
    if (interrupted()) {
      throw Error(ExitCode::interrupted, "evaluate: stopped by the user");
    }
    add_sequence(model, sae, tokens, sums, result.firings);
    progress.update(sums.tokens);
  }
  result.tokens = sums.tokens;
  for (const std::uint64_t count : result.firings) {
    if (count > 0) {
      ++result.density_histogram[density_bin(static_cast<double>(count) /
                                             static_cast<double>(sums.tokens))];
    }
  }
  fill_metrics(sums, result);
  return result;
}

}  // namespace assay::features
