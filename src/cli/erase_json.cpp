#include "erase_json.hpp"

#include "assay/base/text.hpp"

namespace assay::cli {

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
