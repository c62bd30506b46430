#include <algorithm>

#include "erased.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

/// Σ |B|² over the labels and coordinates, B = nΣYz − ΣYΣz: n⁴ 4^gridBits times ‖Cov(y, z)‖².
Integer square_of_covariance(const ErasedRows& rows) {
  std::vector<std::int64_t> S(rows.d), H(rows.d * rows.k);
  std::vector<double> Y(rows.d);
  for (std::size_t row = 0; row < rows.n; ++row) {
    rows.deploy(row, Y.data());
    for (std::size_t j = 0; j < rows.d; ++j) {
      const auto value = static_cast<std::int64_t>(Y[j]);
      S[j] += value;
      for (std::size_t c = 0; c < rows.k; ++c) {
        H[j * rows.k + c] += rows.label(row, c) != 0 ? value : 0;
      }
    }
  }
  Integer sum = 0;
  for (std::size_t j = 0; j < rows.d; ++j) {
    for (std::size_t c = 0; c < rows.k; ++c) {
      const Integer B = Integer(rows.n) * H[j * rows.k + c] - Integer(rows.ones[c]) * S[j];
      sum += B * B;
    }
  }
  return sum;
}

/// How far g(z) moves with z at the best constant, g in the loss's subdifferential with mean 0.
Ratio slope(const Step& step, const ErasedRows& rows, const std::string& loss) {
  if ((loss == "softmax") != (rows.k > 1) || (rows.k > 1 && !rows.one_hot)) {
    refuse(step, "softmax is the loss of one-hot labels, the others of one label");
  }
  if (loss == "log" || loss == "softmax") {
    return {1, 1};
  }
  if (loss == "hinge") {
    return {Integer(rows.n), Integer(std::max(rows.ones[0], rows.n - rows.ones[0]))};
  }
  if (loss != "square") {
    refuse(step, "expected the loss log, softmax, hinge or square");
  }
  return {2, 1};
}

/// The tau of the RESIDUAL that the step names, about the same rows.
Fraction tau_of(Session& session, const Step& step, const ErasureClaim& claim) {
  const auto place =
      step.premises.size() == 1 ? session.claim_place(step.premises[0]) : std::nullopt;
  if (place && session.is_shown(*place)) {
    const ErasureClaim other(session.request().claims.at(*place));
    const auto same = [&](const char* key) {
      const auto a = claim.terms.find(key), b = other.terms.find(key);
      return (a == claim.terms.end()) == (b == other.terms.end()) &&
             (a == claim.terms.end() || a->second == b->second);
    };
    if (other.form == "residual" && same("data") && same("labels")) {
      return parse_fraction(other.at("max-r2"));
    }
  }
  refuse(step, "expected as premise a claim of form residual about the same rows, shown before");
}

}  // namespace

// ADVANTAGE   (T4; G = the slope of the loss, v = Σ_c n_c(n − n_c)/n², σ = Cov(y, z) on the rows)
//   norm W:   G W ‖σ‖ <= a     ridge λ: G²‖σ‖² <= 2λa     spread S: max R² < τ, G S √(vτ) <= a
//   free (square): max R² < τ, vτ <= a
//   --------------------------------------------------------------------------------------------
//   no affine predictor of that form has a mean loss on these rows that is below the best constant's
//   by more than a
void rule_advantage(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "advantage");
  const std::string& loss = claim.at("loss");
  const std::string& form = claim.at("form");
  const bool through_r2 = form == "spread" || form == "free";
  if (step.premises.size() != (through_r2 ? 1U : 0U) || step.words.size() != 2) {
    refuse(step, "expected ADVANTAGE [RESIDUAL] : n gain");
  }
  const ErasedRows rows(session, step, claim);
  const Fraction size = positive_term(step, claim, "size");
  const Fraction gain = positive_term(step, claim, "max-gain");
  if (parse_nat(step.words[0]) != rows.n || !parse_fraction(step.words[1]).equals(gain)) {
    refuse(step, "n or gain is not that of the rows or the statement");
  }
  const Ratio G = slope(step, rows, loss), a(gain), W(size);
  const Integer n2 = Integer(rows.n) * rows.n;
  bool holds = false;
  std::string of;
  if (through_r2) {
    Ratio v(0, n2);
    for (const std::size_t ones : rows.ones) {
      v.num += Integer(ones) * (rows.n - ones);
    }
    const Ratio spread = v * Ratio(tau_of(session, step, claim));
    of = form == "free" ? "" : " whose outputs have a root mean square deviation of at most ";
    holds = form == "spread" ? (G * G * W * W * spread).at_most(a * a)
                             : loss == "square" && size.equals({1, 1}) && spread.at_most(a);
  } else if (form == "norm" || form == "ridge") {
    const int bits = 2 * rows.eraser.grid_bits;
    const Ratio square = G * G * Ratio(square_of_covariance(rows), n2 * n2 << bits);
    of = form == "norm" ? " with weights of Euclidean norm at most "
                        : ", its loss with half its squared norm as penalty times ";
    holds = form == "norm" ? (square * W * W).at_most(a * a) : square.at_most(W * a * Ratio(2, 1));
  }
  if (!holds) {
    refuse(step, "the gain is not shown");
  }
  session.conclusions.push_back(
      {step.id, "OBSERVED",
       "no affine predictor from the deployed outputs" + of + (of.empty() ? "" : size.text()) +
           " has a mean " + loss + " loss more than " + gain.text() +
           " below that of the best constant on the " + std::to_string(rows.n) + " rows of " +
           rows.named() + (rows.fitted ? " (rows of the fit)" : "") + rows.tail(session)});
}

}  // namespace assay_check
