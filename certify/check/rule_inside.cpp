#include <algorithm>
#include <cmath>

#include "json.hpp"
#include "linear.hpp"
#include "reject.hpp"
#include "safetensors.hpp"
#include "session.hpp"

// Erasers inside a model, for every input: what a folded model does not read, how large a site's values
// are, and features that a projection turns off.
namespace assay_check {
namespace {

constexpr std::size_t kMaxWidth = 4096, kMaxRank = 64, kMaxRows = 4'000'000;
constexpr const char* kResidMid = "blocks.0.hook_resid_mid";
constexpr const char* kResidPost = "blocks.0.hook_resid_post";

/// y = x − L R (x − μ), rounded to multiples of 2^-bits.
struct Map {
  std::string hook;
  std::size_t d = 0, r = 0;
  int bits = 0;
  std::vector<double> left, right, mu;
};

Map read_map(const Session& session, const Step& step) {
  const Header& header = session.header();
  if (!header.eraser || !session.inputs().eraser || header.weights_sha.empty()) {
    refuse(step, "the header must list a model and an eraser, and --eraser give it");
  }
  const std::string json = *session.inputs().eraser + "/eraser.json";
  const std::string weights = *session.inputs().eraser + "/eraser.safetensors";
  const Json root = parse_json(read_digested(json, header.eraser->first), json);
  Map m;
  m.hook = root.at("hook").as_text();
  m.d = static_cast<std::size_t>(root.at("d").as_natural());
  m.r = static_cast<std::size_t>(root.at("rank").as_natural());
  const std::uint64_t bits = root.at("gridBits").as_natural();
  if (root.at("assay-eraser").as_natural() != 1 || m.d == 0 || m.d > kMaxWidth || m.r == 0 ||
      m.r > kMaxRank || m.r > m.d || bits > 24 ||
      root.at("modelWeights").as_text() != header.weights_sha) {
    throw Reject("eraser", "not an eraser of this model within the limits", json);
  }
  m.bits = static_cast<int>(bits);
  const Safetensors file(read_digested(weights, header.eraser->second), weights);
  m.left = file.f64("proj_left", {m.d, m.r});
  m.right = file.f64("proj_right", {m.r, m.d});
  m.mu = file.f64("bias", {m.d});
  return m;
}

const RequestClaim& bare_claim(Session& session, const Step& step, RequestClaim::Kind kind) {
  if (!step.premises.empty() || !step.words.empty()) {
    refuse(step, "expected neither premises nor words");
  }
  return session.claim(step, step.id, kind);
}

/// Every entry of W [rows, columns] at row u is 0.
bool is_zero_row(const std::vector<float>& W, std::size_t columns, std::size_t u) {
  const auto row = W.begin() + static_cast<std::ptrdiff_t>(u * columns);
  return std::all_of(row, row + static_cast<std::ptrdiff_t>(columns),
                     [](float w) { return w == 0; });
}

/// The coordinate that column k of L and row k of R both are, with nothing else and μ = 0 there.
std::size_t deleted_coordinate(const Map& m, const Step& step, std::size_t k) {
  std::size_t u = m.d, others = 0;
  for (std::size_t i = 0; i < m.d; ++i) {
    const double l = m.left[i * m.r + k], r = m.right[k * m.d + i];
    if (l == 1 && r == 1 && m.mu[i] == 0) {
      u = i;
    } else if (l != 0 || r != 0) {
      ++others;
    }
  }
  if (u == m.d || others != 0) {
    refuse(step, "the eraser does more than set coordinates to 0");
  }
  return u;
}

/// W_enc[:, j] of the SAE that reads the eraser's site, and β_j.
struct Encoder {
  std::vector<Interval> w;
  Interval beta;
  double threshold = 0;
};

Encoder encoder_of(Session& session, const Step& step, const Map& m, std::size_t j) {
  const SaeEncoder& sae = session.sae();
  if (sae.hook != m.hook || sae.d_in != m.d || j >= sae.d_sae || sae.k != 0) {
    refuse(step, "the SAE has no such feature, is topk, or reads another site than the eraser's");
  }
  return {sae.direction(j), sae.offset(j), static_cast<double>(sae.threshold[j])};
}

/// |fl(Σ a_i b_i) − Σ a_i b_i| <= relative(n) Σ |a_i b_i| for sums of n products with rounded factors.
double relative(std::size_t n) {
  return sum_error_factor(n + 4);
}

}  // namespace

/// unread ID | site-range ID at-most FRAC | never-fires ID NAT real | never-fires ID NAT range FRAC
RequestClaim parse_inside(std::span<const std::string_view> words) {
  using Kind = RequestClaim::Kind;
  RequestClaim claim;
  claim.id = parse_id(words.size() < 2 ? "" : words[1]);
  const std::size_t n = words.size();
  if (words[0] == "unread" && n == 2) {
    claim.kind = Kind::unread;
  } else if (words[0] == "site-range" && n == 4 && words[2] == "at-most") {
    claim.kind = Kind::site_range;
    claim.max_r2 = parse_fraction(words[3]);
  } else if (words[0] == "never-fires" &&
             ((n == 4 && words[3] == "real") || (n == 5 && words[3] == "range"))) {
    claim.kind = Kind::never_fires;
    claim.quantity = {Quantity::Kind::feature, parse_nat(words[2]), {}, {}};
    claim.words = words[3];
    claim.max_r2 = n == 5 ? parse_fraction(words[4]) : Fraction{};
  } else {
    throw Reject("request",
                 "expected unread ID, site-range ID at-most FRAC or never-fires ID NAT real|range "
                 "FRAC");
  }
  if (claim.max_r2.num < 0) {
    throw Reject("request", "expected a number of at least 0");
  }
  return claim;
}

// UNREAD  no LayerNorm; the eraser sets the coordinates U of HOOK to 0 and does nothing else but round;
//   HOOK = hook_resid_mid:   W_in[u, :] = 0 and W_U[u, :] = 0     for every u ∈ U
//   HOOK = hook_resid_post:  W_U[u, :] = 0
//   ------------------------------------------------------------------------------
//   whatever the input: no neuron and no logit that is computed from HOOK depends on the coordinates U of it
//   (finite values: 0 times them is 0, and adding 0 changes nothing, in any order of summation)
void rule_unread(Session& session, const Step& step) {
  static_cast<void>(bare_claim(session, step, RequestClaim::Kind::unread));
  const Map m = read_map(session, step);
  const Network& net = session.attention().net();
  const bool mid = m.hook == kResidMid;
  if (net.normalised || m.d != net.d_model || (!mid && m.hook != kResidPost)) {
    refuse(step, "not a site of the residual stream of a model without LayerNorm");
  }
  std::string named;
  for (std::size_t k = 0; k < m.r; ++k) {
    const std::size_t u = deleted_coordinate(m, step, k);
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
           " sets them to 0 and changes the others by rounding to 2^-" + std::to_string(m.bits)});
}

// SITE-RANGE  attention averages values, so that x_i of hook_resid_mid lies, in every context, in
//   [min e_i, max e_i] + Σ_h [min (v W_O)_i, max (v W_O)_i] + b_O,i   over all tokens and positions
//   every end is within ±X
//   ---------------------------------------------------------------------------------------------
//   |x_i| <= X for every i in every context (real arithmetic)
void rule_site_range(Session& session, const Step& step) {
  const RequestClaim& claim = bare_claim(session, step, RequestClaim::Kind::site_range);
  Attention& attention = session.attention();
  const Network& net = attention.net();
  const std::size_t d = net.d_model, places = net.standard() ? net.n_ctx : 1;
  if (places * net.d_vocab > kMaxRows / net.n_heads) {
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
  const Interval limit = claim.max_r2.interval();
  for (std::size_t i = 0; i < d; ++i) {
    const Interval value = x[i] + Interval(net.b_O[i]);
    if (!(value.hi() <= limit.lo() && -value.lo() <= limit.lo())) {
      refuse(step, "coordinate " + std::to_string(i) + " is not shown to stay in the range");
    }
  }
  session.conclusions.push_back({step.id, "PROVED",
                                 "every coordinate of " + std::string(kResidMid) + " is at most " +
                                     claim.max_r2.text() +
                                     " in absolute value in every context (real arithmetic)"});
}

// NEVER-FIRES (T12)  w = W_enc[:, j], pre = <w, ·> + β
//   real: w is a row of R; the map is the exact projection x − R⁺ R (x − μ)
//     <w, μ> + β <= θ_j
//     -----------------------------------------------------------------------
//     pre = <w, μ> + β is one number for every input, and feature j is off
//   range X, as deployed: c = fl(R (x − μ)), y = x − fl(L c) rounded to 2^-g; for |x_i| <= X, with
//     v = w − Σ_k <w, L_k> R_k, A_j = X + |μ_j|, C_k = Σ_j |R_kj| A_j (1 + ε)
//     <w, μ> + β + Σ |v_j| A_j + Σ_k |<w, L_k>| ε C_k + Σ_i |w_i| (2^-(g+1) + ε (X + Σ_k |L_ik| C_k)) <= θ_j
//     -----------------------------------------------------------------------
//     the pre-activation of the output y is at most θ_j, and feature j is off
void rule_never_fires(Session& session, const Step& step) {
  const RequestClaim& claim = bare_claim(session, step, RequestClaim::Kind::never_fires);
  const Map m = read_map(session, step);
  const Encoder e = encoder_of(session, step, m, claim.quantity.index);
  const std::size_t d = m.d;
  Interval pre = e.beta;
  for (std::size_t i = 0; i < d; ++i) {
    pre = pre + e.w[i] * Interval(m.mu[i]);
  }
  const std::string feature = "feature " + std::to_string(claim.quantity.index) + ", sae " +
                              session.header().sae->second.substr(0, 16) + ", is off ";
  const std::string eraser = "eraser " + session.header().eraser->second.substr(0, 16);
  if (claim.words == "real") {
    bool found = false;
    for (std::size_t k = 0; k < m.r && !found; ++k) {
      found = true;
      for (std::size_t i = 0; i < d; ++i) {
        found = found && e.w[i].lo() == m.right[k * d + i] && e.w[i].hi() == m.right[k * d + i];
      }
    }
    if (!found || !(pre.hi() <= e.threshold)) {
      refuse(step, "the encoder's column is no row of R, or the constant exceeds the threshold");
    }
    session.conclusions.push_back({step.id, "PROVED",
                                   feature + "for every input of " + m.hook +
                                       " behind the exact projection along the rows of R of " +
                                       eraser + " (real arithmetic)"});
    return;
  }
  const double X = claim.max_r2.interval().hi(), eps = relative(d), eps_r = relative(m.r + 1);
  const auto size = [](const Interval& a) { return Interval(std::max(-a.lo(), a.hi())); };
  std::vector<Interval> v = e.w, reach(d), moved(d);  // moved: Σ_k |L_ik| C_k
  for (std::size_t i = 0; i < d; ++i) {
    reach[i] = Interval(X) + Interval(std::fabs(m.mu[i]));
  }
  for (std::size_t k = 0; k < m.r; ++k) {
    Interval along, most(kTiny);
    for (std::size_t i = 0; i < d; ++i) {
      along = along + e.w[i] * Interval(m.left[i * m.r + k]);
      most = most + Interval(std::fabs(m.right[k * d + i])) * reach[i];
    }
    most = most * Interval(1 + 0x1p-25);
    pre = pre + size(along) * (Interval(eps) * most + Interval(kTiny));
    for (std::size_t i = 0; i < d; ++i) {
      v[i] = v[i] - along * Interval(m.right[k * d + i]);
      moved[i] = moved[i] + Interval(std::fabs(m.left[i * m.r + k])) * most;
    }
  }
  for (std::size_t i = 0; i < d; ++i) {
    const Interval rounding =
        Interval(std::ldexp(0.5, -m.bits)) + Interval(eps_r) * (Interval(X) + moved[i]);
    pre = pre + size(v[i]) * reach[i] + size(e.w[i]) * (rounding + Interval(kTiny));
  }
  if (!(pre.hi() <= e.threshold)) {
    refuse(step, "constant and rounding term are not shown to stay at the threshold");
  }
  session.conclusions.push_back(
      {step.id, "PROVED",
       feature + "behind the deployed " + eraser + " for every input of " + m.hook +
           " with every coordinate at most " + claim.max_r2.text() +
           " in absolute value (its pre-activation of the deployed output in real arithmetic)"});
}

}  // namespace assay_check
