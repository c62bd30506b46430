#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/base/rational.hpp"
#include "assay/certify/case.hpp"
#include "assay/certify/verify.hpp"

namespace assay::certify {

struct RepairOptions {
  VerifyOptions original;  ///< the certificate to repair; it has to verify
  std::filesystem::path case_file, text;
  std::map<std::string, std::filesystem::path> dictionaries;  ///< instead of the case's
  std::filesystem::path out;                                  ///< new or empty
  std::string claim;                     ///< the violated claim; empty: the first that is
  Rational resolution{1, 100}, to{1};    ///< grid of min-p, and its largest
  std::size_t tokens = 3;                ///< masked together at most
  std::size_t features = 3;              ///< tried at most, one by one
  std::size_t certifications = 3;        ///< whole certifications at most
  std::size_t cost_tokens = 20000;       ///< of held-out text, about
  std::string serial;                    ///< of the new certificate; empty: counted on
  std::optional<std::string> issued_at;  ///< see `issue_time`
};

/// What a remedy costs on the held-out part of the case's text. OBSERVED. With q = the decoder's law of the next token
/// and V tokens, cross-entropy is the mean over the predicted tokens t of
///   -ln((1 - 1/100) q(t) + 1/(100 V)),
/// finite where the decoder cannot emit t, so that models and decoders compare by one number.
struct RemedyCost {
  std::size_t tokens = 0;                    ///< predicted
  double before = 0, after = 0;              ///< nats per token
  double model_before = 0, model_after = 0;  ///< the model's own: mean of -ln softmax(logits)(t)
  std::size_t outside_before = 0, outside_after = 0;  ///< tokens that the decoder cannot emit

  [[nodiscard]] double added() const { return after - before; }
};

/// One remedy on its way: what was changed, and how far it came.
struct Attempt {
  enum class Stage { refused, failed, holds, rejected, repaired };
  std::string kind;   ///< "min-p", "mask", "mask in weights", "project"
  std::string words;  ///< the change, for people
  Stage stage = Stage::refused;
  std::string outcome;              ///< why it came no further; "" when repaired or not certified
  std::vector<std::string> trials;  ///< what was decided on the violated claim alone, in order
  std::optional<RemedyCost> cost;
};
[[nodiscard]] const char* stage_name(Attempt::Stage stage);

/// A claim in both certificates.
struct ClaimChange {
  std::string id, text, before, after;  ///< "HOLDS (PROVED)", "UNKNOWN", "not asked"
  std::string bound_before, bound_after;
  std::string broken;  ///< why the claim is no longer what it was, or ""
};

struct RepairResult {
  ExitCode code = ExitCode::unknown;
  VerifyResult original;  ///< nothing else is set unless it verified
  std::string claim;      ///< that was to be repaired; empty: none is violated
  std::vector<std::string> other_violated;
  std::vector<Attempt> attempts;  ///< in the order of their trials
  std::optional<std::size_t> chosen;
  std::vector<ClaimChange> changes;  ///< of the chosen one
  std::vector<std::string> doubts;   ///< open defeaters of the repaired claim
  std::filesystem::path envelope;
  std::string payload_sha256;
  std::optional<Verdict> verdict;  ///< of the new certificate
  bool interrupted = false;
};

/// Tries remedies of a violated claim, cheapest first, and certifies the whole case again with each until one makes the
/// claim hold (PROVED) and breaks nothing that held. A remedy changes the model's weights or the decoder of every check
/// that runs under the same one; the new certificate says which, and what it follows.
/// Throws UsageError for a claim, a case file or a directory that cannot be used.
[[nodiscard]] RepairResult repair(const RepairOptions& options, const PrivateKey& key);

/// repair.json: every remedy with its outcome, the claims before and after, and the cost with its definition.
[[nodiscard]] std::string repair_json(const RepairResult& result);
/// The same as a table for people.
[[nodiscard]] std::string repair_text(const RepairResult& result);

}  // namespace assay::certify
