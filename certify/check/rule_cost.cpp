#include <algorithm>
#include <cmath>

#include "elementary.hpp"
#include "erased.hpp"
#include "reject.hpp"
#include "spectrum.hpp"

namespace assay_check {
namespace {

Interval squared_norm(const std::vector<double>& v) {
  Interval sum;
  for (const double x : v) {
    sum = sum + Interval(x) * Interval(x);
  }
  return sum;
}

/// An upper bound on the norm.
double norm_up(const std::vector<double>& v) {
  const Interval square = squared_norm(v);
  return square.hi() > 0 ? square_root(Interval(square.hi())).hi() : 0;
}

/// y − x of a row; y is a double, so each entry is off by one rounding.
std::vector<double> change(const ErasedRows& rows, std::size_t row) {
  std::vector<double> moved(rows.d);
  rows.deploy(row, moved.data());
  for (std::size_t j = 0; j < rows.d; ++j) {
    moved[j] = std::ldexp(moved[j], -rows.eraser.grid_bits) - rows.input(row, j);
  }
  return moved;
}

struct Unembedding {
  std::size_t V = 0;
  std::vector<double> u, b;  ///< [V,d], [V]
  double widest = 0;         ///< at least every row's norm
};

Unembedding read_unembedding(Session& session, const Step& step, const std::string& sha,
                             std::size_t d) {
  std::string name;
  std::string bytes = session.data(sha, name);
  const Safetensors file(std::move(bytes), name);
  Unembedding out;
  const Safetensors::Shape shape = file.tensor("b").shape;
  out.V = shape.size() == 1 ? shape[0] : 0;
  if (file.names().size() != 2 || out.V < 2) {
    refuse(step, "expected the tensors u and b of an unembedding");
  }
  out.u = file.f64("u", {out.V, d});
  out.b = file.f64("b", {out.V});
  for (std::size_t v = 0; v < out.V; ++v) {
    const auto row = out.u.begin() + static_cast<std::ptrdiff_t>(v * d);
    out.widest = std::max(out.widest, norm_up({row, row + static_cast<std::ptrdiff_t>(d)}));
  }
  return out;
}

/// u x + b in double, from index 0 up.
std::vector<double> logits(const Unembedding& U, const std::vector<double>& x, bool bias) {
  std::vector<double> out(U.V);
  for (std::size_t v = 0; v < U.V; ++v) {
    double sum = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      sum += U.u[v * x.size() + j] * x[j];
    }
    out[v] = bias ? sum + U.b[v] : sum;
  }
  return out;
}

/// tanh t = 1 − 2/(e^{2t} + 1), t >= 0.
Interval tangent(const Interval& t) {
  return t.hi() > 300 ? Interval(0, 1)
                      : Interval(1) - Interval(2) / (exponential(Interval(2) * t) + Interval(1));
}

}  // namespace

// CHANGE:  mean over the rows of |y − x|² <= a, y the deployed outputs
void rule_change(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "change");
  const Fraction most = positive_term(step, claim, "at-most");
  const ErasedRows rows(session, step, claim);
  if (!step.premises.empty() || step.words.size() != 1 || parse_nat(step.words[0]) != rows.n) {
    refuse(step, "expected CHANGE : n");
  }
  Interval sum;
  for (std::size_t row = 0; row < rows.n; ++row) {
    sum = sum + squared_norm(change(rows, row)) * Interval(1, 1 + 0x1p-50);
  }
  if (!(sum.hi() <= (most.interval() * Interval(static_cast<double>(rows.n))).lo())) {
    refuse(step, "the mean square change is not shown");
  }
  session.conclusions.push_back({step.id, "OBSERVED",
                                 "the mean square of what the eraser moves is at most " +
                                     most.text() + " on the " + std::to_string(rows.n) +
                                     " rows of " + rows.named() + rows.tail(session)});
}

// OPERATOR:  |I − L R|₂ <= κ, because κ²I − (I − LR)(I − LR)ᵀ is definite
void rule_operator(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "operator");
  const Fraction most = positive_term(step, claim, "at-most");
  const Eraser e = read_eraser(session, step);
  if (!step.premises.empty() || step.words.size() != 1 || parse_nat(step.words[0]) != e.r) {
    refuse(step, "expected OPERATOR : rank");
  }
  const std::size_t d = e.d;
  std::vector<double> P(d * d), G(d * d);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      for (std::size_t q = 0; q < e.r; ++q) {
        P[i * d + j] -= e.left[i * e.r + q] * e.right[q * d + j];
      }
    }
    P[i * d + i] += 1;
  }
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      for (std::size_t l = 0; l < d; ++l) {
        G[i * d + j] += P[i * d + l] * P[j * d + l];
      }
    }
  }
  // |P|_F <= S = √d + |L|_F |R|_F, P off by (r + 2) 2^-53 S, G by (d + 2r + 8) 2^-52 S²
  const Interval S = square_root(Interval(static_cast<double>(d))) +
                     Interval(norm_up(e.left)) * Interval(norm_up(e.right));
  const Interval square = S * S;
  const double error =
      (square * Interval(std::ldexp(static_cast<double>(d + 2 * e.r + 16), -51))).hi();
  const Interval kappa = most.interval();
  if (!is_at_most(G, d, error, square.hi(), (kappa * kappa).lo())) {
    refuse(step, "the norm is not shown to be at most that of the statement");
  }
  session.conclusions.push_back(
      {step.id, "PROVED",
       "for any two inputs the eraser's values, before they are rounded to the grid, differ by at "
       "most " +
           most.text() + " times as much as the inputs, hook " + printable(e.hook) + ", eraser " +
           session.header().eraser->second.substr(0, 16) + " (real arithmetic)"});
}

// DIVERGENCE   (D = U(y − x) of a row, w its range over the tokens)
//   mean w²/8 <= kl      mean tanh w/4 <= tv      of `kept` rows U x + b leads by more than w
//   ------------------------------------------------------------------------------------------
//   softmax(U x + b) and softmax(U y + b) differ on the rows by at most kl in mean KL divergence (both ways), tv in
//   mean total variation, and on `kept` rows at least they have the same most likely token
void rule_divergence(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "divergence");
  const Fraction kl = positive_term(step, claim, "kl"), tv = positive_term(step, claim, "tv");
  const std::size_t kept = parse_nat(claim.at("kept"));
  const ErasedRows rows(session, step, claim);
  const Unembedding U = read_unembedding(session, step, claim.at("unembedding"), rows.d);
  if (!step.premises.empty() || step.words.size() != 2 || parse_nat(step.words[0]) != rows.n ||
      parse_nat(step.words[1]) != U.V) {
    refuse(step, "expected DIVERGENCE : n tokens");
  }
  const double share = std::ldexp(static_cast<double>(rows.d + 8), -51);
  Interval divergence, variation;
  std::size_t same = 0;
  std::vector<double> x(rows.d);
  for (std::size_t row = 0; row < rows.n; ++row) {
    const std::vector<double> moved = change(rows, row), D = logits(U, moved, false);
    for (std::size_t j = 0; j < rows.d; ++j) {
      x[j] = rows.input(row, j);
    }
    const auto [least, largest] = std::minmax_element(D.begin(), D.end());
    const Interval off =
        Interval(2) * Interval(share) * Interval(U.widest) * Interval(norm_up(moved));
    const Interval range =
        positive_part(Interval(*largest) - Interval(*least) + Interval(0, off.hi()));
    const Interval w(range.hi());
    divergence = divergence + w * w / Interval(8);
    variation = variation + tangent(w / Interval(4));
    std::vector<double> l = logits(U, x, true);
    const double top = *std::max_element(l.begin(), l.end());
    std::nth_element(l.begin(), l.begin() + 1, l.end(), std::greater<>());
    const Interval size = Interval(U.widest) * Interval(norm_up(x)) + Interval(std::fabs(top)) +
                          Interval(std::fabs(l[1]));
    const Interval lead = Interval(top) - Interval(l[1]) - Interval(2) * Interval(share) * size;
    same += lead.lo() > w.hi() ? 1 : 0;
  }
  const Interval n(static_cast<double>(rows.n));
  if (!(divergence.hi() <= (kl.interval() * n).lo()) ||
      !(variation.hi() <= (tv.interval() * n).lo()) || same < kept) {
    refuse(step, "a bound of the statement is not shown; rows kept: " + std::to_string(same));
  }
  session.conclusions.push_back(
      {step.id, "OBSERVED",
       "on the " + std::to_string(rows.n) + " rows of " + rows.named() +
           " read by the unembedding " + claim.at("unembedding") +
           " the erased predictions have a mean KL divergence of at most " + kl.text() +
           " nats and a mean total variation of at most " + tv.text() +
           " from the others, and the same most likely token on at least " + std::to_string(kept) +
           " rows" + rows.tail(session)});
}

}  // namespace assay_check
