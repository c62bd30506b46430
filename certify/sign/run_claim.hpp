#pragma once

#include <optional>
#include <string>

namespace assay::certify {

/// What `assay-check` says of a specification on a model's runs (kinds exact and refined), in its parts:
///   HOLDS of every run of the model (real arithmetic): DOMAIN (N pairs): all φ
///   VIOLATED by the model (real arithmetic): DOMAIN: all φ
///   HOLDS of a run of the model (real arithmetic): DOMAIN: some φ
///   VIOLATED by every run of the model (real arithmetic): DOMAIN (N pairs): some φ
/// ("every endless run" where it takes ranks)
///   HOLDS for every prompt and every choice of nature (real arithmetic): DOMAIN: Pmax <= p [φ] (…): P(φ) at most k/n
///   VIOLATED whatever nature picks, by prompt TOKENS (real arithmetic): DOMAIN: Pmax <= p [φ] (…): P(φ) at least k/n
struct RunClaim {
  bool holds = false;
  std::string who;     ///< whose runs: "every run of the model", "one run of the model", …
  std::string domain;  ///< prompts, decoder and horizon; of a violation prompt, tokens and decoder
  std::string formal;  ///< "all φ", "some φ", "Pmax <= p [ φ ]"
  std::string bound, threshold;  ///< of a probability: k/n as it was accepted, and p; else empty
  bool is_upper = false;         ///< P(φ) is at most `bound`; else at least

  [[nodiscard]] bool is_chance() const { return !bound.empty(); }
  /// What a signed claim says as its domain.
  [[nodiscard]] std::string domain_text() const { return who + ": " + domain; }
};

/// True of the kinds whose statements are of this form.
[[nodiscard]] bool is_run_kind(const std::string& kind);
/// Nothing when the words are of another form.
[[nodiscard]] std::optional<RunClaim> parse_run_claim(const std::string& statement);

}  // namespace assay::certify
