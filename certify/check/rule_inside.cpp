#include <algorithm>
#include <cmath>

#include "erased.hpp"
#include "linear.hpp"
#include "reject.hpp"

// Erasers inside a model, for every input: what a folded model does not read, how large a site's values
// are, and features that a projection turns off.
namespace assay_check {
namespace {

constexpr std::size_t kMaxValues = 4'000'000;
constexpr const char* kResidMid = "blocks.0.hook_resid_mid";
constexpr const char* kResidPost = "blocks.0.hook_resid_post";

/// The claim of a step without premises and words.
ErasureClaim bare_claim(Session& session, const Step& step, std::string_view form) {
  if (!step.premises.empty() || !step.words.empty()) {
    refuse(step, "expected neither premises nor words");
  }
  return erasure_claim(session, step, form);
}

/// An eraser of the model that the header names.
Eraser model_eraser(const Session& session, const Step& step) {
  if (session.header().weights_sha.empty()) {
    refuse(step, "the header must list a model");
  }
  return read_eraser(session, step);
}

/// Every entry of W [rows, columns] at row u is 0.
bool is_zero_row(const std::vector<float>& W, std::size_t columns, std::size_t u) {
  const auto row = W.begin() + static_cast<std::ptrdiff_t>(u * columns);
  return std::all_of(row, row + static_cast<std::ptrdiff_t>(columns),
                     [](float w) { return w == 0; });
}

/// Column k of L and row k of R are 1 at u and 0 elsewhere, and μ_u = 0.
bool is_deleted(const Eraser& m, std::size_t k, std::size_t u) {
  for (std::size_t i = 0; i < m.d; ++i) {
    const double one = i == u ? 1 : 0;
    if (m.left[i * m.r + k] != one || m.right[k * m.d + i] != one || (i == u && m.bias[i] != 0)) {
      return false;
    }
  }
  return u < m.d;
}

/// W_enc[:, j] of the SAE that reads the eraser's site, and <w, μ> + β_j.
struct Encoder {
  std::vector<Interval> w;
  Interval at_mean;
  double threshold = 0;
  std::string words, eraser;
};

Encoder encoder_of(Session& session, const Step& step, const Eraser& m, const ErasureClaim& claim) {
  const SaeEncoder& sae = session.sae();
  const std::size_t j = parse_nat(claim.at("feature"));
  if (sae.hook != m.hook || sae.d_in != m.d || j >= sae.d_sae || sae.k != 0) {
    refuse(step, "the SAE has no such feature, is topk, or reads another site than the eraser's");
  }
  const Header& header = session.header();
  Encoder e{
      sae.direction(j), sae.offset(j), static_cast<double>(sae.threshold[j]),
      "feature " + std::to_string(j) + " of sae " + header.sae->second.substr(0, 16) + " is off",
      header.eraser->second.substr(0, 16)};
  for (std::size_t i = 0; i < m.d; ++i) {
    e.at_mean = e.at_mean + e.w[i] * Interval(m.bias[i]);
  }
  return e;
}

/// |fl(Σ a_i b_i) − Σ a_i b_i| <= relative(n) Σ |a_i b_i| for sums of n products with rounded factors.
double relative(std::size_t n) {
  return sum_error_factor(n + 4);
}

}  // namespace

// UNREAD : U  no LayerNorm; the eraser sets the coordinates U of HOOK to 0 and does nothing else but round;
//   HOOK = hook_resid_mid:   W_in[u, :] = 0 and W_U[u, :] = 0     for every u ∈ U
//   HOOK = hook_resid_post:  W_U[u, :] = 0
//   ------------------------------------------------------------------------------
//   whatever the input: no neuron and no logit that is computed from HOOK depends on the coordinates U of it
//   (finite values: 0 times them is 0, and adding 0 changes nothing, in any order of summation)
void rule_unread(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "unread");
  const Eraser m = model_eraser(session, step);
  const Network& net = session.attention().net();
  const bool mid = m.hook == kResidMid;
  if (net.normalised || m.d != net.d_model || (!mid && m.hook != kResidPost) ||
      claim.at("hook") != m.hook) {
    refuse(step, "not a site of the residual stream of a model without LayerNorm, or another one");
  }
  if (!step.premises.empty() || step.words.size() != m.r) {
    refuse(step, "expected the coordinates that the eraser sets to 0");
  }
  std::string named;
  for (std::size_t k = 0; k < m.r; ++k) {
    const std::size_t u = parse_nat(step.words[k]);
    if (k > 0 && u <= parse_nat(step.words[k - 1])) {
      refuse(step, "the coordinates do not ascend");
    }
    if (!is_deleted(m, k, u)) {
      refuse(step,
             "the eraser does something else than set coordinate " + std::to_string(u) + " to 0");
    }
    if (!is_zero_row(net.W_U, net.d_vocab_out, u) ||
        (mid && !net.attn_only() && !is_zero_row(net.W_in, net.d_mlp, u))) {
      refuse(step, "a later layer reads coordinate " + std::to_string(u));
    }
    named += (k == 0 ? "" : ", ") + std::to_string(u);
  }
  session.conclusions.push_back(
      {step.id, "PROVED",
       "no neuron and no logit that is computed from " + m.hook + " depends on coordinates " +
           named + " of it, for every input; the eraser " +
           session.header().eraser->second.substr(0, 16) +
           " sets them to 0 and changes the others by rounding to 2^-" +
           std::to_string(m.grid_bits) + ", where they stay below 2^24 grid units"});
}

// SITE-RANGE  attention averages values, so that x_i of hook_resid_mid lies, in every context, in
//   [min e_i, max e_i] + Σ_h [min (v W_O)_i, max (v W_O)_i] + b_O,i   over all tokens and positions
//   every end is within ±X
//   ---------------------------------------------------------------------------------------------
//   |x_i| <= X for every i in every context (real arithmetic)
void rule_site_range(Session& session, const Step& step) {
  const Fraction most = positive_term(step, bare_claim(session, step, "site-range"), "at-most");
  Attention& attention = session.attention();
  const Network& net = attention.net();
  const std::size_t d = net.d_model, places = net.standard() ? net.n_ctx : 1;
  if (places * net.d_vocab > kMaxValues / net.n_heads) {
    refuse(step, "over the limit of tokens times positions times heads");
  }
  std::vector<Interval> x(d);
  for (std::size_t h = 0; h <= net.n_heads; ++h) {
    std::vector<Interval> all;
    for (std::size_t p = 0; p < places; ++p) {
      for (std::size_t t = 0; t < net.d_vocab; ++t) {
        std::vector<Interval> one(d);
        if (h == net.n_heads) {
          for (std::size_t i = 0; i < d; ++i) {
            one[i] = Interval(net.W_E[t * d + i]) +
                     Interval(net.standard() ? net.W_pos[p * d + i] : 0.0F);
          }
        } else {
          one = intervals(times(Ball(attention.value(h, t, p)), &net.W_O[h * net.d_head * d], d));
        }
        for (std::size_t i = 0; i < d && !all.empty(); ++i) {
          one[i] = hull(all[i], one[i]);
        }
        all = std::move(one);
      }
    }
    x = x + all;
  }
  const Interval limit = most.interval();
  for (std::size_t i = 0; i < d; ++i) {
    const Interval value = x[i] + Interval(net.b_O[i]);
    if (!(value.hi() <= limit.lo() && -value.lo() <= limit.lo())) {
      refuse(step, "coordinate " + std::to_string(i) + " is not shown to stay in the range");
    }
  }
  session.conclusions.push_back({step.id, "PROVED",
                                 "every coordinate of " + std::string(kResidMid) + " is at most " +
                                     most.text() +
                                     " in absolute value in every context (real arithmetic)"});
}

// NEVER-FIRES-REAL (T12)  w = W_enc[:, j] is a row of R, r(x) = x − R⁺ R (x − μ) exactly, so that R r(x) = R μ
//   <w, μ> + β <= θ_j
//   -----------------------------------------------------------------------
//   <w, r(x)> + β is one number for every input x, and feature j is off
void rule_never_fires_real(Session& session, const Step& step) {
  const ErasureClaim claim = bare_claim(session, step, "never-fires-real");
  const Eraser m = model_eraser(session, step);
  const Encoder e = encoder_of(session, step, m, claim);
  bool found = false;
  for (std::size_t k = 0; k < m.r && !found; ++k) {
    found = true;
    for (std::size_t i = 0; i < m.d; ++i) {
      found = found && e.w[i].lo() == m.right[k * m.d + i] && e.w[i].hi() == m.right[k * m.d + i];
    }
  }
  if (!found || !(e.at_mean.hi() <= e.threshold)) {
    refuse(step, "the encoder's column is no row of R, or the constant exceeds the threshold");
  }
  session.conclusions.push_back(
      {step.id, "PROVED",
       e.words + " behind the exact projection along the rows of R of eraser " + e.eraser +
           ", for every input of " + m.hook + " (real arithmetic)"});
}

// NEVER-FIRES  as deployed: c = fl(R (x − μ)), y = x − fl(L c) rounded to 2^-g; for |x_i| <= X, with
//   v = w − Σ_k <w, L_k> R_k, A_j = X + |μ_j|, C_k = Σ_j |R_kj| A_j (1 + ε)
//   <w, μ> + β + Σ |v_j| A_j + Σ_k |<w, L_k>| ε C_k + Σ_i |w_i| (2^-(g+1) + ε (X + Σ_k |L_ik| C_k)) <= θ_j
//   -----------------------------------------------------------------------
//   <w, y> + β <= θ_j, and feature j is off
void rule_never_fires(Session& session, const Step& step) {
  const ErasureClaim claim = bare_claim(session, step, "never-fires");
  const Eraser m = model_eraser(session, step);
  const Encoder e = encoder_of(session, step, m, claim);
  const Fraction range = positive_term(step, claim, "range");
  const Interval X(range.interval().hi());
  const Interval eps(relative(m.d)), eps_r(relative(m.r + 1));
  const auto size = [](const Interval& a) { return Interval(std::max(-a.lo(), a.hi())); };
  Interval pre = e.at_mean;
  std::vector<Interval> v = e.w, reach(m.d), moved(m.d);  // moved: Σ_k |L_ik| C_k
  for (std::size_t i = 0; i < m.d; ++i) {
    reach[i] = X + Interval(std::fabs(m.bias[i]));
  }
  for (std::size_t k = 0; k < m.r; ++k) {
    Interval along, most(kTiny);
    for (std::size_t i = 0; i < m.d; ++i) {
      along = along + e.w[i] * Interval(m.left[i * m.r + k]);
      most = most + Interval(std::fabs(m.right[k * m.d + i])) * reach[i];
    }
    most = most * Interval(1 + 0x1p-25);
    pre = pre + size(along) * (eps * most + Interval(kTiny));
    for (std::size_t i = 0; i < m.d; ++i) {
      v[i] = v[i] - along * Interval(m.right[k * m.d + i]);
      moved[i] = moved[i] + Interval(std::fabs(m.left[i * m.r + k])) * most;
    }
  }
  for (std::size_t i = 0; i < m.d; ++i) {
    const Interval rounding =
        Interval(std::ldexp(0.5, -m.grid_bits)) + eps_r * (X + moved[i]) + Interval(kTiny);
    pre = pre + size(v[i]) * reach[i] + size(e.w[i]) * rounding;
  }
  if (!(pre.hi() <= e.threshold)) {
    refuse(step, "constant and rounding term are not shown to stay at the threshold");
  }
  session.conclusions.push_back({step.id, "PROVED",
                                 e.words + " behind the deployed eraser " + e.eraser +
                                     ", for every input of " + m.hook +
                                     " with every coordinate at most " + range.text() +
                                     " in absolute value and a deployed output (below 2^24 grid "
                                     "units; its pre-activation of that output in real "
                                     "arithmetic)"});
}

}  // namespace assay_check
