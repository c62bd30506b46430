#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/model/normalised_site.hpp"
#include "assay/model/readout.hpp"
#include "assay/model/sae.hpp"
#include "assay/num/interval.hpp"

namespace assay::bounds {

/// <weights, x> + constant of a site's output x, for some reals in these intervals.
struct Reading {
  std::string text;
  std::vector<Interval> weights;  ///< [d_model]
  Interval constant;
  std::string words = {};              ///< QUANTITY of docs/certificate-format.md; a readout is R1
  std::optional<Digest> readout = {};  ///< of its file
};

/// Each throws InputError naming the field when an index is out of range, the widths differ or
/// the hook is not the site's (`site_hooks`).
[[nodiscard]] Reading logit_reading(const NormalisedSite& site, std::uint32_t token);
[[nodiscard]] Reading difference_reading(const NormalisedSite& site, std::uint32_t token,
                                         std::uint32_t other);
[[nodiscard]] Reading feature_reading(const NormalisedSite& site, const Sae& sae,
                                      std::uint32_t feature);
[[nodiscard]] Reading readout_reading(const NormalisedSite& site, const Readout& readout);

/// Names of the site's output x = w ∘ s + b: NAME, and NAME.hook_normalized unless the norm is
/// RMSNorm with a w (TransformerLens has that hook before w).
[[nodiscard]] std::vector<std::string> site_hooks(const NormalisedSite& site);

/// What a reading can be over every input of the model, at any depth.
struct SiteBound {
  Interval constant;  ///< <weights, b> + constant
  double radius = 0;  ///< >= sqrt(d) |h|
  double lo = 0;
  double hi = 0;

  /// NULLIFIED  hi - lo <= tolerance  |-  the reading is one number, to within the tolerance
  [[nodiscard]] bool is_nullified(double tolerance) const { return round_up(hi - lo) <= tolerance; }
};

/// SITE-SPHERE  x = w ∘ s + b, |s| <= sqrt(d), <1,s> = 0 (LayerNorm), h = w ∘ g - t 1 with any
///              real t (LayerNorm) or t = 0 (RMSNorm)
///              |-  |<g,x> + c - (<g,b> + c)| <= sqrt(d) |h|
/// Outward rounded, with room ((d + 32) 2^-50 of the summed sizes) for a checker whose enclosures are wider; t
/// is the mean of w ∘ g as computed. Throws InputError when an end is not finite.
[[nodiscard]] SiteBound sphere_bound(const NormalisedSite& site, const Reading& reading);

/// Weights of a mixture are multiples of 2^-40.
inline constexpr std::uint64_t kMixtureParts = std::uint64_t{1} << 40U;

struct Share {
  std::uint32_t token = 0;
  std::uint64_t parts = 0;  ///< weight parts / 2^40
};

/// A token that no input makes argmax: l_token <= Σ weight_y l_y - margin < max l, always.
struct NeverArgmax {
  std::uint32_t token = 0;
  std::vector<Share> mixture;  ///< other tokens, ascending; the parts sum to 2^40
  double margin = 0;           ///< > 0
};

/// NEVER-ARGMAX  ω >= 0, Σ ω = 1, SITE-SPHERE gives l_u - Σ ω_y l_y <= hi < 0
///               |-  no input makes u argmax, ties included
/// Returns hi. Throws InputError unless the mixture is one (see NeverArgmax).
[[nodiscard]] double mixture_lead(const NormalisedSite& site, std::uint32_t token,
                                  const std::vector<Share>& mixture);

/// Looks for mixtures in floating point; what it returns has passed `mixture_lead`.
class ArgmaxSearch {
 public:
  /// Keeps a reference to the site, which must outlive this. Throws InputError on a site without
  /// logits or with fewer than two tokens.
  explicit ArgmaxSearch(const NormalisedSite& site);
  ~ArgmaxSearch();
  ArgmaxSearch(const ArgmaxSearch&) = delete;
  ArgmaxSearch& operator=(const ArgmaxSearch&) = delete;

  /// Nothing when it is not shown within `steps`; that does not say that u can be argmax.
  [[nodiscard]] std::optional<NeverArgmax> search(std::uint32_t token, std::size_t steps) const;

 private:
  struct Logits;
  const NormalisedSite& site_;
  std::unique_ptr<Logits> logits_;
};

}  // namespace assay::bounds
