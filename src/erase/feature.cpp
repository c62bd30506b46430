#include "assay/erase/feature.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/model/forward.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kMaxFeatures = 64;
constexpr double kLeastMargin = 0x1p-6;
constexpr double kIndependent = 1e-6;  ///< least over largest singular value of the encoder columns

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

double offset_of(const Sae& sae, std::size_t f) {
  double beta = static_cast<double>(sae.b_enc.data[f]);
  for (std::size_t i = 0; i < sae.d_in && sae.apply_b_dec_to_input; ++i) {
    beta -= static_cast<double>(sae.b_dec.data[i]) * static_cast<double>(sae.W_enc.at(i, f));
  }
  return beta;
}

void check_features(const Sae& sae, const std::vector<std::size_t>& features) {
  if (sae.is_top_k()) {
    throw UsageError("feature: a topk dictionary's features have no threshold of their own");
  }
  if (features.empty() || features.size() > std::min(kMaxFeatures, sae.d_in)) {
    throw UsageError("feature: expected 1 to " + std::to_string(std::min(kMaxFeatures, sae.d_in)) +
                     " of them, found " + std::to_string(features.size()));
  }
  std::set<std::size_t> seen;
  for (const std::size_t f : features) {
    if (f >= sae.d_sae || !seen.insert(f).second) {
      throw UsageError("feature: expected different indices below " + std::to_string(sae.d_sae) +
                       ", found " + std::to_string(f));
    }
  }
}

}  // namespace

FeatureProjection project_features(const Sae& sae, const std::vector<std::size_t>& features,
                                   const std::vector<double>& centre, int grid_bits) {
  check_features(sae, features);
  require(centre.size() == sae.d_in, "project_features: a centre of another width");
  const auto r = static_cast<Eigen::Index>(features.size()),
             d = static_cast<Eigen::Index>(sae.d_in);
  RowMatrix right(r, d);
  Eigen::VectorXd missing(r);
  FeatureProjection out;
  out.features = features;
  const Eigen::Map<const Eigen::VectorXd> middle(centre.data(), d);
  for (Eigen::Index k = 0; k < r; ++k) {
    const std::size_t f = features[static_cast<std::size_t>(k)];
    for (Eigen::Index i = 0; i < d; ++i) {
      right(k, i) = static_cast<double>(sae.W_enc.at(static_cast<std::size_t>(i), f));
    }
    const double theta = static_cast<double>(sae.threshold.data[f]);
    const double rounding = right.row(k).cwiseAbs().sum() * std::ldexp(1.0, -grid_bits);
    const double most = theta - std::max(kLeastMargin, 2.0 * rounding);
    const double at_centre = right.row(k).dot(middle) + offset_of(sae, f);
    out.thresholds.push_back(theta);
    out.constants.push_back(std::min(at_centre, most));
    missing(k) = out.constants.back() - at_centre;
  }
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(right, Eigen::ComputeThinU | Eigen::ComputeThinV);
  if (!(svd.singularValues()(r - 1) > kIndependent * svd.singularValues()(0))) {
    throw Refusal("the encoder columns of the features depend on each other: leave one out");
  }
  const Eigen::MatrixXd left = svd.solve(Eigen::MatrixXd::Identity(r, r));  // [d,r]
  const Eigen::VectorXd mu = middle + left * missing;
  Eraser& e = out.eraser;
  e.hook = sae.hook_name;
  e.grid_bits = grid_bits;
  e.method = name_of(Method::orth);
  e.rank = features.size();
  e.proj_right.assign(right.data(), right.data() + right.size());
  for (Eigen::Index i = 0; i < d; ++i) {
    for (Eigen::Index k = 0; k < r; ++k) {
      e.proj_left.push_back(left(i, k));
    }
  }
  e.bias.assign(mu.data(), mu.data() + d);
  return out;
}

std::optional<Rational> site_range(const Transformer& m) {
  if (m.config.norm != NormKind::none) {
    return std::nullopt;
  }
  const std::size_t d = m.config.d_model, H = m.config.n_heads, dh = m.config.d_head;
  const std::size_t places = m.config.positions == PosKind::standard ? m.config.n_ctx : 1;
  std::vector<double> lo(d, 0.0), hi(d, 0.0);
  for (std::size_t h = 0; h <= H; ++h) {
    std::vector<double> least(d, INFINITY), most(d, -INFINITY);
    for (std::size_t p = 0; p < places; ++p) {
      for (std::size_t t = 0; t < m.config.d_vocab; ++t) {
        std::vector<double> x(d), v(dh, 0.0);
        for (std::size_t i = 0; i < d; ++i) {
          x[i] = static_cast<double>(m.W_E.at(t, i)) +
                 (m.W_pos.data.empty() ? 0.0 : static_cast<double>(m.W_pos.at(p, i)));
        }
        if (h < H) {
          for (std::size_t j = 0; j < dh; ++j) {
            v[j] = m.b_V.data.empty() ? 0.0 : static_cast<double>(m.b_V.at(h, j));
            for (std::size_t i = 0; i < d; ++i) {
              v[j] += x[i] * static_cast<double>(m.W_V.at(h, i, j));
            }
          }
          for (std::size_t i = 0; i < d; ++i) {
            x[i] = 0.0;
            for (std::size_t j = 0; j < dh; ++j) {
              x[i] += v[j] * static_cast<double>(m.W_O.at(h, j, i));
            }
          }
        }
        for (std::size_t i = 0; i < d; ++i) {
          least[i] = std::min(least[i], x[i]);
          most[i] = std::max(most[i], x[i]);
        }
      }
    }
    for (std::size_t i = 0; i < d; ++i) {
      lo[i] += least[i];
      hi[i] += most[i];
    }
  }
  double largest = 0.0;
  for (std::size_t i = 0; i < d; ++i) {
    const double b = m.b_O.data.empty() ? 0.0 : static_cast<double>(m.b_O.data[i]);
    largest = std::max({largest, hi[i] + b, -(lo[i] + b)});
  }
  return Rational{static_cast<std::int64_t>(std::ceil(largest * 1024 * (1 + 1e-6))) + 1, 1024};
}

double deployed_bound(const Sae& sae, const Eraser& e, std::size_t feature, double range) {
  const std::size_t d = e.d();
  const double eps = static_cast<double>(d + 9) * 0x1p-52 * 1.001;
  const double eps_r = static_cast<double>(e.rank + 10) * 0x1p-52 * 1.001;
  std::vector<double> w(d), reach(d), moved(d, 0.0);
  double pre = offset_of(sae, feature);
  for (std::size_t i = 0; i < d; ++i) {
    w[i] = static_cast<double>(sae.W_enc.at(i, feature));
    reach[i] = range + std::fabs(e.bias[i]);
    pre += w[i] * e.bias[i];
  }
  std::vector<double> v = w;
  for (std::size_t k = 0; k < e.rank; ++k) {
    double along = 0.0, most = 0.0;
    for (std::size_t i = 0; i < d; ++i) {
      along += w[i] * e.proj_left[i * e.rank + k];
      most += std::fabs(e.proj_right[k * d + i]) * reach[i];
    }
    pre += std::fabs(along) * eps * most;
    for (std::size_t i = 0; i < d; ++i) {
      v[i] -= along * e.proj_right[k * d + i];
      moved[i] += std::fabs(e.proj_left[i * e.rank + k]) * most;
    }
  }
  for (std::size_t i = 0; i < d; ++i) {
    pre += std::fabs(v[i]) * reach[i] +
           std::fabs(w[i]) * (std::ldexp(0.5, -e.grid_bits) + eps_r * (range + moved[i]));
  }
  return pre + 1e-9 * (1.0 + std::fabs(pre));
}

void InsideClaims::unread(const std::string& id, const std::string& hook,
                          const std::vector<std::size_t>& coordinates) {
  lines.emplace_back("unread " + id + " hook " + hook, id + " UNREAD :");
  for (const std::size_t u : coordinates) {
    lines.back().second += " " + std::to_string(u);
  }
}

void InsideClaims::site_range(const std::string& id, const Rational& at_most) {
  lines.emplace_back("site-range " + id + " at-most " + at_most.text(), id + " SITE-RANGE :");
}

void InsideClaims::never_fires(const std::string& id, std::size_t feature,
                               const std::optional<Rational>& range) {
  const std::string words = id + " feature " + std::to_string(feature);
  if (range) {
    lines.emplace_back("never-fires " + words + " range " + range->text(), id + " NEVER-FIRES :");
  } else {
    lines.emplace_back("never-fires-real " + words, id + " NEVER-FIRES-REAL :");
  }
}

std::pair<std::string, std::string> inside_certificate(
    const InsideClaims& claims, const std::vector<const ResidualClaim*>& residuals,
    const std::pair<Digest, Digest>& model, const std::optional<std::pair<Digest, Digest>>& sae,
    const Digest& eraser_config, const Digest& eraser_weights) {
  std::string request = "assay-request 1\n", steps;
  for (const auto& [line, step] : claims.lines) {
    request += line + "\n";
    steps += step + "\n";
  }
  const std::string before = request_text(residuals);
  const std::string head = "assay-request 1\n";
  request += before.substr(head.size());
  std::string text = "assay-cert 1\nkind erasure\nsemantics DEPLOYED\nmodel " + model.first.hex() +
                     " " + model.second.hex() + "\n";
  if (sae) {
    text += "sae " + sae->first.hex() + " " + sae->second.hex() + "\n";
  }
  text += "eraser " + eraser_config.hex() + " " + eraser_weights.hex() + "\nstatement " +
          sha256(request).hex() + "\n" + steps + residual_steps(residuals) + "end " +
          std::to_string(claims.lines.size() + residuals.size()) + "\n";
  return {request, text};
}

}  // namespace assay::erase
