#include "erase_json.hpp"

#include "assay/base/text.hpp"

namespace assay::cli {

void add_concept(CLI::App* sub, ConceptOptions& options, const std::string& what) {
  sub->add_option("--concept", options.concept_name,
                  "Concept " + what + ": digit, url, email, or next-digit, next-url, next-email");
  sub->add_option("--regex", options.regex,
                  "ECMAScript expression whose matches are the concept, instead of --concept");
  sub->add_option("--name", options.name, "Name of the --regex concept");
  sub->add_option("--shift", options.shift, "Label a token by the one this many places later");
}

std::optional<erase::Concept> given_concept(const ConceptOptions& options) {
  if (options.regex.empty() && options.concept_name.empty()) {
    if (!options.name.empty()) {
      throw UsageError("--name belongs to --regex");
    }
    return std::nullopt;
  }
  if (!options.regex.empty() && !options.concept_name.empty()) {
    throw UsageError("give either --concept or --regex with --name");
  }
  if (options.regex.empty() != options.name.empty()) {
    throw UsageError("--regex and --name go together");
  }
  return options.regex.empty() ? erase::make_concept(options.concept_name, "", options.shift)
                               : erase::make_concept(options.name, options.regex, options.shift);
}

nlohmann::ordered_json residuals_json(const erase::SiteResiduals& r) {
  auto claims = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < r.claims.size(); ++i) {
    const erase::Residual& residual = r.claims[i].residual;
    claims.push_back({{"claim", r.claims[i].id},
                      {"level", "OBSERVED"},
                      {"maxR2Before", r.before[i]},
                      {"maxR2", residual.r2},
                      {"tau", residual.tau.text()},
                      {"rows", residual.n},
                      {"positive", residual.ones},
                      {"noiseFloor", residual.noise_floor()}});
  }
  return {{"residuals", claims}, {"refused", r.refused}};
}

std::string residuals_table(const erase::SiteResiduals& r) {
  std::string text;
  for (std::size_t i = 0; i < r.claims.size(); ++i) {
    const erase::Residual& residual = r.claims[i].residual;
    text += "    " + r.claims[i].id + ": max R^2 " + decimal(r.before[i]) + " of the whole site, " +
            decimal(residual.r2) + " of what is read (at most " + residual.tau.text() + "; noise " +
            decimal(residual.noise_floor()) + ")\n";
  }
  for (const std::string& line : r.refused) {
    text += "    refused: " + line + "\n";
  }
  return text;
}

nlohmann::ordered_json change_json(const erase::LogitChange& c) {
  return {{"tokens", c.tokens},
          {"predicted", c.predicted},
          {"crossEntropyBefore", c.ce_before},
          {"crossEntropyAfter", c.ce_after},
          {"crossEntropyCost", c.ce_after - c.ce_before},
          {"meanKl", c.mean_kl},
          {"meanKlBound", c.mean_kl_bound},
          {"maxKl", c.max_kl},
          {"maxTotalVariation", c.max_tv},
          {"likeliestTokenChanged", c.top_changed},
          {"maxLogitDifference", c.max_difference},
          {"maxLogitRange", c.max_range}};
}

std::string change_table(const erase::LogitChange& c) {
  return "    cross-entropy   " + fixed(c.ce_before, 4) + " -> " + fixed(c.ce_after, 4) +
         " nats per token (" + (c.ce_after >= c.ce_before ? "+" : "") +
         fixed(c.ce_after - c.ce_before, 4) + ")\n    KL              mean " + fixed(c.mean_kl, 5) +
         ", largest " + fixed(c.max_kl, 4) + " nats\n    total variation largest " +
         fixed(c.max_tv, 4) + "\n    likeliest token another one at " +
         std::to_string(c.top_changed) + " of " + std::to_string(c.tokens) + "\n";
}

}  // namespace assay::cli
