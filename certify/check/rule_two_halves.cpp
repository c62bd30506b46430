#include <algorithm>
#include <cmath>

#include "halves.hpp"
#include "reject.hpp"
#include "spectrum.hpp"

namespace assay_check {
namespace {

Interval norm(const std::vector<double>& v) {
  Interval sum;
  for (const double x : v) {
    sum = sum + Interval(x) * Interval(x);
  }
  return sum.hi() > 0 && sum.lo() <= 0 ? Interval(0, square_root(Interval(sum.hi())).hi())
         : sum.hi() > 0                ? square_root(sum)
                                       : Interval(0);
}

Interval mean_of(const std::vector<double>& x, const Interval& error) {
  double sum = 0;
  for (const double each : x) {
    sum += each;
  }
  return Interval(sum / static_cast<double>(x.size())) + Interval(-error.hi(), error.hi());
}

/// Whether the largest eigenvalue of the mean of v vᵀ over A is at most `most`: by its trace, or because
/// most·I less the matrix is definite.
bool is_shown(const Halves& h, double most) {
  const Interval size = h.bound * h.bound, off = size * h.slack();
  double trace = 0;
  std::vector<double> v;
  for (std::size_t i = 0; i < h.a; ++i) {
    h.pair(i, v);
    double square = 0;
    for (const double x : v) {
      square += x * x;
    }
    trace += square;
  }
  trace /= static_cast<double>(h.a);
  if (sum_up(trace, off.hi()) <= most || h.quadratic) {
    return sum_up(trace, off.hi()) <= most;
  }
  const std::size_t d = h.features;
  std::vector<double> G(d * d);
  for (std::size_t p = 0; p < h.a; ++p) {
    h.pair(p, v);
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j <= i && v[i] != 0; ++j) {
        G[i * d + j] += v[i] * v[j];
      }
    }
  }
  for (double& entry : G) {
    entry /= static_cast<double>(h.a);
  }
  return is_at_most(G, d, off.hi(), size.hi(), most);
}

void need_counts(const Step& step, const Halves& h) {
  if (parse_nat(step.words[0]) != h.units || parse_nat(step.words[1]) != h.a ||
      parse_nat(step.words[2]) != h.b) {
    refuse(step, "the units or pairs are " + std::to_string(h.units) + " " + std::to_string(h.a) +
                     " " + std::to_string(h.b));
  }
}

std::string what(const Halves& h, const ErasureClaim& claim) {
  return "the covariance of " + label_meant(claim) + " with the " +
         (h.quadratic ? "products of two deployed outputs" : "deployed outputs") + " has a norm ";
}

}  // namespace

// TWO-HALVES   (T10; l = ln(3/α), each of three events fails with probability at most α/3)
//   λ̂ = λmax(mean_A vvᵀ) <= Λ    √λ = root_of_mean(Λ)    b = room(√λ, M, n_A)
//   a = mean_B <v_A, v> + |v_A| room(√λ, M, n_B)          (b + √(b² + 4a))/2 <= s (1 − 2h)
//   ----------------------------------------------------------------------------------
//   |Cov(φ(y), z)| <= s with probability at least 1 − α, z the label; with noise h (T7) the true one
void rule_two_halves(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "covariance");
  if (!step.premises.empty() || step.words.size() != 4) {
    refuse(step, "expected TWO-HALVES : units pairs pairs lambda");
  }
  const Halves h(session, step, claim);
  const Fraction alpha = statistical_alpha(session, step, claim, h.rows);
  const Fraction most = positive_term(step, claim, "at-most");
  need_counts(step, h);
  const double lambda = parse_hex(step.words[3]);
  if (!(lambda > 0) || !is_shown(h, lambda)) {
    refuse(step, "lambda is not shown to be at least the largest eigenvalue");
  }
  const Interval l = log_of(alpha, 3), M = h.bound;
  const Interval root = root_of_mean(Interval(lambda), M, l, h.a);
  const std::vector<double> v = h.mean();
  const Interval size = norm(v);
  const Interval b = room(root, M, l, h.a) + M * h.slack();
  const Interval a = mean_of(h.project(v), size * M * h.slack()) + size * room(root, M, l, h.b);
  const Interval twice = b + square_root(b * b + Interval(4) * positive_part(a));
  if (!(twice.hi() <=
        (Interval(2) * most.interval() * share_without_noise(step, claim, h.rows)).lo())) {
    refuse(step, "the norm is not shown to be at most that of the statement");
  }
  session.conclusions.push_back(
      {step.id, "STATISTICAL",
       what(h, claim) + "of at most " + most.text() + " with probability at least 1 - " +
           alpha.text() + " " + h.drawn() +
           (h.quadratic ? ""
                        : ": no affine predictor with weights of norm W in those units has an "
                          "expected log loss "
                          "more than " +
                              most.text() + " W below that of the best constant") +
           h.rows.tail(session)});
}

// LEAKAGE   (l = ln(2/α); x = <v_A, v> on B, each of two events fails with probability at most α/2)
//   √q = root_of_mean(mean x²)      mean x − room(√q, |v_A| M, n_B) >= s |v_A| > 0
//   ---------------------------------------------------------------------------------
//   |Cov(φ(y), z)| >= s with probability at least 1 − α
void rule_leakage(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "leakage");
  if (!step.premises.empty() || step.words.size() != 3) {
    refuse(step, "expected LEAKAGE : units pairs pairs");
  }
  const Halves h(session, step, claim);
  const Fraction alpha = statistical_alpha(session, step, claim, h.rows);
  const Fraction least = positive_term(step, claim, "at-least");
  need_counts(step, h);
  const Interval l = log_of(alpha, 2);
  const std::vector<double> v = h.mean();
  const Interval size = norm(v);
  std::vector<double> x = h.project(v);
  const Interval most = size * h.bound, mean = mean_of(x, most * h.slack());
  for (double& each : x) {
    each *= each;
  }
  const Interval square = mean_of(x, most * most * h.slack() * Interval(4));
  const Interval root = root_of_mean(Interval(std::max(square.hi(), 0.0)), most, l, h.b);
  if (!(size.lo() > 0) ||
      !((mean - room(root, most, l, h.b)).lo() >= (least.interval() * size).hi())) {
    refuse(step, "the norm is not shown to be at least that of the statement");
  }
  session.conclusions.push_back({step.id, "STATISTICAL",
                                 what(h, claim) + "of at least " + least.text() +
                                     " with probability at least 1 - " + alpha.text() + " " +
                                     h.drawn() + h.rows.tail(session)});
}

}  // namespace assay_check
