#include <algorithm>
#include <cmath>

#include "assay/base/text.hpp"
#include "claim_lines.hpp"

namespace assay::erase {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kRoom = 1.0 + 0x1p-40;  ///< above what double makes of exact sums

/// |Cov(y, z)|_F, y = Y 2^-bits, from exact sums.
double covariance_norm(const GridRows& rows, int bits) {
  const auto n = static_cast<long double>(rows.n());
  std::vector<std::int64_t> s(rows.d), h(rows.d * rows.labels);
  std::vector<std::int64_t> ones(rows.labels);
  for (std::size_t i = 0; i < rows.n(); ++i) {
    for (std::size_t c = 0; c < rows.labels; ++c) {
      ones[c] += rows.z[i * rows.labels + c];
    }
    for (std::size_t j = 0; j < rows.d; ++j) {
      s[j] += rows.y[i * rows.d + j];
      for (std::size_t c = 0; c < rows.labels; ++c) {
        h[j * rows.labels + c] += rows.z[i * rows.labels + c] != 0 ? rows.y[i * rows.d + j] : 0;
      }
    }
  }
  long double squares = 0;
  __extension__ using Wide = __int128;
  for (std::size_t j = 0; j < rows.d; ++j) {
    for (std::size_t c = 0; c < rows.labels; ++c) {
      const Wide b =
          static_cast<Wide>(rows.n()) * h[j * rows.labels + c] - static_cast<Wide>(ones[c]) * s[j];
      const long double covariance = static_cast<long double>(b) / (n * n);
      squares += covariance * covariance;
    }
  }
  return std::ldexp(static_cast<double>(std::sqrt(squares)), -bits);
}

struct Form {
  const char* loss;
  const char* form;
  const char* size;
};

const char* statement_of(const std::string& form) {
  return form == "norm" ? "no affine predictor with weights of norm `size` has a mean loss on "
                          "these rows that is "
                          "below the best constant's by more than maxGain; proportional to the norm"
         : form == "ridge"
             ? "the same for any weights, the loss with size/2 times their squared norm added"
         : form == "spread"
             ? "the same for any weights whose outputs have standard deviation `size` on these "
               "rows "
               "(of several outputs: the root of their variances' sum); proportional to it"
             : "the same for any affine predictor";
}

}  // namespace

std::vector<ClaimLines> advantage_claims(const GridRows& rows, int grid_bits,
                                         const Residual& residual, const std::string& residual_id,
                                         const std::string& data) {
  const bool several = rows.labels > 1;
  if (several && independent_labels(rows) == rows.labels) {
    return {};  // labels that are not classes have no one loss
  }
  const std::vector<Form> forms =
      several ? std::vector<Form>{{"softmax", "norm", "1"},
                                  {"softmax", "ridge", "1/100"},
                                  {"softmax", "spread", "1"}}
              : std::vector<Form>{{"log", "norm", "1"},     {"log", "ridge", "1/100"},
                                  {"log", "spread", "1"},   {"hinge", "norm", "1"},
                                  {"hinge", "spread", "1"}, {"square", "norm", "1"},
                                  {"square", "free", "1"}};
  const auto n = static_cast<double>(rows.n());
  const double norm = covariance_norm(rows, grid_bits);
  double variances = 0;
  for (const std::size_t ones : residual.ones) {
    const double p = static_cast<double>(ones) / n;
    variances += p * (1.0 - p);
  }
  const double p = static_cast<double>(residual.ones[0]) / n;
  std::vector<ClaimLines> out;
  for (const auto& [loss, form, size_text] : forms) {
    const std::string name = loss, how = form;
    const double slope = name == "hinge"    ? 1.0 / std::max(p, 1.0 - p)
                         : name == "square" ? 2.0
                                            : 1.0;
    const double size = parse_rational(size_text).nearest();
    const double spread = variances * residual.tau.nearest();
    const double gain = how == "norm"     ? slope * size * norm
                        : how == "ridge"  ? slope * slope * norm * norm / (2.0 * size)
                        : how == "spread" ? slope * size * std::sqrt(spread)
                                          : spread;
    const std::string most = fraction_above(gain * kRoom).text();
    const std::string id = "gain-" + name + "-" + how;
    const bool through = how == "spread" || how == "free";
    out.push_back({"advantage " + id + " " + data + " loss " + name + " form " + how + " size " +
                       size_text + " max-gain " + most,
                   id + " ADVANTAGE " + (through ? residual_id + " " : "") + ": " +
                       std::to_string(rows.n()) + " " + most,
                   Json{{"claim", id},
                        {"rule", "ADVANTAGE"},
                        {"theorem", "T4"},
                        {"level", "OBSERVED"},
                        {"statement", statement_of(how)},
                        {"exact", true},
                        {"loss", name},
                        {"form", how},
                        {"size", size_text},
                        {"maxGain", most}}});
    if (!through) {
      out.back().json["covarianceNorm"] = norm;
    }
  }
  return out;
}

}  // namespace assay::erase
