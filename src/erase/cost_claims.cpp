#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "claim_lines.hpp"

namespace assay::erase {
namespace {

using Json = nlohmann::ordered_json;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = Eigen::Map<const Matrix>;

constexpr double kRoom = 1.0 + 0x1p-20;

Eigen::Index index_of(std::size_t n) {
  return static_cast<Eigen::Index>(n);
}

/// |I - L R|_2: its square is 1 + the largest eigenvalue of S Z^T Z, Z = [L, R^T], which has 2 r rows.
double operator_norm(const Eraser& e) {
  const auto d = index_of(e.d()), r = index_of(e.rank);
  const Rows left(e.proj_left.data(), d, r), right(e.proj_right.data(), r, d);
  Eigen::MatrixXd z(d, 2 * r), s = Eigen::MatrixXd::Zero(2 * r, 2 * r);
  z << left, right.transpose();
  s.topLeftCorner(r, r) = right * right.transpose();
  s.topRightCorner(r, r) = -Eigen::MatrixXd::Identity(r, r);
  s.bottomLeftCorner(r, r) = -Eigen::MatrixXd::Identity(r, r);
  const Eigen::EigenSolver<Eigen::MatrixXd> solver(s * (z.transpose() * z), false);
  return std::sqrt(std::max(1.0 + solver.eigenvalues().real().maxCoeff(), 1.0));
}

}  // namespace

std::vector<ClaimLines> cost_claims(const Eraser& e, const ActivationTable& x, const GridRows& rows,
                                    const std::string& data) {
  double squares = 0;
  std::vector<double> row(x.d);
  for (std::size_t i = 0; i < x.n; ++i) {
    x.row(i, row);
    for (std::size_t j = 0; j < x.d; ++j) {
      const double moved =
          std::ldexp(static_cast<double>(rows.y[i * x.d + j]), -e.grid_bits) - row[j];
      squares += moved * moved;
    }
  }
  const std::string mean = fraction_above(squares / static_cast<double>(x.n) * kRoom).text();
  const double norm = operator_norm(e);
  const std::string kappa = fraction_above(norm * (1.0 + 0x1p-10)).text();
  return {
      {"change change " + data + " at-most " + mean, "change CHANGE : " + std::to_string(x.n),
       Json{{"claim", "change"},
            {"rule", "CHANGE"},
            {"level", "OBSERVED"},
            {"statement", "the mean of |y - x|^2 over these rows, y the deployed output"},
            {"exact", true},
            {"meanSquareAtMost", mean}}},
      {"operator operator at-most " + kappa, "operator OPERATOR : " + std::to_string(e.rank),
       Json{{"claim", "operator"},
            {"rule", "OPERATOR"},
            {"level", "PROVED"},
            {"statement",
             "for any two inputs the eraser's values, before rounding to the grid, differ by at "
             "most normAtMost times as much as the inputs"},
            {"norm", norm},
            {"normAtMost", kappa}}}};
}

ClaimLines divergence_claim(const Eraser& e, const ActivationTable& x, const GridRows& rows,
                            const Unembedding& out, const std::string& data) {
  const std::size_t tokens = out.b.size();
  const Rows u(out.u.data(), index_of(tokens), index_of(x.d));
  const Eigen::Map<const Eigen::VectorXd> b(out.b.data(), index_of(tokens));
  const double widest = u.rowwise().norm().maxCoeff();
  double kl = 0, tv = 0;
  std::size_t kept = 0;
  std::vector<double> row(x.d);
  Eigen::VectorXd moved(index_of(x.d));
  for (std::size_t i = 0; i < x.n; ++i) {
    x.row(i, row);
    const Eigen::Map<const Eigen::VectorXd> at(row.data(), index_of(x.d));
    for (std::size_t j = 0; j < x.d; ++j) {
      moved(index_of(j)) =
          std::ldexp(static_cast<double>(rows.y[i * x.d + j]), -e.grid_bits) - row[j];
    }
    const Eigen::VectorXd change = u * moved;
    const double slack = 0x1p-30 * widest * moved.norm();
    const double range = change.maxCoeff() - change.minCoeff() + slack;
    kl += range * range / 8.0;
    tv += std::tanh(range / 4.0);
    Eigen::VectorXd logits = u * at + b;
    std::nth_element(logits.data(), logits.data() + 1, logits.data() + logits.size(),
                     std::greater<>());
    kept += logits(0) - logits(1) - 0x1p-30 * (widest * at.norm() + std::fabs(logits(0))) > range
                ? 1
                : 0;
  }
  const auto n = static_cast<double>(x.n);
  const std::string most_kl = fraction_above(kl / n * kRoom).text(),
                    most_tv = fraction_above(tv / n * kRoom).text();
  return {
      "divergence divergence " + data + " unembedding " + out.digest.hex() + " kl " + most_kl +
          " tv " + most_tv + " kept " + std::to_string(kept),
      "divergence DIVERGENCE : " + std::to_string(x.n) + " " + std::to_string(tokens),
      Json{{"claim", "divergence"},
           {"rule", "DIVERGENCE"},
           {"level", "OBSERVED"},
           {"statement",
            "predictions read from the erased rows by this unembedding, against those from the "
            "rows: mean KL divergence in nats (both ways), mean total variation, and rows whose "
            "most likely token is surely the same"},
           {"exact", true},
           {"unembedding", out.digest.hex()},
           {"tokens", tokens},
           {"meanKlAtMost", most_kl},
           {"meanTvAtMost", most_tv},
           {"topTokenKeptOnAtLeast", kept},
           {"rows", x.n}}};
}

std::vector<ClaimLines> worst_claims(const Eraser& e, const RegisteredProbes& readouts,
                                     const Region& region) {
  const std::size_t d = e.d(), r = e.rank;
  const auto wide = index_of(d);
  const Rows left(e.proj_left.data(), wide, index_of(r)),
      right(e.proj_right.data(), index_of(r), wide);
  const Eigen::Map<const Eigen::VectorXd> mu(e.bias.data(), wide),
      centre(region.centre.data(), wide);
  const Rows axes(region.axes.data(), wide, index_of(region.axes.size() / d));
  const Eigen::VectorXd largest =
      centre.cwiseAbs() + (region.kind == Region::Kind::box
                               ? axes.col(0).eval()
                               : (axes.rowwise().norm() * region.radius).eval());
  const Eigen::VectorXd inside = right.cwiseAbs() * (largest + mu.cwiseAbs());
  const double gamma = std::ldexp(static_cast<double>(d + r + 8), -51);
  const Eigen::VectorXd off =
      (gamma * (largest + left.cwiseAbs() * inside)).array() + std::ldexp(0.5, -e.grid_bits);
  std::vector<ClaimLines> out;
  for (std::size_t i = 0; i < readouts.bias.size(); ++i) {
    const Eigen::Map<const Eigen::VectorXd> w(readouts.weights.data() + i * d, wide);
    const Eigen::VectorXd into = left.transpose() * w, u = w - right.transpose() * into;
    const double constant = readouts.bias[i] + into.dot(right * mu) + u.dot(centre);
    double reach = 0;
    if (region.kind == Region::Kind::box) {
      reach = u.cwiseAbs().dot(axes.col(0));
    } else if (region.kind == Region::Kind::ellipsoid) {
      reach = (axes.transpose() * u).norm();
    } else {
      Eigen::VectorXd scaled = u.cwiseProduct(axes.col(0));
      if (region.kind == Region::Kind::layer_norm) {
        scaled.array() -= scaled.mean();
      }
      reach = region.radius * scaled.norm();
    }
    const double bound = (std::fabs(constant) + reach + w.cwiseAbs().dot(off)) * kRoom +
                         0x1p-30 * w.norm() * (largest.norm() + 1.0);
    const std::string most = fraction_above(bound).text();
    const std::string id = "worst-" + std::to_string(i);
    out.push_back(
        {"worst " + id + " readout " + readouts.digest.hex() + " region " + region.digest.hex() +
             " index " + std::to_string(i) + " at-most " + most,
         id + " WORST : " + std::to_string(d),
         Json{{"claim", id},
              {"rule", "WORST"},
              {"level", "PROVED"},
              {"statement",
               "|bias + <weights, y>| is at most atMost on the deployed output y of every "
               "input of the region"},
              {"readout", readouts.digest.hex()},
              {"region", region.digest.hex()},
              {"regionKind", region.name()},
              {"index", i},
              {"constant", constant},
              {"moves", reach},
              {"atMost", most}}});
  }
  return out;
}

}  // namespace assay::erase
