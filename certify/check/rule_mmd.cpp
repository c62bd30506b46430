#include <algorithm>

#include "halves.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

/// Four rows drawn from four units, s, s', t, t':
///   x = (z_s − z_s')(z_t − z_t')/4 (k(s,t) − k(s,t') − k(s',t) + k(s',t')),   |x| <= 1/2
/// With φ the kernel's map, x = <v, w> of independent v = (φ_s − φ_s')(z_s − z_s')/2 and w alike of t, t', and
/// E v = E w = Cov(φ(y), z):  E x = |Cov(φ(y), z)|².
class Quadruples {
 public:
  Quadruples(Session& session, const Step& step, const ErasureClaim& claim)
      : halves(session, step, claim), alpha(statistical_alpha(session, step, claim, halves.rows)) {
    const std::vector<std::size_t> drawn = halves.drawn_after_the_scales();
    const std::size_t label = parse_nat_below(claim.at("label"), halves.rows.k, "a label");
    const std::size_t n = drawn.size() / 4;
    if (!step.premises.empty() || step.words.size() != 2 || n == 0 ||
        parse_nat(step.words[0]) != halves.units || parse_nat(step.words[1]) != n) {
      refuse(step, "expected units and quadruples, " + std::to_string(halves.units) + " and " +
                       std::to_string(n));
    }
    Interval sum, squares;
    for (std::size_t q = 0; q < n; ++q) {
      const Interval x = product(drawn.data() + 4 * q, label);
      sum = sum + x;
      squares = squares + x * x;
    }
    const Interval count(static_cast<double>(n)), size(0.5), l = log_of(alpha, 2);
    mean = sum / count;
    around = room(root_of_mean(squares / count, size, l, n), size, l, n);
  }

  Halves halves;
  Fraction alpha;
  Interval mean,
      around;  ///< E x is within `around` of the mean, but with probability alpha / 2, each way

 private:
  [[nodiscard]] Interval kernel(std::size_t row, std::size_t other) const {
    return exponential_of_negative(halves.exponent(row, other));
  }
  [[nodiscard]] Interval product(const std::size_t* at, std::size_t label) const {
    const auto z = [&](std::size_t i) { return halves.rows.label(at[i], label); };
    const double signs = (z(0) - z(1)) * (z(2) - z(3));  // −1, 0 or 1
    if (signs == 0) {
      return {};
    }
    return Interval(signs / 4) * (kernel(at[0], at[2]) - kernel(at[0], at[3]) -
                                  kernel(at[1], at[2]) + kernel(at[1], at[3]));
  }
};

void conclude(Session& session, const Step& step, const ErasureClaim& claim, const Quadruples& q,
              const std::string& most_or_least) {
  session.conclusions.push_back(
      {step.id, "STATISTICAL",
       "p (1 - p) times the maximum mean discrepancy of the classes of " + label_meant(claim) +
           " in the deployed outputs, kernel e^(-|u - u'|^2 / d) of outputs in units of their "
           "scales, is " +
           most_or_least + " with probability at least 1 - " + q.alpha.text() + " " +
           q.halves.drawn() + q.halves.rows.tail(session)});
}

}  // namespace

// MMD   (T4 of the kernel's map; l = ln(2/α), each of two events fails with probability at most α/2)
//   mean x + room(root_of_mean(mean x²), 1/2, n) <= (s (1 − 2h))²
//   ----------------------------------------------------------------------------------------------
//   |Cov(φ(y), z)| = p (1 − p) MMD <= s with probability at least 1 − α; with noise h of the true label
void rule_mmd(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "mmd");
  const Quadruples q(session, step, claim);
  const Fraction most = positive_term(step, claim, "at-most");
  const Interval bound = most.interval() * share_without_noise(step, claim, q.halves.rows);
  if (!((q.mean + q.around).hi() <= (bound * bound).lo())) {
    refuse(step, "the discrepancy is not shown to be at most that of the statement");
  }
  conclude(session, step, claim, q,
           "at most " + most.text() +
               ": no function of norm W in the kernel's space has an expected log loss more than " +
               most.text() + " W below that of the best constant,");
}

// MMD-LEAKAGE   (as MMD)
//   mean x − room(root_of_mean(mean x²), 1/2, n) >= s²
//   ----------------------------------------------------------------------------
//   p (1 − p) MMD >= s with probability at least 1 − α
void rule_mmd_leakage(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "mmd-leakage");
  const Quadruples q(session, step, claim);
  const Interval least = positive_term(step, claim, "at-least").interval();
  if (!((q.mean - q.around).lo() >= (least * least).hi())) {
    refuse(step, "the discrepancy is not shown to be at least that of the statement");
  }
  conclude(session, step, claim, q, "at least " + claim.at("at-least"));
}

}  // namespace assay_check
