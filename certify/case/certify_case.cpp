#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/envelope.hpp"
#include "assay/certify/exhibits.hpp"
#include "assay/model/deep_model.hpp"
#include "assumptions.hpp"
#include "case_run.hpp"
#include "sampled_claim.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDay = 86400;

void set_certificate(CaseRun& run, const std::optional<std::string>& issued_at) {
  CertificateInfo& info = run.statement.certificate;
  info.name = run.file.name;
  info.serial = run.file.serial;
  info.resource_uri = run.file.resource_uri;
  info.scope = run.file.scope;
  info.issued_at = issued_at.value_or("");
  info.sequence = run.file.sequence;
  if (run.file.valid_days > 0) {
    if (!issued_at) {
      throw UsageError("case: validDays needs a time of issue: give --time or SOURCE_DATE_EPOCH");
    }
    info.not_after = utc_time(parse_utc_time(*issued_at) +
                              static_cast<std::int64_t>(run.file.valid_days) * kDay);
  }
}

/// All contexts and sites first, then the specifications (of every run before the fitted automaton), then the erasures,
/// each in its own order.
void order_claims(std::vector<Claim>& claims) {
  const auto rank = [](const Claim& c) {
    return c.kind == kRateKind       ? 4
           : is_erasure_kind(c.kind) ? 3
           : c.kind == "spec"        ? 2
           : is_check_kind(c.kind)   ? 1
                                     : 0;
  };
  std::stable_sort(claims.begin(), claims.end(),
                   [&](const Claim& a, const Claim& b) { return rank(a) < rank(b); });
}

/// Only what some claim names is listed.
void set_assumptions(Statement& statement) {
  for (const Assumption& a : known_assumptions()) {
    bool used = false;
    for (const auto* claims : {&statement.claims, &statement.before}) {
      for (const Claim& claim : *claims) {
        used = used || std::find(claim.assumptions.begin(), claim.assumptions.end(), a.id) !=
                           claim.assumptions.end();
      }
    }
    if (used) {
      statement.assumptions.push_back(a);
    }
  }
}

void set_not_claimed(CaseRun& run) {
  std::vector<std::string>& out = run.statement.not_claimed;
  out = {"Anything about another model, dictionary, tokenizer or decoder than the listed ones.",
         "That a feature is the concept its name suggests: a claim about a feature is about one "
         "direction of one dictionary."};
  if (run.file.spec) {
    out.emplace_back(
        "That a property which HOLDS of the fitted automaton holds of the model: an edge that was "
        "not seen is not an absent one.");
  }
  if (!run.file.erasures.empty() || run.file.folded) {
    out.emplace_back(
        "That the model has forgotten an erased concept: non-linear probes still find it, other "
        "sites are untouched, and further training may bring it back.");
  }
  const std::vector<Claim>& claims = run.statement.claims;
  if (run.file.folded && std::none_of(claims.begin(), claims.end(),
                                      [](const Claim& c) { return c.kind == "unread"; })) {
    out.emplace_back(
        "What is left of the concept at the folded site: the eraser is folded in place, or its "
        "concept is not known here.");
  }
  if (run.file.bounds && run.file.bounds->request.empty()) {
    out.emplace_back(
        "That the claims over all contexts were chosen by anybody: they were proposed by rule "
        "from the text, and those that could be proved were kept.");
  }
  out.insert(out.end(), run.file.not_claimed.begin(), run.file.not_claimed.end());
}

/// The last certificate as evidence, for the report to compare with; the certificates that it named come along.
void add_previous(CaseRun& run) {
  if (run.file.previous.empty()) {
    return;
  }
  const std::string bytes = read_file(run.file.previous, kMaxEnvelopeBytes);
  const Envelope envelope = parse_envelope(bytes, run.file.previous.string());
  const Statement last = parse_statement(envelope.payload, run.file.previous.string());
  run.statement.certificate.previous_sha256 = sha256(envelope.payload).hex();
  const std::string id = run.statement.certificate.previous_sha256.substr(0, 16);
  add_evidence(run.statement, run.paths, "previous/" + id + ".cert.dsse.json", kPreviousRole,
               bytes);
  for (const Evidence& e : last.evidence) {
    const fs::path file = run.file.previous.parent_path() / "evidence" / e.name;
    if (e.role == kPreviousRole && fs::exists(file)) {
      add_evidence_file(run.statement, run.paths, e.name, kPreviousRole, file);
    }
  }
}

/// Ctrl-C between two stages: what is finished stays in evidence/, nothing is signed.
void run_stage(CaseRun& run, void (*stage)(CaseRun&)) {
  if (interrupted()) {
    throw Error(ExitCode::interrupted, "stopped; the finished evidence is in " +
                                           run.paths.evidence.string() + ", nothing was signed");
  }
  stage(run);
}

}  // namespace

Subject load_subject(const CaseFile& file) {
  if (file.model.empty() || (file.needs_text() && file.text.empty())) {
    throw UsageError(std::string("case: ") + (file.model.empty() ? "model" : "text") +
                     ": expected a path in the file or on the command line, found none");
  }
  Subject s;
  if (!file.text.empty()) {
    s.documents = load_corpus(file.text);
  }
  for (const auto& [name, path] : file.dictionaries) {
    s.dictionaries.emplace(name, load_sae(path));
  }
  if (!file.sampled.empty() && !file.needs_model()) {  // of any depth: specs are resolved for it
    const DeepModel deep = load_deep_model(file.model);
    s.model.config = deep.config;
    s.model.config_digest = deep.config_digest;
    s.model.weights_digest = deep.weights_digest;
    if (fs::exists(file.model / "tokenizer.json")) {
      s.tokenizer = Tokenizer::load(file.model / "tokenizer.json");
    }
  }
  if (!file.needs_model()) {
    return s;
  }
  s.model = load_transformer(file.model);
  s.tokenizer = Tokenizer::load(file.model / "tokenizer.json");
  if (s.tokenizer.size() != s.model.config.d_vocab) {
    throw InputError((file.model / "tokenizer.json").string(), "vocab",
                     std::to_string(s.model.config.d_vocab) + " tokens as in the model",
                     std::to_string(s.tokenizer.size()));
  }
  for (const auto& [name, sae] : s.dictionaries) {
    features::check_fits(s.model, sae);
  }
  return s;
}

std::string dictionary_folder(const std::string& name) {
  return "dictionaries/" + name;
}

CheckerRun require_accepted(const CaseRun& run, const std::string& certificate,
                            const std::vector<CheckInput>& inputs) {
  CheckerRun checked =
      run_checker(run.checker, run.file.model, run.paths.evidence, certificate, inputs);
  if (!checked.accepted) {
    throw Error(ExitCode::evidence,
                "assay-check did not accept " + certificate + ": " + checked.message);
  }
  return checked;
}

void require_recheck(Claim& claim, const CheckerRun& checked, const std::string& accepts,
                     const std::string& certificate, const std::vector<CheckInput>& inputs) {
  if (!attach_recheck(claim, checked, accepts, certificate, inputs)) {
    throw Error(ExitCode::evidence,
                "assay-check accepted nothing called '" + accepts + "' in " + certificate);
  }
}

void add_dictionaries(CaseRun& run) {
  for (const auto& [name, path] : run.file.dictionaries) {
    for (const char* part : {"cfg.json", "sae_weights.safetensors"}) {
      add_evidence_file(run.statement, run.paths, dictionary_folder(name) + "/" + part, "sae",
                        path / part);
    }
  }
}

CertifyResult certify_case(const CaseFile& file, const CertifyOptions& options,
                           const PrivateKey& key) {
  const Subject subject = load_subject(file);
  const fs::path checker = options.checker.empty() ? checker_beside_program() : options.checker;
  CaseRun run{file, subject, bundle_paths(options.out, file.name), checker, {}, {}};
  set_certificate(run, options.issued_at);
  run.statement.certificate.previous_sha256 = options.previous_sha256;
  std::error_code ignored;
  fs::remove(run.paths.envelope, ignored);
  set_subject(run.statement, file.name, file.model);
  add_evidence(run.statement, run.paths, "case.json", "case", file.bytes);
  add_previous(run);
  for (const auto stage : {add_folded, add_dictionaries, add_erasures, add_bound_claims,
                           add_site_claims, add_check_claims, add_automaton_claims, add_figures}) {
    run_stage(run, stage);
  }
  run_stage(run, add_sampled_claims);
  order_claims(run.statement.claims);
  add_folded_table(run);
  set_assumptions(run.statement);
  set_not_claimed(run);
  run.statement.commands = options.reproduction;
  const Envelope envelope = write_bundle(run.statement, run.paths, key);
  return {std::move(run.statement), run.paths.envelope, sha256(envelope.payload).hex(),
          key.public_key().key_id()};
}

}  // namespace assay::certify
