#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>

#include "assay/base/errors.hpp"
#include "assay/bounds/site.hpp"

namespace assay::bounds {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

/// l_y = constant_y + <h_y, s> on the ball |s| <= R, h centred for LayerNorm. Nearest doubles:
/// the search may be wrong, its answers are checked.
struct ArgmaxSearch::Logits {
  Rows h;
  Vector constant;
  double R = 0;

  explicit Logits(const NormalisedSite& site)
      : h(site.vocabulary(), site.d_model),
        constant(site.vocabulary()),
        R(std::sqrt(static_cast<double>(site.d_model))) {
    for (Eigen::Index y = 0; y < h.rows(); ++y) {
      const auto token = static_cast<std::size_t>(y);
      constant[y] = static_cast<double>(site.b_U.data[token]);
      for (std::size_t i = 0; i < site.d_model; ++i) {
        const auto g = static_cast<double>(site.W_U.at(i, token));
        h(y, static_cast<Eigen::Index>(i)) = static_cast<double>(site.w[i]) * g;
        constant[y] += static_cast<double>(site.b[i]) * g;
      }
    }
    if (site.norm == SiteNorm::layer_norm) {
      h.colwise() -= Vector(h.rowwise().mean());
    }
  }
};

namespace {

/// A mixture ω of rivals of u: v = h_u - Σ ω h_y, gap = Σ ω constant_y - constant_u.
/// F(ω) = gap - R |v| <= what the mixture leads u by, everywhere on the ball; concave in ω.
struct Mixture {
  std::map<Eigen::Index, double> weights;
  Vector v;
  double gap = 0;
};

/// argmax over t in [0, most] of t dgap - R sqrt(|v + t dv|^2 + mu^2), by golden sections.
double best_step(const Vector& v, const Vector& dv, double dgap, double R, double mu, double most) {
  const double vv = v.squaredNorm() + mu * mu, vd = v.dot(dv), dd = dv.squaredNorm();
  const auto value = [&](double t) {
    return t * dgap - R * std::sqrt(std::max(0.0, vv + 2 * t * vd + t * t * dd));
  };
  constexpr double kGolden = 0.6180339887498949;
  double lo = 0, hi = most;
  for (int i = 0; i < 60; ++i) {
    const double left = hi - kGolden * (hi - lo), right = lo + kGolden * (hi - lo);
    (value(left) < value(right) ? lo : hi) = value(left) < value(right) ? left : right;
  }
  return value(most) >= value((lo + hi) / 2) ? most : (lo + hi) / 2;
}

/// The same weights in multiples of 2^-40, what is left over given to the largest.
std::vector<Share> shares_of(const Mixture& mixture) {
  std::vector<Share> shares;
  double total = 0;
  for (const auto& [token, weight] : mixture.weights) {
    total += weight;
  }
  std::uint64_t sum = 0;
  for (const auto& [token, weight] : mixture.weights) {
    const double parts =
        std::floor(weight / total * static_cast<double>(kMixtureParts) * (1 - 0x1p-50));
    if (parts >= 1) {
      shares.push_back({static_cast<std::uint32_t>(token), static_cast<std::uint64_t>(parts)});
      sum += shares.back().parts;
    }
  }
  const auto largest =
      std::max_element(shares.begin(), shares.end(),
                       [](const Share& a, const Share& b) { return a.parts < b.parts; });
  if (largest != shares.end() && sum <= kMixtureParts) {
    largest->parts += kMixtureParts - sum;
  }
  return shares;
}

/// Largest rival of u among the logits.
Eigen::Index rival(Vector& logits, Eigen::Index u) {
  logits[u] = -std::numeric_limits<double>::infinity();
  Eigen::Index best = 0;
  logits.maxCoeff(&best);
  return best;
}

}  // namespace

ArgmaxSearch::ArgmaxSearch(const NormalisedSite& site) : site_(site) {
  if (site.vocabulary() < 2) {
    throw InputError(site.name, "never-argmax", "the logits of at least two tokens",
                     std::to_string(site.vocabulary()));
  }
  logits_ = std::make_unique<Logits>(site);
}

ArgmaxSearch::~ArgmaxSearch() = default;

/// Pairwise Frank–Wolfe on F, smoothed: |v| becomes sqrt(|v|^2 + mu^2), mu falling, so that the
/// gradient s = R v / sqrt(|v|^2 + mu^2) is a point of the ball. Where u leads at such a point
/// no mixture exists, and where F reaches half of what s still allows the mixture is kept.
std::optional<NeverArgmax> ArgmaxSearch::search(std::uint32_t token, std::size_t steps) const {
  const Logits& l = *logits_;
  const auto u = static_cast<Eigen::Index>(token);
  require(u < l.h.rows(), "ArgmaxSearch: the token is not in the vocabulary");
  const Vector own = l.h.row(u);
  Vector logits = l.constant;
  if (own.norm() > 0) {
    logits += l.h * (own * (l.R / own.norm()));
  }
  const double lead = logits[u];
  const Eigen::Index first = rival(logits, u);
  if (!(logits[first] > lead)) {
    return std::nullopt;
  }
  Mixture m{{{first, 1.0}}, own - l.h.row(first).transpose(), l.constant[first] - l.constant[u]};
  const double scale = m.v.norm();
  double mu = scale / 2;
  for (std::size_t step = 0; step < steps; ++step) {
    const double size = std::sqrt(m.v.squaredNorm() + mu * mu);
    logits = l.constant;
    if (size > 0) {
      logits += l.h * (m.v * (l.R / size));
    }
    const double at_u = logits[u];
    const Eigen::Index best = rival(logits, u);
    const double still = logits[best] - at_u;
    if (!(still > 0)) {
      return std::nullopt;
    }
    if (m.gap - l.R * m.v.norm() >= still / 2) {
      break;
    }
    const auto worst = std::min_element(
        m.weights.begin(), m.weights.end(),
        [&](const auto& a, const auto& b) { return logits[a.first] < logits[b.first]; });
    const double slack = logits[best] - logits[worst->first];
    if (worst->first == best || slack <= l.R * mu / 4) {
      mu /= 4;
      if (mu < scale * 1e-12 && worst->first == best) {
        break;
      }
      if (worst->first == best) {
        continue;
      }
    }
    const Vector dv = l.h.row(worst->first) - l.h.row(best);
    const double dgap = l.constant[best] - l.constant[worst->first];
    const double most = worst->second;
    const double t = best_step(m.v, dv, dgap, l.R, mu, most);
    m.v += t * dv;
    m.gap += t * dgap;
    m.weights[best] += t;
    worst->second -= t;
    if (t >= most) {
      m.weights.erase(worst);
    }
  }
  const std::vector<Share> shares = shares_of(m);
  const double hi = shares.empty() ? 0.0 : mixture_lead(site_, token, shares);
  return hi < 0 ? std::optional(NeverArgmax{token, shares, -hi}) : std::nullopt;
}

}  // namespace assay::bounds
