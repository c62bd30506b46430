#include "assay/certify/bundle.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"

namespace assay::certify {

namespace fs = std::filesystem;

BundlePaths bundle_paths(const fs::path& directory, const std::string& name) {
  if (!allowed_path(name) || name.find('/') != std::string::npos) {
    throw UsageError("certificate name '" + visible(name) + "': expected a plain file name");
  }
  return {directory / (name + ".cert.dsse.json"), directory / (name + ".model.sha256"),
          directory / "evidence"};
}

void set_subject(Statement& statement, const std::string& name, const fs::path& model_dir) {
  statement.exclusions = default_exclusions();
  const Manifest manifest = build_manifest(model_dir, statement.exclusions);
  statement.subject_name = name + ".model.sha256";
  statement.subject_sha256 = sha256(manifest.text());
  statement.subject_files = manifest.files;
}

void add_evidence(Statement& statement, const BundlePaths& paths, const std::string& name,
                  const std::string& role, std::string_view bytes) {
  if (!allowed_path(name)) {
    throw InputError("evidence", "name", "a relative path", "'" + visible(name) + "'");
  }
  const Evidence entry{name, role, bytes.size(), sha256(bytes)};
  const auto same = std::find_if(statement.evidence.begin(), statement.evidence.end(),
                                 [&](const Evidence& e) { return e.name == name; });
  if (same != statement.evidence.end()) {
    if (same->sha256 != entry.sha256) {
      throw InputError("evidence", name, "the bytes listed before", "other bytes");
    }
    return;
  }
  const fs::path target = paths.evidence / name;
  make_directory(target.parent_path());
  write_file_atomic(target, bytes);
  statement.evidence.push_back(entry);
}

void add_evidence_file(Statement& statement, const BundlePaths& paths, const std::string& name,
                       const std::string& role, const fs::path& file) {
  add_evidence(statement, paths, name, role, read_file(file));
}

bool attach_recheck(Claim& claim, const CheckerRun& run, const std::string& accepts,
                    const std::string& certificate, const std::vector<CheckInput>& inputs) {
  const auto line = std::find_if(run.accepts.begin(), run.accepts.end(),
                                 [&](const AcceptLine& a) { return a.claim == accepts; });
  if (!run.accepted || line == run.accepts.end()) {
    return false;
  }
  claim.recheck = Recheck{certificate, inputs, accepts, line->statement};
  if (std::find(claim.evidence.begin(), claim.evidence.end(), certificate) ==
      claim.evidence.end()) {
    claim.evidence.push_back(certificate);
  }
  return true;
}

Envelope write_bundle(const Statement& statement, const BundlePaths& paths, const PrivateKey& key) {
  Envelope envelope = sign(statement_json(statement), key);
  write_file_atomic(paths.manifest, Manifest{statement.subject_files}.text());
  write_file_atomic(paths.envelope, envelope_json(envelope));
  return envelope;
}

}  // namespace assay::certify
