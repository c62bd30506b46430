#include "assay/erase/population.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>

#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/erase/moments.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kBlock = 512;  ///< pairs at a time
constexpr std::size_t kMostUnits = 10'000'000, kMostUnitRows = 65'536;

/// An upper bound on the largest eigenvalue that dominance can show, or the trace where it is no worse.
double shown_eigenvalue(const Eigen::MatrixXd& mean, double trace, double largest) {
  const double by_trace = trace * (1.0 + 0x1p-20) + largest * largest * 0x1p-25;
  if (mean.size() == 0) {
    return by_trace;
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(mean, Eigen::EigenvaluesOnly);
  const double top = solver.eigenvalues().maxCoeff();
  return std::min(by_trace, top * (1.0 + 0x1p-7) + largest * largest * 0x1p-25);
}

}  // namespace

/// Sum of z phi and of phi over a unit's rows.
struct Population::Sums {
  Eigen::VectorXd with, all;
  double n = 0, ones = 0;
};

Population::Population(const GridRows& rows, const std::vector<std::int64_t>& documents)
    : rows_(rows), by_document_(!documents.empty()) {
  require(documents.empty() || documents.size() == rows.n(), "Population: a document for each row");
  order_units(documents);
  first_ = std::max<std::size_t>(units() / 8, 1);
  if ((units() - first_) / 2 < 4) {
    throw Refusal("too few independent " + std::string(by_document_ ? "documents" : "rows") +
                  " for a bound on a population: " + std::to_string(units()));
  }
  fix_scales();
  for (std::size_t row = 0; row < rows_.n(); ++row) {
    beyond_ += square(row) > limit_ ? 1 : 0;
  }
}

void Population::order_units(const std::vector<std::int64_t>& documents) {
  std::vector<std::vector<std::size_t>> found;
  std::map<std::int64_t, std::size_t> known;
  for (std::size_t row = 0; row < rows_.n(); ++row) {
    std::size_t at = found.size();
    if (by_document_) {
      at = known.emplace(documents[row], at).first->second;
    }
    if (at == found.size()) {
      found.emplace_back();
    }
    found[at].push_back(row);
  }
  if (found.size() > kMostUnits) {
    throw Refusal("more than 10^7 documents or independent rows");
  }
  std::vector<std::pair<std::string, std::size_t>> keys;
  for (std::size_t u = 0; u < found.size(); ++u) {
    if (found[u].size() > kMostUnitRows) {
      throw Refusal("a document of more than 65536 rows");
    }
    keys.emplace_back(sha256("assay " + std::to_string(u)).hex(), u);
  }
  std::sort(keys.begin(), keys.end());
  for (const auto& [key, u] : keys) {
    order_.push_back(std::move(found[u]));
  }
}

void Population::fix_scales() {
  const std::size_t d = rows_.d;
  std::vector<std::size_t> at;
  for (std::size_t u = 0; u < first_; ++u) {
    at.insert(at.end(), order_[u].begin(), order_[u].end());
  }
  const auto n = static_cast<std::int64_t>(at.size());
  centre_.assign(d, 0);
  for (const std::size_t row : at) {
    for (std::size_t j = 0; j < d; ++j) {
      centre_[j] += rows_.y[row * d + j];
    }
  }
  __extension__ using Wide = __int128;
  std::vector<Wide> squares(d);
  for (std::size_t j = 0; j < d; ++j) {
    centre_[j] /= n;
    for (const std::size_t row : at) {
      const Wide off = rows_.y[row * d + j] - centre_[j];
      squares[j] += off * off;
    }
    int e = 0;
    while (squares[j] > static_cast<Wide>(n) << (2 * e)) {
      ++e;
    }
    scale_.push_back(e);
  }
  for (const std::size_t row : at) {
    limit_ = std::max(limit_, 2.0 * square(row));
  }
  if (!(limit_ > 0)) {
    throw Refusal("the deployed outputs of the first eighth of the units are all the same");
  }
  largest_ = std::sqrt(limit_) * (1.0 + 0x1p-50);
}

/// Exact but for rows at the very limit, where the sum of squares may round.
double Population::square(std::size_t row) const {
  double sum = 0;
  for (std::size_t j = 0; j < rows_.d; ++j) {
    const double off =
        std::ldexp(static_cast<double>(rows_.y[row * rows_.d + j] - centre_[j]), -scale_[j]);
    sum += off * off;
  }
  return sum;
}

Population::Sums Population::sums(std::size_t unit, std::size_t label, Products products) const {
  const auto d = static_cast<Eigen::Index>(rows_.d);
  const bool quadratic = products == Products::quadratic;
  const Eigen::Index m = quadratic ? d * d : d;
  Sums out{Eigen::VectorXd::Zero(m), Eigen::VectorXd::Zero(m), 0, 0};
  Eigen::VectorXd y(d);
  for (const std::size_t row : order_[unit]) {
    const double z = rows_.z[row * rows_.labels + label];
    out.n += 1;
    out.ones += z;
    if (square(row) > limit_) {
      continue;
    }
    for (Eigen::Index j = 0; j < d; ++j) {
      const auto at = static_cast<std::size_t>(j);
      y(j) =
          std::ldexp(static_cast<double>(rows_.y[row * rows_.d + at] - centre_[at]), -scale_[at]);
    }
    if (quadratic) {
      const Eigen::MatrixXd outer = y * y.transpose();
      const Eigen::Map<const Eigen::VectorXd> phi(outer.data(), m);
      out.all += phi;
      out.with += z * phi;
    } else {
      out.all += y;
      out.with += z * y;
    }
  }
  return out;
}

PairFigures Population::figures(std::size_t label, Products products) const {
  const bool quadratic = products == Products::quadratic;
  require(!quadratic || rows_.d <= kMaxQuadratic, "Population: too wide for products");
  PairFigures out;
  const std::size_t pairs = (units() - first_) / 2;
  out.a = pairs / 2;
  out.b = pairs - out.a;
  out.largest = quadratic ? largest_ * largest_ : largest_;
  const auto m = static_cast<Eigen::Index>(quadratic ? rows_.d * rows_.d : rows_.d);
  const auto block = [&](std::size_t begin, std::size_t end) {
    Eigen::MatrixXd v(m, static_cast<Eigen::Index>(end - begin));
    for (std::size_t i = begin; i < end; ++i) {
      const Sums s = sums(first_ + 2 * i, label, products),
                 t = sums(first_ + 2 * i + 1, label, products);
      v.col(static_cast<Eigen::Index>(i - begin)) =
          0.5 * (s.with / s.n + t.with / t.n - s.all * (t.ones / (s.n * t.n)) -
                 t.all * (s.ones / (s.n * t.n)));
    }
    return v;
  };
  const std::size_t step = quadratic ? 16 : kBlock;
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(m);
  Eigen::MatrixXd square = quadratic ? Eigen::MatrixXd() : Eigen::MatrixXd::Zero(m, m).eval();
  double trace = 0;
  for (std::size_t i = 0; i < out.a; i += step) {
    const Eigen::MatrixXd v = block(i, std::min(i + step, out.a));
    mean += v.rowwise().sum();
    trace += v.squaredNorm();
    if (!quadratic) {
      square.selfadjointView<Eigen::Lower>().rankUpdate(v);
    }
  }
  const auto na = static_cast<double>(out.a);
  mean /= na;
  out.norm = mean.norm();
  out.lambda = shown_eigenvalue(square / na, trace / na, out.largest);
  for (std::size_t i = out.a; i < pairs; i += step) {
    const Eigen::VectorXd x = block(i, std::min(i + step, pairs)).transpose() * mean;
    out.along += x.sum();
    out.square_along += x.squaredNorm();
  }
  out.along /= static_cast<double>(out.b);
  out.square_along /= static_cast<double>(out.b);
  return out;
}

}  // namespace assay::erase
