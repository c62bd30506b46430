#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <cstdint>

#include "json.hpp"
#include "reject.hpp"
#include "safetensors.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

using Integer = boost::multiprecision::cpp_int;

constexpr std::size_t kMaxWidth = 512;
constexpr std::size_t kMaxRows = 100'000'000;
constexpr std::size_t kChunk = std::size_t{1} << 14;  // 2^14 products below 2^48 fit in 64 bits

struct Eraser {
  std::string hook;
  std::size_t d = 0;
  int grid_bits = 0;
  std::vector<double> left, right, bias;
};

/// A hook's name as a word of the output: other characters than letters, digits, `.` and `_` become `?`.
std::string printable(std::string hook) {
  for (char& c : hook) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    c = plain || c == '.' || c == '_' ? c : '?';
  }
  return hook.substr(0, 100);
}

Eraser read_eraser(const Session& session, const Step& step) {
  const Header& header = session.header();
  if (!header.eraser || !session.inputs().eraser) {
    refuse(step, "the header must list the eraser and --eraser give it");
  }
  const std::string json = *session.inputs().eraser + "/eraser.json";
  const std::string weights = *session.inputs().eraser + "/eraser.safetensors";
  const Json root = parse_json(read_digested(json, header.eraser->first), json);
  const std::uint64_t d = root.at("d").as_natural();
  const std::uint64_t bits = root.at("gridBits").as_natural();
  if (root.at("assay-eraser").as_natural() != 1 || root.at("kind").as_text() != "leace" ||
      root.at("rank").as_natural() != 1 || d == 0 || d > kMaxWidth || bits > 24 ||
      root.at("modelWeights").as_text() != header.weights_sha) {
    throw Reject("eraser", "not a rank 1 LEACE eraser of this model within the limits", json);
  }
  Eraser eraser;
  eraser.hook = root.at("hook").as_text();
  eraser.d = static_cast<std::size_t>(d);
  eraser.grid_bits = static_cast<int>(bits);
  const Safetensors file(read_digested(weights, header.eraser->second), weights);
  if (file.names().size() != 3) {
    throw Reject("eraser", "unknown tensors", weights);
  }
  eraser.left = file.f64("proj_left", {eraser.d, 1});
  eraser.right = file.f64("proj_right", {1, eraser.d});
  eraser.bias = file.f64("bias", {eraser.d});
  return eraser;
}

/// The deployed output of one row, in units of 2^-gridBits: IEEE double, round to nearest
/// even, no fused operation, sums from index 0 up starting at 0.0.
void deploy(const Eraser& e, const float* x, const Step& step, std::vector<std::int64_t>& Y) {
  double c = 0.0;
  for (std::size_t j = 0; j < e.d; ++j) {
    c += e.right[j] * (static_cast<double>(x[j]) - e.bias[j]);
  }
  const double grid = std::ldexp(1.0, e.grid_bits);
  for (std::size_t i = 0; i < e.d; ++i) {
    const double v = static_cast<double>(x[i]) - e.left[i] * c;
    const double y = std::nearbyint(v * grid);
    if (!(std::fabs(y) < 0x1p24)) {
      refuse(step, "a deployed output is not below 2^24 grid units");
    }
    Y[i] = static_cast<std::int64_t>(y);
  }
}

/// Exact sums over the rows: S = ΣY, S1 = Σ_{z=1} Y, G = Σ Y Yᵀ (lower triangle), n, n1.
struct Moments {
  std::size_t n = 0, n1 = 0;
  std::vector<Integer> S, S1, G;
};

Moments accumulate(const Eraser& e, const std::vector<float>& x, const std::vector<std::int64_t>& z,
                   const Step& step) {
  const std::size_t d = e.d;
  Moments m{z.size(), 0, std::vector<Integer>(d), std::vector<Integer>(d),
            std::vector<Integer>(d * d)};
  std::vector<std::int64_t> Y(d), S(d), S1(d), G(d * d);
  for (std::size_t row = 0; row < m.n; ++row) {
    if (z[row] != 0 && z[row] != 1) {
      refuse(step, "a label is neither 0 nor 1");
    }
    m.n1 += static_cast<std::size_t>(z[row]);
    deploy(e, x.data() + row * d, step, Y);
    for (std::size_t i = 0; i < d; ++i) {
      S[i] += Y[i];
      S1[i] += z[row] * Y[i];
      for (std::size_t j = 0; j <= i; ++j) {
        G[i * d + j] += Y[i] * Y[j];
      }
    }
    if ((row + 1) % kChunk == 0 || row + 1 == m.n) {
      const auto flush = [](std::vector<std::int64_t>& from, std::vector<Integer>& into) {
        for (std::size_t i = 0; i < from.size(); ++i) {
          into[i] += from[i];
          from[i] = 0;
        }
      };
      flush(S, m.S);
      flush(S1, m.S1);
      flush(G, m.G);
    }
  }
  return m;
}

/// The lower triangle of [[A, b], [bᵀ, τ n1 n0]], its last row and column scaled by tau's
/// denominator q (a congruence): A = nG − S Sᵀ, b = n S1 − n1 S, corner q·p·n1·n0.
std::vector<std::vector<Integer>> bordered(const Moments& m, const Fraction& tau) {
  const std::size_t d = m.S.size();
  const Integer n = m.n, n1 = m.n1, n0 = m.n - m.n1, q = tau.den;
  std::vector<std::vector<Integer>> M(d + 1);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      M[i].push_back(n * m.G[i * d + j] - m.S[i] * m.S[j]);
    }
    M[d].push_back(q * (n * m.S1[i] - n1 * m.S[i]));
  }
  M[d].push_back(q * tau.num * n1 * n0);
  return M;
}

/// Fraction-free (Bareiss) elimination of a symmetric matrix: the k-th pivot is the k-th leading
/// principal minor, and all are positive iff the matrix is positive definite (Sylvester).
bool is_positive_definite(std::vector<std::vector<Integer>> M) {
  Integer previous = 1;
  for (std::size_t k = 0; k < M.size(); ++k) {
    if (!(M[k][k] > 0)) {
      return false;
    }
    for (std::size_t i = k + 1; i < M.size(); ++i) {
      for (std::size_t j = k + 1; j <= i; ++j) {
        M[i][j] = (M[i][j] * M[k][k] - M[i][k] * M[j][k]) / previous;  // exact
      }
    }
    previous = M[k][k];
  }
  return true;
}

}  // namespace

/// residual ID data SHA max-r2 FRAC
RequestClaim parse_residual(std::span<const std::string_view> words) {
  if (words.size() != 6 || words[2] != "data" || words[4] != "max-r2") {
    throw Reject("request", "expected residual ID data SHA max-r2 FRAC");
  }
  RequestClaim claim;
  claim.kind = RequestClaim::Kind::residual;
  claim.id = parse_id(words[1]);
  claim.data_sha = parse_sha(words[3]);
  claim.max_r2 = parse_fraction(words[5]);
  return claim;
}

// RESIDUAL
//   Y = the deployed outputs of the data      [[A, b], [bᵀ, τ n1 n0]] is positive definite
//   --------------------------------------------------------------------------------------
//   no affine predictor of z from Y has R² above τ on this data (T3: bᵀ A⁻¹ b < τ n1 n0)
void rule_residual(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::residual);
  if (!step.premises.empty() || step.words.size() != 3 ||
      !parse_fraction(step.words[2]).equals(claim.max_r2)) {
    refuse(step, "expected RESIDUAL : n n1 tau with the tau of the statement");
  }
  const Eraser eraser = read_eraser(session, step);
  std::string name;
  const std::string bytes = session.data(claim.data_sha, name);
  const Safetensors file(bytes, name);
  const std::size_t n = parse_nat(step.words[0]);
  if (n == 0 || n > kMaxRows || file.names().size() != 2) {
    refuse(step, "no rows, or more than the limit, or tensors beside x and z");
  }
  const std::vector<float> x = file.f32("x", {n, eraser.d});
  const std::vector<std::int64_t> z = file.i64("z", {n});
  const Moments m = accumulate(eraser, x, z, step);
  if (m.n1 != parse_nat(step.words[1]) || m.n1 == 0 || m.n1 == m.n) {
    refuse(step, "n1 is not the number of rows with z = 1, or a class is empty");
  }
  if (!is_positive_definite(bordered(m, claim.max_r2))) {
    refuse(step, "the matrix is not positive definite");
  }
  session.conclusions.push_back(
      {step.id, "OBSERVED",
       "no affine predictor of z from the deployed outputs has R^2 above " + claim.max_r2.text() +
           " on the " + std::to_string(m.n) + " rows of data " + claim.data_sha + " (" +
           std::to_string(m.n1) + " with z = 1), hook " + printable(eraser.hook) + ", eraser " +
           session.header().eraser->second.substr(0, 16)});
}

}  // namespace assay_check
