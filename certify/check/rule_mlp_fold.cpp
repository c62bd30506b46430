#include <algorithm>

#include "elementary.hpp"
#include "fold.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

void need_words(const Step& step, bool good, const char* expected) {
  if (!good) {
    refuse(step, std::string("expected ") + expected);
  }
}

/// What a fold leaves: const0 + Σ κ_j a_j offset_j + Σ max(κ_j ρlo_j, κ_j ρhi_j), and Σ_j κ_j a_j W_in[:, j].
struct Folded {
  Interval constant;
  std::vector<Interval> direction;
};

// For every j: [ρlo_j, ρhi_j] contains act(z) − a_j z over the range of z_j, so that
// κ_j act(z_j) <= κ_j a_j z_j + max(κ_j ρlo_j, κ_j ρhi_j).
Folded fold(Session& session, const Step& step, const Target& target, const RangeFact& neurons,
            std::span<const std::string_view> slopes) {
  const Attention& attention = session.attention();
  const Network& net = attention.net();
  const bool old_rule = neurons.opener == "NEURONS";
  Folded out{target.const0, {}};
  std::vector<Interval> scaled;
  for (std::size_t j = 0; j < net.d_mlp; ++j) {
    const double a = parse_hex(slopes[j]);
    if (old_rule && !(a >= 0 && a <= 1)) {
      refuse(step, "slope " + std::to_string(j) + " is outside [0, 1]");
    }
    const Interval slope = target.kappa[j] * Interval(a);
    const Interval rest = target.kappa[j] * attention.activation().residual(neurons.ranges[j], a);
    out.constant = out.constant + slope * session.facts().neuron_offset(j) + Interval(rest.hi());
    scaled.push_back(slope);
  }
  out.direction = intervals(times(net.W_in.data(), net.d_model, Ball(scaled)));
  return out;
}

}  // namespace

Interval head_numbers(const Step& step, const ReadyCase& ready, const Projection& g, double sign,
                      std::span<const std::string_view> words) {
  Interval sum;
  for (std::size_t h = 0; h < words.size(); ++h) {
    const double L = parse_hex(words[h]);
    if (!ready.is_bound(h, g, sign, L)) {
      refuse(step,
             "ATTN-MAX: the number for head " + std::to_string(h) + " is not shown to be a bound");
    }
    sum = sum + Interval(L);
  }
  return sum;
}

Interval along(Session& session, const Step& step, const ReadyCase& ready,
               const std::vector<Interval>& g, std::span<const std::string_view> words) {
  need_words(step, words.size() == session.attention().net().n_heads, "one number a head");
  return ready.base(g) + head_numbers(step, ready, session.attention().project(g), 1, words);
}

Interval sphere_radius(std::span<const Interval> h) {
  const Interval square =
      square_sum(h) * Interval(static_cast<double>(h.size())) + Interval(0, 0x1p-900);
  return Interval(0, square_root(Interval(square.hi())).hi());
}

namespace {

// LINEAR
//   κ = 0      L_h is ATTN-MAX for g0
//   ------------------------------------------------------
//   const0 + <g0, m> <= const0 + base(g0) + Σ_h L_h
Interval linear_bound(Session& session, const Step& step, const std::string& case_id,
                      const Target& target, std::span<const std::string_view> words) {
  need_words(step,
             std::all_of(target.kappa.begin(), target.kappa.end(),
                         [](const Interval& k) { return k.is_zero(); }),
             "a quantity that does not pass the MLP");
  return target.const0 +
         along(session, step, *session.facts().ready(step, case_id), target.g0, words);
}

// MLP-FOLD, FOLD
//   z_j in range j      G = g0 + Σ_j κ_j a_j W_in[:, j]      L_h is ATTN-MAX for G
//   U = const0 + Σ_j κ_j a_j b_in[j] + Σ_j max(κ_j ρlo_j, κ_j ρhi_j) + base(G) + Σ_h L_h
//   ----------------------------------------------------------------------------------
//   const0 + <g0, m> + Σ_j κ_j act(z_j) <= U
Interval fold_bound(Session& session, const Step& step, const std::string& case_id,
                    const Target& target, const RangeFact& neurons,
                    std::span<const std::string_view> words) {
  const Network& net = session.attention().net();
  const std::size_t f = net.d_mlp;
  need_words(step,
             !net.normalised && f > 0 && words.size() == f + net.n_heads + 2 && words[0] == "S" &&
                 words[f + 1] == "L",
             "S a_0 … L L_0 …, and no LN2");
  const Folded folded = fold(session, step, target, neurons, words.subspan(1, f));
  std::vector<Interval> G = target.g0;
  for (std::size_t i = 0; i < G.size(); ++i) {
    G[i] = G[i] + folded.direction[i];
  }
  return folded.constant +
         along(session, step, *session.facts().ready(step, case_id), G, words.subspan(f + 2));
}

// NORM-FOLD
//   z_j = s <h_j, m> + c_j in range j, s in [s_lo, s_hi]      h = Σ_j κ_j a_j h_j
//   L is ATTN-MAX for g0 + s_lo h, L' for g0 + s_hi h
//   U = const0 + Σ_j κ_j a_j c_j + Σ_j max(κ_j ρlo_j, κ_j ρhi_j)
//       + max( base(g0 + s_lo h) + Σ L, base(g0 + s_hi h) + Σ L' )
//   ----------------------------------------------------------------------------------
//   const0 + <g0, m> + Σ_j κ_j act(z_j) <= U
Interval norm_fold_bound(Session& session, const Step& step, const std::string& case_id,
                         const Target& target, const RangeFact& neurons,
                         std::span<const std::string_view> words) {
  const Network& net = session.attention().net();
  const std::size_t f = net.d_mlp, H = net.n_heads;
  need_words(step,
             neurons.opener == "NORM-NEURONS" && words.size() == f + 2 * H + 3 && words[0] == "S" &&
                 words[f + 1] == "A" && words[f + H + 2] == "B",
             "S a_0 … A L_0 … B L'_0 …, and ranges under LN2");
  const Folded folded = fold(session, step, target, neurons, words.subspan(1, f));
  std::vector<Interval> h = folded.direction;
  for (std::size_t i = 0; i < h.size(); ++i) {
    h[i] = h[i] * Interval(net.ln2_w[i]);
  }
  h = centred(h);
  const SpreadFact& spread = session.facts().spreads.at(neurons.spread);
  const auto ready = session.facts().ready(step, case_id);
  const auto end = [&](double s, std::size_t first) {
    std::vector<Interval> g = target.g0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      g[i] = g[i] + Interval(s) * h[i];
    }
    return along(session, step, *ready, g, words.subspan(first, H)).hi();
  };
  return folded.constant + Interval(std::max(end(spread.lo, f + 2), end(spread.hi, f + H + 3)));
}

}  // namespace

Interval target_bound(Session& session, const Step& step, std::string_view rule,
                      const std::string& case_id, const Target& target, std::string_view neurons,
                      std::span<const std::string_view> words) {
  if (rule == "LINEAR") {
    return linear_bound(session, step, case_id, target, words);
  }
  const RangeFact& ranges = session.facts().neurons(step, neurons, case_id);
  return rule == "NORM-FOLD" ? norm_fold_bound(session, step, case_id, target, ranges, words)
                             : fold_bound(session, step, case_id, target, ranges, words);
}

}  // namespace assay_check
