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

/// What a fold leaves: const0 + Σ_j λ_j offset_j + Σ max(κ_j ρlo_j, κ_j ρhi_j), and Σ_j λ_j W_in[:, j].
struct Folded {
  Interval constant;
  std::vector<Interval> direction;
};

/// Σ μ_J s_J z_J >= 0 on the case for the neuron parts J it lies in: adds μ_J s_J to λ_J.
void add_signs(Session& session, const Step& step, const std::string& case_id, WordReader& words,
               std::vector<Interval>& lambda) {
  words.expect("M");
  std::size_t least = 0;
  for (std::size_t left = words.index(lambda.size() + 1, "a count"); left > 0; --left) {
    const std::size_t J = words.index(lambda.size(), "a neuron");
    const double mu = words.number();
    const auto sign = session.facts().neuron_sign(case_id, J);
    need_words(step, J >= least && mu >= 0 && sign,
               "neurons that rise, parts by which hold the case, and numbers >= 0");
    least = J + 1;
    lambda[J] = lambda[J] + Interval(*sign * mu);
  }
}

// For every j: [ρlo_j, ρhi_j] contains act(z) − a_j z over the range of z_j, so that
// κ_j act(z_j) <= κ_j a_j z_j + max(κ_j ρlo_j, κ_j ρhi_j). λ_j = κ_j a_j + μ_j s_j.
Folded fold(Session& session, const Step& step, const Target& target, const std::string& case_id,
            const RangeFact& neurons, WordReader& words) {
  const Attention& attention = session.attention();
  const Network& net = attention.net();
  const bool old_rule = neurons.opener == "NEURONS";
  const std::vector<Interval> ranges = session.facts().ranges_on(case_id, neurons);
  Folded out{target.const0, {}};
  std::vector<Interval> lambda;
  words.expect("S");
  for (std::size_t j = 0; j < net.d_mlp; ++j) {
    const double a = words.number();
    if (old_rule && !(a >= 0 && a <= 1)) {
      refuse(step, "slope " + std::to_string(j) + " is outside [0, 1]");
    }
    const Interval rest = target.kappa[j] * attention.activation().residual(ranges[j], a);
    out.constant = out.constant + Interval(rest.hi());
    lambda.push_back(target.kappa[j] * Interval(a));
  }
  if (words.next_is("M")) {
    add_signs(session, step, case_id, words, lambda);
  }
  for (std::size_t j = 0; j < net.d_mlp; ++j) {
    out.constant = out.constant + lambda[j] * session.facts().neuron_offset(j);
  }
  out.direction = intervals(times(net.W_in.data(), net.d_model, Ball(lambda)));
  return out;
}

}  // namespace

Interval along(Session& session, const Step& step, const ReadyCase& ready,
               const std::vector<Interval>& g, WordReader& words) {
  return ready.base(g) +
         Interval(head_numbers(step, ready, session.attention().project(g), 1, words));
}

Interval sphere_radius(std::span<const Interval> h) {
  const Interval square =
      square_sum(h) * Interval(static_cast<double>(h.size())) + Interval(0, 0x1p-900);
  return Interval(0, square_root(Interval(square.hi())).hi());
}

namespace {

// LINEAR
//   κ = 0      HEADS bounds Σ_h <g0, head h's output> by U
//   ------------------------------------------------------
//   const0 + <g0, m> <= const0 + base(g0) + U
Interval linear_bound(Session& session, const Step& step, const std::string& case_id,
                      const Target& target, WordReader& words) {
  need_words(step,
             std::all_of(target.kappa.begin(), target.kappa.end(),
                         [](const Interval& k) { return k.is_zero(); }),
             "a quantity that does not pass the MLP");
  return target.const0 +
         along(session, step, *session.facts().ready(step, case_id), target.g0, words);
}

// MLP-FOLD, FOLD
//   z_j in range j      μ_J >= 0, s_J z_J >= 0 on the case      λ_j = κ_j a_j + μ_j s_j
//   G = g0 + Σ_j λ_j W_in[:, j]      HEADS bounds Σ_h <G, head h's output> by V
//   U = const0 + Σ_j λ_j b_in[j] + Σ_j max(κ_j ρlo_j, κ_j ρhi_j) + base(G) + V
//   ----------------------------------------------------------------------------------
//   const0 + <g0, m> + Σ_j κ_j act(z_j) <= U
Interval fold_bound(Session& session, const Step& step, const std::string& case_id,
                    const Target& target, const RangeFact& neurons, WordReader& words) {
  const Network& net = session.attention().net();
  need_words(step, !net.normalised && net.d_mlp > 0, "a model with neurons and no LN2");
  const Folded folded = fold(session, step, target, case_id, neurons, words);
  const std::vector<Interval> G = target.g0 + folded.direction;
  words.expect("L");
  return folded.constant + along(session, step, *session.facts().ready(step, case_id), G, words);
}

// NORM-FOLD
//   z_j = s <h_j, m> + c_j in range j, s in [s_lo, s_hi]      λ as in FOLD      h = Σ_j λ_j h_j
//   HEADS bounds Σ_h <g0 + s_lo h, head h's output> by A, Σ_h <g0 + s_hi h, …> by B
//   U = const0 + Σ_j λ_j c_j + Σ_j max(κ_j ρlo_j, κ_j ρhi_j)
//       + max( base(g0 + s_lo h) + A, base(g0 + s_hi h) + B )
//   ----------------------------------------------------------------------------------
//   const0 + <g0, m> + Σ_j κ_j act(z_j) <= U
Interval norm_fold_bound(Session& session, const Step& step, const std::string& case_id,
                         const Target& target, const RangeFact& neurons, WordReader& words) {
  const Network& net = session.attention().net();
  need_words(step, neurons.opener == "NORM-NEURONS", "ranges under LN2");
  const Folded folded = fold(session, step, target, case_id, neurons, words);
  const std::vector<Interval> h = centred(folded.direction * net.ln2_w);
  const SpreadFact& spread = session.facts().spreads.at(neurons.spread);
  const auto ready = session.facts().ready(step, case_id);
  const auto end = [&](const char* letter, double s) {
    words.expect(letter);
    return along(session, step, *ready, target.g0 + Interval(s) * h, words).hi();
  };
  const double A = end("A", spread.lo), B = end("B", spread.hi);
  return folded.constant + Interval(std::max(A, B));
}

}  // namespace

double target_bound(Session& session, const Step& step, std::string_view rule,
                    const std::string& case_id, const Target& target, std::string_view neurons,
                    WordReader words) {
  Interval bound;
  if (rule == "LINEAR") {
    bound = linear_bound(session, step, case_id, target, words);
  } else {
    const RangeFact& ranges = session.facts().neurons(step, neurons, case_id);
    bound = rule == "NORM-FOLD" ? norm_fold_bound(session, step, case_id, target, ranges, words)
                                : fold_bound(session, step, case_id, target, ranges, words);
  }
  words.end();
  return bound.hi();
}

}  // namespace assay_check
