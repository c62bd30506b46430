#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/certify/finding.hpp"
#include "assay/certify/statement.hpp"
#include "assay/certify/trust.hpp"

namespace assay::certify {

struct VerifyOptions {
  std::filesystem::path certificate;  ///< NAME.cert.dsse.json
  std::filesystem::path model_dir;
  std::filesystem::path key_file;    ///< one key, or …
  std::filesystem::path trust_file;  ///< … a trust policy; both empty: signer not established
  std::filesystem::path revocation_file;  ///< the revocation list, or empty
  std::filesystem::path state_file;       ///< highest versions and sequences seen; empty: not kept
  std::filesystem::path evidence_dir;     ///< empty: evidence/ beside the certificate
  std::filesystem::path manifest_file;    ///< empty: the subject's name beside the certificate
  std::filesystem::path checker;          ///< empty: assay-check beside the program
  bool allow_extra = false;
  bool recheck = true;  ///< run assay-check and the recount; without: signatures and files alone
  std::string at;       ///< judge times at this moment; empty: now
  int timeout_seconds = 600;  ///< per run of the checker
};

struct VerifyResult {
  ExitCode code = ExitCode::ok;    ///< by precedence 10 > 9 > 2 > 4 > 5 > 6 > 8
  std::vector<Finding> findings;   ///< in the order found
  std::vector<std::string> steps;  ///< what was checked and found in order
  std::vector<Signer> signers;     ///< trusted keys whose signatures are over these bytes
  std::string at;                  ///< the moment that times were judged at
  std::string payload_sha256;
  std::string trust_sha256;            ///< of the trust policy, or empty
  std::optional<Statement> statement;  ///< once its bytes were authentic (or no key was given)
  std::size_t rechecked = 0;           ///< claims that assay-check accepted again
  std::size_t recounted = 0;  ///< STATISTICAL claims whose runs were drawn and counted again

  /// Key ids of the signatures that count, "; " between them; empty when there is none.
  [[nodiscard]] std::string signer() const;
};

/// The verification order of the contract: size, envelope, signatures and roles, payload type,
/// strict JSON, types, resource, time, sequence, revocation, manifest, every model file, every evidence file, the independent checker
/// on every proof, levels recomputed. Evidence is copied to a private folder while it is hashed
/// and checked there. 0 = authentic and every item of evidence re-checked, whatever the claims
/// say. Never throws on bad input.
[[nodiscard]] VerifyResult verify(const VerifyOptions& options);

/// Older than that at `now`, or of no stated age (6); nothing when `max_days` is 0.
[[nodiscard]] std::optional<Finding> age_fault(const CertificateInfo& info, std::uint64_t max_days,
                                               const std::string& now);

}  // namespace assay::certify
