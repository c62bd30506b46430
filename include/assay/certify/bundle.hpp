#pragma once

#include <filesystem>
#include <string>

#include "assay/certify/checker.hpp"
#include "assay/certify/envelope.hpp"
#include "assay/certify/statement.hpp"

namespace assay::certify {

/// Where everything of one certificate lies.
struct BundlePaths {
  std::filesystem::path envelope;  ///< DIR/NAME.cert.dsse.json
  std::filesystem::path manifest;  ///< DIR/NAME.model.sha256
  std::filesystem::path evidence;  ///< DIR/evidence
};
[[nodiscard]] BundlePaths bundle_paths(const std::filesystem::path& directory,
                                       const std::string& name);

/// Fills subject, files and exclusions from a model directory.
void set_subject(Statement& statement, const std::string& name,
                 const std::filesystem::path& model_dir);

/// Writes bytes as evidence/`name` and lists them in the statement. A name that is already
/// listed must bring the same bytes (InputError otherwise).
void add_evidence(Statement& statement, const BundlePaths& paths, const std::string& name,
                  const std::string& role, std::string_view bytes);
/// The same for a file that exists; it is copied.
void add_evidence_file(Statement& statement, const BundlePaths& paths, const std::string& name,
                       const std::string& role, const std::filesystem::path& file);

/// Runs the checker on a proof in evidence/ and, on acceptance, gives claim `id` its re-check
/// (statement words included), so that what is signed is what the checker said.
/// Returns false, leaving the claim as it was, when the checker did not accept that id.
[[nodiscard]] bool attach_recheck(Claim& claim, const CheckerRun& run, const std::string& accepts,
                                  const std::string& certificate,
                                  const std::vector<CheckInput>& inputs);

/// Signs and writes envelope and manifest; the evidence is there already. Returns the envelope.
Envelope write_bundle(const Statement& statement, const BundlePaths& paths, const PrivateKey& key);

}  // namespace assay::certify
