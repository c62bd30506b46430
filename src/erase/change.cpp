#include "assay/erase/change.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"

namespace assay::erase {
namespace {

/// ln p of a row of logits.
std::vector<double> log_softmax(std::span<const double> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double mass = 0.0;
  for (const double l : logits) {
    mass += std::exp(l - top);
  }
  const double shift = top + std::log(mass);
  std::vector<double> out(logits.begin(), logits.end());
  for (double& l : out) {
    l -= shift;
  }
  return out;
}

std::size_t likeliest(std::span<const double> logits) {
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

void compare(std::span<const double> before, std::span<const double> after, LogitChange& sums) {
  const std::vector<double> p = log_softmax(before), q = log_softmax(after);
  double kl = 0.0, tv = 0.0, hi = -INFINITY, lo = INFINITY;
  for (std::size_t v = 0; v < p.size(); ++v) {
    kl += std::exp(p[v]) * (p[v] - q[v]);
    tv += std::fabs(std::exp(p[v]) - std::exp(q[v])) / 2;
    hi = std::max(hi, after[v] - before[v]);
    lo = std::min(lo, after[v] - before[v]);
  }
  ++sums.tokens;
  sums.mean_kl += kl;
  sums.max_kl = std::max(sums.max_kl, kl);
  sums.max_tv = std::max(sums.max_tv, tv);
  sums.top_changed += likeliest(before) != likeliest(after) ? 1 : 0;
  sums.max_difference = std::max({sums.max_difference, std::fabs(hi), std::fabs(lo)});
  sums.max_range = std::max(sums.max_range, hi - lo);
  sums.mean_kl_bound += (hi - lo) * (hi - lo) / 8;
}

}  // namespace

LogitChange measure_change(const std::vector<std::vector<TokenId>>& sequences,
                           const LogitsOf& before, const LogitsOf& after) {
  LogitChange out;
  Progress progress("compare", sequences.size());
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    if (interrupted()) {
      throw Error(ExitCode::interrupted, "interrupted; nothing was written");
    }
    const std::vector<TokenId>& tokens = sequences[s];
    const Matrix a = before(tokens), b = after(tokens);
    require(a.rows == tokens.size() && b.rows == a.rows && b.cols == a.cols,
            "measure_change: logits of another shape");
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      compare(a.row(t), b.row(t), out);
      if (t + 1 < tokens.size()) {
        const std::size_t next = tokens[t + 1].at();
        out.ce_before -= log_softmax(a.row(t))[next];
        out.ce_after -= log_softmax(b.row(t))[next];
        ++out.predicted;
      }
    }
    progress.update(s + 1);
  }
  if (out.predicted == 0) {
    throw InputError("text: expected a sequence of at least two tokens, found none");
  }
  const auto n = static_cast<double>(out.tokens), m = static_cast<double>(out.predicted);
  out.ce_before /= m;
  out.ce_after /= m;
  out.mean_kl /= n;
  out.mean_kl_bound /= n;
  return out;
}

}  // namespace assay::erase
