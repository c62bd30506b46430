#include "assay/bounds/site.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::bounds {
namespace {

Interval exact(float x) {
  return Interval(static_cast<double>(x));
}

void check_token(const NormalisedSite& site, std::uint32_t token, const char* field) {
  if (site.vocabulary() == 0) {
    throw InputError(site.name, field, "the site ln_final, which the logits read", "another site");
  }
  if (token >= site.vocabulary()) {
    throw InputError("model", field, "a token id below " + std::to_string(site.vocabulary()),
                     std::to_string(token));
  }
}

void check_width(const NormalisedSite& site, std::size_t width, const char* field) {
  if (width != site.d_model) {
    throw InputError(site.name, field, "d_model = " + std::to_string(site.d_model) + " numbers",
                     std::to_string(width));
  }
}

/// The largest |x| of an interval; NaN when an end is.
double magnitude(Interval x) {
  return std::isnan(x.lo) || std::isnan(x.hi) ? std::numeric_limits<double>::quiet_NaN()
                                              : std::max(std::fabs(x.lo), std::fabs(x.hi));
}

}  // namespace

std::vector<std::string> site_hooks(const NormalisedSite& site) {
  std::vector<std::string> hooks = {site.name};
  if (site.norm == SiteNorm::layer_norm || !site.affine) {
    hooks.push_back(site.name + ".hook_normalized");
  }
  return hooks;
}

Reading logit_reading(const NormalisedSite& site, std::uint32_t token) {
  check_token(site, token, "logit");
  const std::string words = "logit " + std::to_string(token);
  Reading r{words, {}, exact(site.b_U.data[token]), words};
  for (std::size_t i = 0; i < site.d_model; ++i) {
    r.weights.push_back(exact(site.W_U.at(i, token)));
  }
  return r;
}

Reading difference_reading(const NormalisedSite& site, std::uint32_t token, std::uint32_t other) {
  check_token(site, other, "minus");
  Reading r = logit_reading(site, token);
  if (other == token) {
    throw InputError("request", "minus", "another token", std::to_string(token) + " itself");
  }
  r.text += " minus logit " + std::to_string(other);
  r.words = "logit-difference " + std::to_string(token) + " " + std::to_string(other);
  r.constant = r.constant - exact(site.b_U.data[other]);
  for (std::size_t i = 0; i < site.d_model; ++i) {
    r.weights[i] = r.weights[i] - exact(site.W_U.at(i, other));
  }
  return r;
}

Reading feature_reading(const NormalisedSite& site, const Sae& sae, std::uint32_t feature) {
  const std::vector<std::string> hooks = site_hooks(site);
  if (std::find(hooks.begin(), hooks.end(), sae.hook_name) == hooks.end()) {
    throw InputError("cfg.json", "metadata.hook_name", hooks.back(), visible(sae.hook_name));
  }
  check_width(site, sae.d_in, "d_in");
  if (feature >= sae.d_sae) {
    throw InputError("cfg.json", "feature", "an index below " + std::to_string(sae.d_sae),
                     std::to_string(feature));
  }
  const std::string words = "feature " + std::to_string(feature);
  Reading r{words, {}, exact(sae.b_enc.data[feature]), words};
  for (std::size_t i = 0; i < sae.d_in; ++i) {
    r.weights.push_back(exact(sae.W_enc.at(i, feature)));
    if (sae.apply_b_dec_to_input) {
      r.constant = r.constant - exact(sae.b_dec.data[i]) * r.weights.back();
    }
  }
  return r;
}

Reading readout_reading(const NormalisedSite& site, const Readout& readout) {
  const std::vector<std::string> hooks = site_hooks(site);
  if (std::find(hooks.begin(), hooks.end(), readout.hook) == hooks.end()) {
    throw InputError("readout", "hook", hooks.back(), visible(readout.hook));
  }
  check_width(site, readout.weights.size(), "weights");
  Reading r{"readout", {}, Interval(readout.bias), "readout R1", readout.digest};
  for (const double weight : readout.weights) {
    r.weights.emplace_back(weight);
  }
  return r;
}

SiteBound sphere_bound(const NormalisedSite& site, const Reading& reading) {
  check_width(site, reading.weights.size(), "weights");
  const auto d = static_cast<double>(site.d_model);
  SiteBound bound;
  bound.constant = reading.constant;
  std::vector<Interval> h(site.d_model);
  double sum = 0, size = magnitude(reading.constant);
  for (std::size_t i = 0; i < site.d_model; ++i) {
    h[i] = exact(site.w[i]) * reading.weights[i];
    sum += h[i].lo / 2 + h[i].hi / 2;
    const Interval offset = exact(site.b[i]) * reading.weights[i];
    bound.constant += offset;
    size += magnitude(offset) + std::sqrt(d) * magnitude(h[i]);
  }
  const double shift = site.norm == SiteNorm::layer_norm ? sum / d : 0;
  Interval squares;
  for (const Interval& x : h) {
    const double most = shift == 0 ? magnitude(x) : magnitude(x - Interval(shift));
    squares += Interval(most) * Interval(most);
  }
  const Interval room(size * (d + 32) * 0x1p-50);
  bound.radius = (sqrt(Interval(d) * Interval(squares.hi)) + room).hi;
  bound.lo = (Interval(bound.constant.lo) - Interval(bound.radius)).lo;
  bound.hi = (Interval(bound.constant.hi) + Interval(bound.radius)).hi;
  if (!std::isfinite(bound.lo) || !std::isfinite(bound.hi) || !std::isfinite(bound.radius)) {
    throw InputError(site.name, reading.text, "a bound within the range of a double",
                     "an overflow");
  }
  return bound;
}

double mixture_lead(const NormalisedSite& site, std::uint32_t token,
                    const std::vector<Share>& mixture) {
  Reading r = logit_reading(site, token);
  std::uint64_t left = kMixtureParts;
  for (std::size_t k = 0; k < mixture.size(); ++k) {
    const Share& share = mixture[k];
    check_token(site, share.token, "mixture");
    if (share.token == token || share.parts == 0 || share.parts > left ||
        (k > 0 && share.token <= mixture[k - 1].token)) {
      throw InputError("mixture", "share " + std::to_string(k),
                       "other tokens, ascending, with positive parts that sum to 2^40",
                       "token " + std::to_string(share.token) + " with " +
                           std::to_string(share.parts) + " parts");
    }
    left -= share.parts;
    // At most 2^40 parts: both the conversion and the power of two are exact.
    const Interval weight(std::ldexp(static_cast<double>(share.parts), -40));
    r.constant = r.constant - weight * exact(site.b_U.data[share.token]);
    for (std::size_t i = 0; i < site.d_model; ++i) {
      r.weights[i] = r.weights[i] - weight * exact(site.W_U.at(i, share.token));
    }
  }
  if (left != 0) {
    throw InputError("mixture", "parts", "a sum of 2^40", std::to_string(left) + " too few");
  }
  return sphere_bound(site, r).hi;
}

}  // namespace assay::bounds
