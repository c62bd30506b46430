#include <algorithm>
#include <cstdint>

#include "definite.hpp"
#include "erased.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kBlock = 32;  // that many products of integers below 2^24 are exact in double

/// Exact sums over the rows of W = (Y, z): ΣW and the lower triangle of ΣWWᵀ; n.
struct Moments {
  std::size_t n = 0, d = 0, k = 0;
  bool one_hot = true;
  std::vector<std::int64_t> S;
  std::vector<std::vector<Wide>> G;
};

/// Adds `rows` rows of W: sums of products of one block are integers below 2^53.
void add_block(const std::vector<double>& W, std::size_t rows, Moments& m) {
  const std::size_t width = m.d + m.k;
  std::vector<double> sum(width);
  for (std::size_t i = 0; i < width; ++i) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (std::size_t r = 0; r < rows; ++r) {
      const double* row = W.data() + r * width;
      const double w = row[i];
      m.S[i] += static_cast<std::int64_t>(w);
      for (std::size_t j = 0; j <= i; ++j) {
        sum[j] += w * row[j];
      }
    }
    for (std::size_t j = 0; j <= i; ++j) {
      m.G[i][j] += static_cast<std::int64_t>(sum[j]);
    }
  }
}

Moments accumulate(const ErasedRows& rows) {
  Moments m{rows.n, rows.d, rows.k, rows.one_hot, {}, {}};
  const std::size_t width = m.d + m.k;
  m.S.resize(width);
  for (std::size_t i = 0; i < width; ++i) {
    m.G.emplace_back(i + 1);
  }
  std::vector<double> W(kBlock * width);
  for (std::size_t row = 0; row < m.n; ++row) {
    double* const w = W.data() + row % kBlock * width;
    rows.deploy(row, w);
    for (std::size_t c = 0; c < m.k; ++c) {
      w[m.d + c] = rows.label(row, c);
    }
    if ((row + 1) % kBlock == 0 || row + 1 == m.n) {
      add_block(W, row % kBlock + 1, m);
    }
  }
  return m;
}

/// The lower triangle of [[A, B], [Bᵀ, τC]] = nΣWWᵀ − ΣW ΣWᵀ, its last rows and columns scaled by tau's
/// denominator q (a congruence). Left out, because an affine predictor of the rest says the same: a
/// coordinate that is constant, one that differs from an earlier one by a constant (A_ii = A_jj = A_ij),
/// and the last of several one-hot labels.
Triangle bordered(const Moments& m, const Fraction& tau) {
  const Integer n = m.n, q = tau.den;
  const auto entry = [&](std::size_t i, std::size_t j) {
    return Integer(n * Integer(m.G[i][j]) - Integer(m.S[i]) * m.S[j]);
  };
  Triangle M;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < m.d; ++i) {
    const Integer own = entry(i, i);
    std::vector<Integer> row;
    bool fresh = own != 0;
    for (std::size_t j = 0; j < kept.size() && fresh; ++j) {
      row.push_back(entry(i, kept[j]));
      fresh = row[j] != own || M[j][j] != own;
    }
    if (fresh) {
      row.push_back(own);
      M.push_back(std::move(row));
      kept.push_back(i);
    }
  }
  const std::size_t labels = m.one_hot && m.k > 1 ? m.k - 1 : m.k;
  for (std::size_t c = m.d; c < m.d + labels; ++c) {
    std::vector<Integer> row;
    for (const std::size_t i : kept) {
      row.push_back(q * entry(c, i));
    }
    for (std::size_t e = m.d; e <= c; ++e) {
      row.push_back(q * tau.num * entry(c, e));
    }
    M.push_back(std::move(row));
  }
  return M;
}

}  // namespace

// RESIDUAL
//   Y = the deployed outputs of the data      [[A, B], [Bᵀ, τC]] is positive definite
//   ----------------------------------------------------------------------------------------
//   no affine predictor from Y of z, or of any combination of its columns, has R² above τ on this data
//   (T3: aᵀBᵀA⁻¹Ba < τ aᵀCa for every a ≠ 0)
void rule_residual(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "residual");
  const Fraction tau = parse_fraction(claim.at("max-r2"));
  if (!step.premises.empty() || step.words.size() < 3 ||
      !parse_fraction(step.words.back()).equals(tau)) {
    refuse(step, "expected RESIDUAL : n n1 … tau with the tau of the statement");
  }
  const ErasedRows rows(session, step, claim);
  const std::size_t k = step.words.size() - 2;
  if (parse_nat(step.words[0]) != rows.n || k != rows.k) {
    refuse(step, "x or z not of n rows and as many labels");
  }
  std::string counts;
  for (std::size_t c = 0; c < k; ++c) {
    if (parse_nat(step.words[1 + c]) != rows.ones[c]) {
      refuse(step, "n1 is not the number of rows with z = 1, or a class is empty");
    }
    counts += (c == 0 ? "" : ", ") + std::to_string(rows.ones[c]);
  }
  if (!is_positive_definite(bordered(accumulate(rows), tau))) {
    refuse(step, "the matrix is not shown positive definite");
  }
  session.conclusions.push_back(
      {step.id, "OBSERVED",
       "no affine predictor of " + std::string(k == 1 ? "z" : "any combination of the labels z") +
           " from the deployed outputs has R^2 above " + tau.text() + " on the " +
           std::to_string(rows.n) + " rows of " + rows.named() + " (" + counts + " with z = 1" +
           (rows.fitted ? "; rows of the fit" : "") + ")" + rows.tail(session)});
}

}  // namespace assay_check
