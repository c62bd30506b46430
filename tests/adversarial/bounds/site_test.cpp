#include "assay/bounds/site.hpp"

#include <catch.hpp>
#include <limits>

#include "assay/base/errors.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

/// Token 2 is the mean of tokens 0 and 1, one lower: the even mixture shows it never argmax.
NormalisedSite site_of(SiteNorm norm) {
  NormalisedSite site;
  site.name = "ln_final";
  site.norm = norm;
  site.n_layers = 2;
  site.d_model = 2;
  site.w = {1, 2};
  site.b = {0, 0};
  site.W_U = {{2, 3}, {4, 0, 2, 0, 2, 1}};
  site.b_U = {{3}, {0, 0, -1}};
  return site;
}

const std::vector<Share> kEven = {{0, kMixtureParts / 2}, {1, kMixtureParts / 2}};

}  // namespace

TEST_CASE("a mixture proves its own site and no altered one") {
  for (const SiteNorm norm : {SiteNorm::layer_norm, SiteNorm::rms_norm}) {
    const NormalisedSite site = site_of(norm);
    REQUIRE(mixture_lead(site, 2, kEven) < -0.999);
    REQUIRE(ArgmaxSearch(site).search(2, 400));

    NormalisedSite tie = site;
    tie.b_U.data[2] = 0;  // exactly as good as the mixture: a tie proves nothing
    REQUIRE(mixture_lead(tie, 2, kEven) >= 0);
    REQUIRE_FALSE(ArgmaxSearch(tie).search(2, 400));

    NormalisedSite longer = site;
    longer.W_U.data[2] = 12;  // leaves the hull
    REQUIRE(mixture_lead(longer, 2, kEven) > 0);
    REQUIRE_FALSE(ArgmaxSearch(longer).search(2, 400));

    NormalisedSite broken = site;
    broken.W_U.data[2] = std::numeric_limits<float>::quiet_NaN();
    REQUIRE_THROWS_AS(mixture_lead(broken, 2, kEven), InputError);
    REQUIRE_FALSE(ArgmaxSearch(broken).search(2, 400));
  }
}

TEST_CASE("what only LayerNorm's centring proves is not proved for RMSNorm") {
  // Token 2 is token 0 moved along 1/w, which LayerNorm cannot see, and one lower.
  NormalisedSite site = site_of(SiteNorm::layer_norm);
  site.W_U = {{2, 3}, {4, 0, 8, 0, 2, 2}};
  const std::vector<Share> first = {{0, kMixtureParts}};
  REQUIRE(mixture_lead(site, 2, first) < -0.999);
  site.norm = SiteNorm::rms_norm;
  REQUIRE(mixture_lead(site, 2, first) > 0);
}
