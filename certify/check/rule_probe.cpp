#include <algorithm>
#include <cmath>

#include "reject.hpp"
#include "units.hpp"

namespace assay_check {
namespace {

/// P(X >= k) <= most for X ~ Binomial(n, p): from the weights w(j + 1)/w(j) = (n − j)p / ((j + 1)(1 − p)) about
/// the largest, T/(T + B).
bool is_rare(std::size_t n, std::size_t k, const Fraction& p, const Interval& most) {
  if (k == 0 || p.num >= p.den) {
    return false;  // the tail is 1
  }
  if (p.num <= 0) {
    return p.num == 0;  // the tail is 0
  }
  const Interval odds = quotient(p.num, p.den - p.num);
  const auto whole = [](std::size_t i) { return Interval(static_cast<double>(i)); };
  const auto centre = std::min(
      n, static_cast<std::size_t>(static_cast<double>(n) *
                                  (static_cast<double>(p.num) / static_cast<double>(p.den))));
  Interval tail, below;
  const auto add = [&](std::size_t j, const Interval& w) {
    (j >= k ? tail : below) = (j >= k ? tail : below) + w;
  };
  Interval w(1);
  add(centre, w);
  for (std::size_t j = centre; j < n; ++j) {
    w = positive_part(w * whole(n - j) / whole(j + 1) * odds);
    add(j + 1, w);
  }
  w = Interval(1);
  for (std::size_t j = centre; j > 0; --j) {
    w = positive_part(w * whole(j) / whole(n - j + 1) / odds);
    add(j - 1, w);
  }
  return tail.hi() == 0 ||
         (Interval(tail.hi()) / (Interval(tail.hi()) + Interval(below.lo()))).hi() <= most.lo();
}

Fraction complement(const Fraction& f) {
  return {f.den - f.num, f.den};
}

/// Of the drawn rows: with the label, of these right, without it, of these right.
struct Counts {
  std::size_t n1 = 0, right1 = 0, n0 = 0, right0 = 0;
};

Counts count(Session& session, const Step& step, const ErasureClaim& claim, const ErasedRows& rows,
             const std::vector<std::size_t>& drawn) {
  const std::size_t label = parse_nat_below(claim.at("label"), rows.k, "a label");
  std::string name;
  std::string bytes = session.data(claim.at("probes"), name);
  const Safetensors file(std::move(bytes), name);
  const Safetensors::Shape shape = file.tensor("bias").shape;
  const std::size_t m = shape.size() == 1 ? shape[0] : 0;
  const std::size_t index = parse_nat_below(claim.at("index"), m, "a probe");
  if (file.names().size() != 2) {
    refuse(step, "expected the tensors weights and bias of the probes");
  }
  const std::vector<double> weights = file.f64("weights", {m, rows.d}),
                            bias = file.f64("bias", {m});
  Counts c;
  std::vector<double> Y(rows.d);
  for (const std::size_t row : drawn) {
    rows.deploy(row, Y.data());
    double score = bias[index];
    for (std::size_t j = 0; j < rows.d; ++j) {
      score += weights[index * rows.d + j] * std::ldexp(Y[j], -rows.eraser.grid_bits);
    }
    const bool one = rows.label(row, label) != 0;
    (one ? c.n1 : c.n0) += 1;
    (one ? c.right1 : c.right0) += one == (score > 0) ? 1U : 0U;
  }
  return c;
}

}  // namespace

// PROBE   (T8; of the drawn rows n1 have the label and the probe says so of k1, n0 do not and it says so of k0;
//         each of four events fails with probability at most α/4)
//   P(Bin(n1, lo1) >= k1), P(Bin(n1, 1 − hi1) >= n1 − k1), and the same of n0 − k0 right ones of n0, <= α/4
//   (lo1 + lo0)/2 >= lo      (hi1 + hi0)/2 <= hi
//   ------------------------------------------------------------------------------------------------------
//   with probability at least 1 − α the balanced accuracy of the probe is in [lo, hi]
void rule_probe(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "probe");
  if (!step.premises.empty() || step.words.size() != 9) {
    refuse(step, "expected PROBE : units n1 right1 n0 right0 lo1 hi1 lo0 hi0");
  }
  const ErasedRows rows(session, step, claim);
  const Fraction alpha = statistical_alpha(session, step, claim, rows);
  const auto units = units_of(rows, step, claim);
  const auto [n1, right1, n0, right0] = count(session, step, claim, rows, drawn_rows(units));
  const std::size_t counts[] = {units.size(), n1, right1, n0, right0};
  for (std::size_t i = 0; i < 5; ++i) {
    if (parse_nat(step.words[i]) != counts[i]) {
      refuse(step, "a count is not " + std::to_string(counts[i]));
    }
  }
  if (n1 == 0 || n0 == 0) {
    refuse(step, "no drawn row of a class");
  }
  Fraction end[4];
  for (std::size_t i = 0; i < 4; ++i) {
    end[i] = parse_fraction(step.words[5 + i]);
    if (end[i].num < 0 || end[i].num > end[i].den) {
      refuse(step, "an end is not between 0 and 1");
    }
  }
  const Interval quarter = alpha.interval() / Interval(4);
  const auto is_end = [&](std::size_t n, std::size_t k, const Fraction& lo) {
    return (k == 0 && lo.num == 0) || is_rare(n, k, lo, quarter);
  };
  if (!is_end(n1, right1, end[0]) || !is_end(n1, n1 - right1, complement(end[1])) ||
      !is_end(n0, right0, end[2]) || !is_end(n0, n0 - right0, complement(end[3]))) {
    refuse(step, "an end is not outside what the counts allow");
  }
  const Fraction lo = parse_fraction(claim.at("at-least")),
                 hi = parse_fraction(claim.at("at-most"));
  const auto twice = [](const Fraction& a, const Fraction& b) {
    return Ratio(Integer(a.num) * b.den + Integer(b.num) * a.den, Integer(a.den) * b.den);
  };
  if (lo.num < 0 || !(Ratio(lo) * Ratio(2, 1)).at_most(twice(end[0], end[2])) ||
      !twice(end[1], end[3]).at_most(Ratio(hi) * Ratio(2, 1))) {
    refuse(step, "the interval of the statement does not hold the middle of the ends");
  }
  session.conclusions.push_back({step.id, "STATISTICAL",
                                 "probe " + claim.at("index") + " of " + claim.at("probes") +
                                     " has a balanced accuracy in [" + lo.text() + ", " +
                                     hi.text() + "] for label " + claim.at("label") +
                                     " on the deployed outputs, with probability at least 1 - " +
                                     alpha.text() + " over the draw of the " +
                                     drawn_units(units.size(), rows.has("document")) +
                                     (rows.has("document") ? ", and of a row of each, " : ", ") +
                                     rows.named() + rows.tail(session)});
}

}  // namespace assay_check
