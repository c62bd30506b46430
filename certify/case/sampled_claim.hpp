#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/certify/claim.hpp"
#include "assay/certify/statement.hpp"
#include "assay/verify/sampled.hpp"

namespace assay::certify {

/// Claims about rates have this kind, and ids CASE.rate.PROPERTY: nothing of them reads as a claim about every run.
inline constexpr const char* kRateKind = "rate";

/// A plan's files among the evidence, and what the claims are called after.
struct SampledPlace {
  std::string name;  ///< of the check in the case

  [[nodiscard]] std::string folder() const { return "sampled/" + name; }
  [[nodiscard]] std::string file(const std::string& file) const { return folder() + "/" + file; }
  [[nodiscard]] std::string claim(const std::string& property) const {
    return name + ".rate." + property;
  }
};

/// Everything that a claim about a rate says, but its counterexample: a function of plan, property, numbers and threshold (or "": then
/// the interval itself is claimed). A case writes it, and verification compares with it, so that no word is the signer's own.
///
///   RATE   SAMPLED's interval [lo, hi]  |-  HOLDS: the rate is in it, or hi <= threshold; VIOLATED: lo > threshold;
///          else UNKNOWN
[[nodiscard]] Claim rate_claim(const SampledPlace& place, const verify::SampleInput& input,
                               const spec::Property& property, const Statistics& statistics,
                               const std::string& threshold);

/// The same of a property whose rate is not counted: UNKNOWN.
[[nodiscard]] Claim uncounted_claim(const SampledPlace& place, const verify::SampleInput& input,
                                    const spec::Property& property, const std::string& why);

/// The ledger of a certificate: what the alphas of its claims add to, as a figure. Throws InputError where that is no
/// fraction to write.
[[nodiscard]] Figure alpha_figure(const std::vector<Claim>& claims);

/// The first run that violates the property and was replayed, as the file of the claim's counterexample; nothing where
/// there is none, or no tokenizer to show it with.
[[nodiscard]] std::optional<std::string> counterexample_file(
    const SampledPlace& place, const verify::SampleInput& input, const verify::SampleResult& result,
    const verify::SampledProperty& counted);

}  // namespace assay::certify
