#pragma once

#include <optional>
#include <string>

namespace assay::certify {

/// What `assay-check` says of a specification on a model's runs (kinds exact and refined), in its parts:
///   HOLDS of every run of the model (real arithmetic): DOMAIN (N pairs): all φ
///   VIOLATED by the model (real arithmetic): DOMAIN: all φ
struct RunClaim {
  bool holds = false;
  std::string domain;  ///< prompts, decoder and horizon; of a violation prompt, tokens and decoder
  std::string formal;  ///< "all φ"

  /// What a signed claim says as its domain.
  [[nodiscard]] std::string domain_text() const;
};

/// True of the kinds whose statements are of this form.
[[nodiscard]] bool is_run_kind(const std::string& kind);
/// Nothing when the words are of another form.
[[nodiscard]] std::optional<RunClaim> parse_run_claim(const std::string& statement);

}  // namespace assay::certify
