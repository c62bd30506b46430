#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/certify/revocation.hpp"
#include "assay/certify/verify.hpp"

namespace assay::certify {

/// Who stands behind the bytes, and for whom and when they are meant: the steps of a verification before any file of
/// the model is looked at.
class Authentication {
 public:
  /// `result` takes findings, steps and signers. `now` is the moment that times are judged at.
  Authentication(const VerifyOptions& options, VerifyResult& result)
      : options_(options), result_(result) {}

  /// Signatures against the one key or the trust policy. False when the payload must not be looked at.
  [[nodiscard]] bool signatures(const Envelope& envelope);
  /// Resource, validity, age, sequence, revocation and what was seen before.
  void currency(const Envelope& envelope, const Statement& statement);
  /// Remembers versions and sequences. @pre everything was verified.
  void remember(const Statement& statement) const;

 private:
  void fail(ExitCode code, const std::string& text) { result_.findings.push_back({code, text}); }
  void step(const std::string& text) { result_.steps.push_back(text); }
  [[nodiscard]] bool single_key(const Envelope& envelope);
  [[nodiscard]] bool thresholds(const Envelope& envelope, const std::string& issued_at);
  void read_list();
  void validity(const CertificateInfo& info);
  void policy_limits(const CertificateInfo& info);
  void rollback(const CertificateInfo& info);

  const VerifyOptions& options_;
  VerifyResult& result_;
  std::optional<TrustPolicy> policy_;
  std::optional<RevocationList> list_;
};

}  // namespace assay::certify
