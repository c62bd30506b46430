#include "assay/certify/verify.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include "assay/base/digest.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/checker.hpp"
#include "assay/certify/envelope.hpp"
#include "folded_recheck.hpp"
#include "proof_header.hpp"
#include "request_claim.hpp"
#include "run_claim.hpp"
#include "sampled_recheck.hpp"
#include "staging.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

/// Higher wins when several things are wrong.
int precedence(ExitCode code) {
  switch (code) {
    case ExitCode::internal:
      return 7;
    case ExitCode::malformed:
      return 6;
    case ExitCode::usage:
      return 5;
    case ExitCode::signature:
      return 4;
    case ExitCode::artifact:
      return 3;
    case ExitCode::expired:
      return 2;
    case ExitCode::ok:
      return 0;
    default:
      return 1;
  }
}

/// One verification, step by step; every step adds to the result.
class Verification {
 public:
  explicit Verification(const VerifyOptions& options) : options_(options) {}

  VerifyResult take() {
    for (const Finding& finding : result_.findings) {
      if (precedence(finding.code) > precedence(result_.code)) {
        result_.code = finding.code;
      }
    }
    return std::move(result_);
  }

  void fail(ExitCode code, const std::string& text) { result_.findings.push_back({code, text}); }

  void run() {
    if (!authenticate()) {
      return;
    }
    result_.statement =
        parse_statement(envelope_.payload, options_.certificate.string() + " payload");
    step("payload is a strict in-toto statement with exactly one subject");
    check_time();
    const bool artifact = check_artifact();
    Staging staging;
    const bool evidence = check_evidence(staging);
    check_levels();
    if (artifact && evidence) {
      recount(staging.path());
      recheck(staging.path());
    } else {
      step("proofs were not re-checked: files are missing or altered");
    }
  }

 private:
  void step(const std::string& text) { result_.steps.push_back(text); }
  [[nodiscard]] const Statement& statement() const { return *result_.statement; }

  /// False when the payload must not be looked at.
  bool authenticate() {
    envelope_ = parse_envelope(read_file(options_.certificate, kMaxEnvelopeBytes),
                               options_.certificate.string());
    result_.payload_sha256 = sha256(envelope_.payload).hex();
    if (options_.key_file.empty()) {
      fail(ExitCode::signature, "signer not established: no key was given");
    } else {
      const PublicKey key = load_public_key(options_.key_file);
      if (!signed_by(envelope_, key)) {
        fail(ExitCode::signature, "no signature by key " + key.key_id() + " over these bytes");
        return false;
      }
      result_.signer = key.key_id();
      step("signature by " + result_.signer);
    }
    if (envelope_.payload_type != kPayloadType) {
      fail(ExitCode::malformed,
           "payloadType is '" + visible(envelope_.payload_type) + "', not " + kPayloadType);
      return false;
    }
    return true;
  }

  void check_time() {
    const CertificateInfo& info = statement().certificate;
    const std::string now =
        options_.at.empty() ? utc_time(static_cast<std::int64_t>(std::time(nullptr))) : options_.at;
    (void)parse_utc_time(now);
    const std::string& from = info.not_before.empty() ? info.issued_at : info.not_before;
    // The form has fixed width: text order is time order.
    if (!from.empty() && now < from) {
      fail(ExitCode::expired, "not valid before " + from);
    }
    if (!info.not_after.empty() && now > info.not_after) {
      fail(ExitCode::expired, "expired at " + info.not_after);
    }
    step(info.not_after.empty() ? "no expiry date is stated" : "valid until " + info.not_after);
  }

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
    const Level supported = chain_level(claim.chain);
    if (claim.level != supported) {
      fail(ExitCode::evidence, name + " says " + level_name(claim.level) + ", its chain supports " +
                                   level_name(supported));
    }
    if (claim.status == Status::unknown) {
      return;
    }
    if (claim.level == Level::proved && !claim.recheck) {
      fail(ExitCode::evidence, name + " says PROVED and names no proof to re-check");
    }
    if (claim.level != Level::assumed && claim.evidence.empty()) {
      fail(ExitCode::evidence, name + " names no evidence");
    }
  }

  /// STATISTICAL claims: interval, plan, ledger, runs.
  void recount(const fs::path& evidence_dir) {
    const SampledRecheck again = recheck_sampled(statement(), evidence_dir, options_.model_dir);
    for (const std::string& fault : again.faults) {
      fail(ExitCode::evidence, fault);
    }
    for (const std::string& done : again.steps) {
      step(done);
    }
    result_.recounted = again.recounted;
    const FoldedRecheck folded = recheck_folded(statement(), evidence_dir, options_.model_dir);
    for (const std::string& fault : folded.faults) {
      fail(ExitCode::evidence, fault);
    }
    for (const std::string& done : folded.steps) {
      step(done);
    }
  }

  /// The model that claims speak of, and the digests of its two files.
  struct Subject {
    fs::path model;
    std::optional<Digest> config, weights;
  };
  [[nodiscard]] Subject subject() const {
    const Manifest manifest{statement().subject_files};
    const ManifestEntry* config = manifest.find("config.json");
    const ManifestEntry* weights = manifest.find("model.safetensors");
    return {options_.model_dir, config != nullptr ? std::optional(config->sha256) : std::nullopt,
            weights != nullptr ? std::optional(weights->sha256) : std::nullopt};
  }
  [[nodiscard]] Subject base_model(const fs::path& evidence_dir) const {
    Subject out{evidence_dir / kBaseModel, {}, {}};
    for (const Evidence& e : statement().evidence) {
      out.config = e.name == std::string(kBaseModel) + "/config.json" ? e.sha256 : out.config;
      out.weights =
          e.name == std::string(kBaseModel) + "/model.safetensors" ? e.sha256 : out.weights;
    }
    return out;
  }

  void recheck(const fs::path& evidence_dir) {
    const std::size_t groups = recheck_claims(evidence_dir, statement().claims, subject());
    const std::size_t own = result_.rechecked;
    if (own + result_.recounted == 0 && result_.findings.empty()) {
      fail(ExitCode::unknown,
           "nothing was re-checked: no claim names a proof and says more than UNKNOWN");
    }
    step(std::to_string(own) + " claims accepted again by assay-check in " +
         std::to_string(groups) + " runs");
    if (!statement().before.empty()) {
      const std::size_t more =
          recheck_claims(evidence_dir, statement().before, base_model(evidence_dir));
      step(std::to_string(result_.rechecked - own) + " claims about the base model in " +
           std::to_string(more) + " more runs");
    }
  }

  /// One run per proof group; claims that share certificate and inputs share the run. Returns the number of runs.
  std::size_t recheck_claims(const fs::path& evidence_dir, const std::vector<Claim>& all,
                             const Subject& model) {
    using Key = std::pair<std::string, std::vector<std::pair<std::string, std::string>>>;
    std::map<Key, std::vector<const Claim*>> groups;
    for (const Claim& claim : all) {
      if (claim.recheck) {
        Key key{claim.recheck->certificate, {}};
        for (const CheckInput& input : claim.recheck->inputs) {
          key.second.emplace_back(input.option, input.name);
        }
        groups[key].push_back(&claim);
      }
    }
    for (const auto& [key, claims] : groups) {
      recheck_group(evidence_dir, claims, model);
    }
    return groups.size();
  }

  void recheck_group(const fs::path& evidence_dir, const std::vector<const Claim*>& claims,
                     const Subject& model) {
    const Recheck& first = *claims.front()->recheck;
    const fs::path checker = options_.checker.empty() ? checker_beside_program() : options_.checker;
    const CheckerRun run = run_checker(checker, model.model, evidence_dir, first.certificate,
                                       first.inputs, options_.timeout_seconds);
    if (!run.accepted) {
      fail(ExitCode::evidence, "proof '" + first.certificate + "' rejected: " + run.message);
      return;
    }
    std::set<std::string> ids;
    for (const Claim* claim : claims) {
      ids.insert(claim->recheck->accepts);
    }
    const ProofHeader header = read_proof_header(evidence_dir / first.certificate, ids);
    if (!model.config || header.config != model.config || header.weights != model.weights) {
      fail(ExitCode::evidence, "proof '" + first.certificate + "' is about another model");
      return;
    }
    for (const Claim* claim : claims) {
      if (claim->status != Status::unknown) {
        compare_claim(*claim, run, header, evidence_dir);
      }
    }
  }

  /// The checker's statement against the claim, field by field.
  void compare_claim(const Claim& claim, const CheckerRun& run, const ProofHeader& header,
                     const fs::path& evidence_dir) {
    const Recheck& recheck = *claim.recheck;
    const std::string name = "claim '" + visible(claim.id) + "'";
    const auto line = std::find_if(run.accepts.begin(), run.accepts.end(),
                                   [&](const AcceptLine& a) { return a.claim == recheck.accepts; });
    if (line == run.accepts.end()) {
      fail(ExitCode::evidence,
           name + ": the checker accepted nothing called '" + visible(recheck.accepts) + "'");
    } else if (line->level < claim.level) {
      fail(ExitCode::evidence, name + " says " + level_name(claim.level) +
                                   ", the checker accepted it as " + level_name(line->level));
    } else if (line->statement != recheck.statement) {
      fail(ExitCode::evidence,
           name + ": the checker accepted another statement: " + visible(line->statement));
    } else if (const auto rule = header.rules.find(recheck.accepts);
               rule == header.rules.end() || concludes_violation(rule->second, line->statement) !=
                                                 (claim.status == Status::violated)) {
      fail(ExitCode::evidence,
           name + " says " + status_name(claim.status) + ", the proof concludes otherwise");
    } else if (!says_the_same(claim, header, evidence_dir)) {
      fail(ExitCode::evidence,
           name + ": its domain, formula or bound is not the one that was accepted: " +
               visible(line->statement));
    } else {
      ++result_.rechecked;
    }
  }

  /// Rules about runs conclude either way, of `some` or of a chance, and their words say which.
  static bool concludes_violation(const std::string& rule, const std::string& statement) {
    static const std::set<std::string> either = {"WITNESS", "LASSO", "EXACT", "LIVE", "CHANCE"};
    return either.contains(rule) && !statement.starts_with("HOLDS ");
  }

  /// Of a claim about runs, domain, formula, bound and threshold are parts of the checker's statement. Of one of a
  /// request, kind and formula are the line of the request that was accepted.
  static bool says_the_same(const Claim& claim, const ProofHeader& header,
                            const fs::path& evidence_dir) {
    if (is_request_kind(header.kind)) {
      return is_line_of_request(claim, evidence_dir);
    }
    if (!is_run_kind(header.kind)) {
      return true;
    }
    const std::optional<RunClaim> accepted = parse_run_claim(claim.recheck->statement);
    return accepted && accepted->holds == (claim.status == Status::holds) &&
           accepted->domain_text() == claim.domain && accepted->formal == claim.formal &&
           accepted->bound == claim.bound && accepted->threshold == claim.threshold;
  }

  const VerifyOptions& options_;
  Envelope envelope_;
  VerifyResult result_;
};

}  // namespace

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
