#include "assay/certify/verify.hpp"

#include <algorithm>
#include <ctime>

#include "assay/base/digest.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/envelope.hpp"
#include "authentication.hpp"
#include "evidence_recheck.hpp"
#include "staging.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

/// One verification, step by step; every step adds to the result.
class Verification {
 public:
  explicit Verification(const VerifyOptions& options) : options_(options) {}

  VerifyResult take() {
    result_.code = worst(result_.findings);
    return std::move(result_);
  }

  void fail(ExitCode code, const std::string& text) { result_.findings.push_back({code, text}); }

  void run() {
    result_.at =
        options_.at.empty() ? utc_time(static_cast<std::int64_t>(std::time(nullptr))) : options_.at;
    (void)parse_utc_time(result_.at);
    const Envelope envelope = parse_envelope(read_file(options_.certificate, kMaxEnvelopeBytes),
                                             options_.certificate.string());
    result_.payload_sha256 = sha256(envelope.payload).hex();
    Authentication authentication(options_, result_);
    if (!authentication.signatures(envelope)) {
      return;
    }
    if (envelope.payload_type != kPayloadType) {
      fail(ExitCode::malformed,
           "payloadType is '" + visible(envelope.payload_type) + "', not " + kPayloadType);
      return;
    }
    result_.statement =
        parse_statement(envelope.payload, options_.certificate.string() + " payload");
    step("payload is a strict in-toto statement with exactly one subject");
    authentication.currency(envelope, statement());
    const bool artifact = check_artifact();
    Staging staging;
    const bool evidence = check_evidence(staging);
    check_levels();
    if (!options_.recheck) {
      step("proofs were not re-checked, as asked: levels are the signer's word");
    } else if (artifact && evidence) {
      recheck_evidence(options_, staging.path(), result_);
    } else {
      step("proofs were not re-checked: files are missing or altered");
    }
    if (result_.findings.empty()) {
      authentication.remember(statement());
    }
  }

 private:
  void step(const std::string& text) { result_.steps.push_back(text); }
  [[nodiscard]] const Statement& statement() const { return *result_.statement; }

  bool check_artifact() {
    const Statement& s = statement();
    fs::path file = options_.manifest_file;
    if (file.empty()) {
      file = options_.certificate.parent_path() / s.subject_name;
    }
    std::vector<std::string> differences;
    std::error_code error;
    if (!options_.manifest_file.empty() || fs::exists(fs::symlink_status(file, error))) {
      try {
        if (hash_regular_file(file, s.subject_name).sha256 != s.subject_sha256) {
          differences.push_back(file.string() + ": not the manifest that was signed");
        }
      } catch (const InputError& e) {
        differences.emplace_back(e.what());
      }
    }
    const Manifest manifest{s.subject_files};
    for (const std::string& difference :
         compare_with_directory(manifest, s.exclusions, options_.model_dir, options_.allow_extra)) {
      differences.push_back("model: " + difference);
    }
    for (const std::string& difference : differences) {
      fail(ExitCode::artifact, difference);
    }
    if (differences.empty()) {
      std::string others = options_.allow_extra ? " (extra files allowed)" : ", no other file";
      if (s.exclusions != default_exclusions()) {  // the certificate's own word: say it
        others += "; not looked at:";
        for (const std::string& pattern : s.exclusions) {
          others += " '" + visible(pattern) + "'";
        }
      }
      step(std::to_string(s.subject_files.size()) + " model files are the signed ones" + others);
    }
    return differences.empty();
  }

  bool check_evidence(Staging& staging) {
    fs::path dir = options_.evidence_dir;
    if (dir.empty()) {
      dir = options_.certificate.parent_path() / "evidence";
    }
    bool complete = true;
    for (const Evidence& evidence : statement().evidence) {
      const std::string problem = staging.add(evidence, dir / evidence.name);
      if (!problem.empty()) {
        fail(ExitCode::evidence, problem);
        complete = false;
      }
    }
    if (complete) {
      step(std::to_string(statement().evidence.size()) + " evidence files present and unaltered");
    }
    return complete;
  }

  void check_levels() {
    for (const Claim& claim : statement().claims) {
      check_level(claim);
    }
    for (const Claim& claim : statement().before) {
      check_level(claim);
    }
  }

  void check_level(const Claim& claim) {
    const std::string name = "claim '" + visible(claim.id) + "'";
    const auto wrong = [&](const std::string& text) {
      result_.findings.push_back({ExitCode::evidence, text, claim.id});
    };
    const Level supported = chain_level(claim.chain);
    if (claim.level != supported) {
      wrong(name + " says " + level_name(claim.level) + ", its chain supports " +
                                   level_name(supported));
    }
    if (claim.status == Status::unknown) {
      return;
    }
    if (claim.level == Level::proved && !claim.recheck) {
      wrong(name + " says PROVED and names no proof to re-check");
    }
    if (claim.level != Level::assumed && claim.evidence.empty()) {
      wrong(name + " names no evidence");
    }
  }

  const VerifyOptions& options_;
  VerifyResult result_;
};

}  // namespace

std::string VerifyResult::signer() const {
  std::string out;
  for (const Signer& s : signers) {
    if (s.unusable.empty()) {
      out +=
          (out.empty() ? "" : "; ") + s.key_id + (s.role.empty() ? "" : " as " + visible(s.role));
    }
  }
  return out;
}

VerifyResult verify(const VerifyOptions& options) {
  Verification verification(options);
  try {
    verification.run();
  } catch (const Error& e) {
    verification.fail(e.code(), e.what());
  } catch (const std::exception& e) {
    verification.fail(ExitCode::internal, std::string("internal error: ") + e.what());
  }
  return verification.take();
}

}  // namespace assay::certify
