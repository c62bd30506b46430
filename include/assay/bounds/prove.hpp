#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/bounds/attack.hpp"
#include "assay/bounds/request.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/transformer.hpp"
#include "assay/num/interval.hpp"

namespace assay::bounds {

enum class Status { holds, violated, unknown };
/// "HOLDS", "VIOLATED", "UNKNOWN"
[[nodiscard]] const char* name(Status status);

/// What became of one claim. Units: feature-off, the encoder pre-activation; token-out, nats:
/// l_u - max_{y != u} l_y.
struct ClaimResult {
  Claim claim;
  std::string text;  ///< the claim in plain words
  Status status = Status::unknown;
  std::optional<double> bound;  ///< over all contexts the value is at most this (surely)
  std::optional<double>
      threshold;                 ///< the feature's threshold, or ln(min-p) [* temperature], nearest
  std::optional<double> attack;  ///< the largest value met, replayed by the reference forward pass
  Interval attack_enclosure;     ///< the same value, enclosed
  std::vector<TokenId> context;  ///< where the attack met it
  std::string context_text;      ///< the context's characters, or its ids
  std::string reason;            ///< of UNKNOWN and VIOLATED
  std::string rule;              ///< of HOLDS: the concluding rule
};

struct ProofRun {
  std::vector<ClaimResult> results;  ///< in the order of the request
  std::string certificate;           ///< "assay-cert 1" bytes; empty when nothing holds
  Request statement;                 ///< what the certificate is about: the request, or, when not
                                     ///< all its claims hold, the proved ones alone
  bool is_reduced = false;           ///< statement is not the request

  [[nodiscard]] std::size_t count(Status status) const;
};

/// Tries every claim: the attack first, then the bound of the claim's rule (FEATURE-OFF,
/// FEATURE-OFF-MLP, TOKEN-OUT). A model or an SAE site without a rule gives UNKNOWN.
/// Throws InputError for ids out of range and weights that are not finite, UsageError when a
/// feature-off claim comes without an SAE, and Error(internal) as a soundness alarm when an
/// attack's enclosure exceeds a proved bound.
[[nodiscard]] ProofRun prove(const Transformer& model, const Sae* sae, const Request& request,
                             const AttackText& text);

/// Table for people: claim, bound, attack, threshold, gap, status, reasons and contexts.
[[nodiscard]] std::string results_table(const ProofRun& run);

}  // namespace assay::bounds
