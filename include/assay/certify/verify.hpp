#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/certify/statement.hpp"

namespace assay::certify {

struct VerifyOptions {
  std::filesystem::path certificate;  ///< NAME.cert.dsse.json
  std::filesystem::path model_dir;
  std::filesystem::path key_file;       ///< empty: the signer is not established
  std::filesystem::path evidence_dir;   ///< empty: evidence/ beside the certificate
  std::filesystem::path manifest_file;  ///< empty: the subject's name beside the certificate
  std::filesystem::path checker;        ///< empty: assay-check beside the program
  bool allow_extra = false;
  std::string at;             ///< judge times at this moment; empty: now
  int timeout_seconds = 600;  ///< per run of the checker
};

/// One thing that is wrong, with the exit code it stands for.
struct Finding {
  ExitCode code = ExitCode::ok;
  std::string text;
};

struct VerifyResult {
  ExitCode code = ExitCode::ok;    ///< by precedence 10 > 9 > 2 > 4 > 5 > 6 > 8
  std::vector<Finding> findings;   ///< in the order found
  std::vector<std::string> steps;  ///< what was checked and found in order
  std::string signer;              ///< key id of the key that verified, or empty
  std::string payload_sha256;
  std::optional<Statement> statement;  ///< once its bytes were authentic (or no key was given)
  std::size_t rechecked = 0;           ///< claims that assay-check accepted again
  std::size_t recounted = 0;  ///< STATISTICAL claims whose runs were drawn and counted again
};

/// The verification order of the contract: size, envelope, signature, payload type, strict
/// JSON, types, time, manifest, every model file, every evidence file, the independent checker
/// on every proof, levels recomputed. Evidence is copied to a private folder while it is hashed
/// and checked there. 0 = authentic and every item of evidence re-checked, whatever the claims
/// say. Never throws on bad input.
[[nodiscard]] VerifyResult verify(const VerifyOptions& options);

}  // namespace assay::certify
