#include "assay/certify/repair.hpp"

#include <algorithm>
#include <set>

#include "assay/automata/emission.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/spec.hpp"
#include "remedy.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

/// Kinds of claims that a change of decoder or weights can make PROVED.
bool is_repairable(const Claim& claim) {
  return is_check_kind(claim.kind) || claim.kind == "feature-off" || claim.kind == "token-out";
}

const Claim* target_of(const RepairOptions& options, const Statement& old, RepairResult& result) {
  const Claim* target = nullptr;
  for (const Claim& claim : old.claims) {
    const bool asked = options.claim.empty()
                           ? claim.status == Status::violated && is_repairable(claim)
                           : claim.id == options.claim;
    if (asked && target == nullptr) {
      target = &claim;
    } else if (claim.status == Status::violated) {
      result.other_violated.push_back(claim.id);
    }
  }
  if (!options.claim.empty() && target == nullptr) {
    throw UsageError("--claim: expected a claim of the certificate, found " +
                     visible(options.claim));
  }
  if (target != nullptr && target->status != Status::violated) {
    throw UsageError("--claim: expected a violated claim, found " + visible(target->id) + ", " +
                     status_name(target->status));
  }
  if (target != nullptr && !is_repairable(*target)) {
    throw UsageError("--claim: expected a claim of the case's checks or bounds, found " +
                     visible(target->id) + ", of kind " + visible(target->kind) +
                     ", which no change can make PROVED");
  }
  return target;
}

CaseFile case_of(const RepairOptions& options, const Statement& old) {
  const std::string bytes = read_file(options.case_file, std::size_t{1} << 20U);
  const auto entry = std::find_if(old.evidence.begin(), old.evidence.end(),
                                  [](const Evidence& e) { return e.name == "case.json"; });
  if (entry == old.evidence.end() || sha256(bytes) != entry->sha256) {
    throw UsageError(options.case_file.string() +
                     ": expected the case file of the certificate, found another");
  }
  CaseFile file = parse_case(bytes, fs::absolute(options.case_file));
  file.model = options.original.model_dir;
  if (!options.text.empty()) {
    file.text = options.text;
  }
  for (const auto& [name, path] : options.dictionaries) {
    if (file.dictionaries.count(name) == 0) {
      throw UsageError("--sae: expected a name of the case's dictionaries, found " + visible(name));
    }
    file.dictionaries[name] = path;
  }
  return file;
}

void load_probes(Repair& repair) {
  const auto take = [&](const SpecCase& spec, const std::string& folder) {
    for (const auto& [use, source] : spec.readouts) {
      const std::string name = folder + "readouts/" + use + ".json";
      const auto& list = repair.old.evidence;
      if (std::any_of(list.begin(), list.end(),
                      [&](const Evidence& e) { return e.name == name; })) {
        const fs::path copy = repair.scratch.path() / "probe.json";
        write_file_atomic(copy, evidence_bytes(repair, name));
        repair.probes.emplace(source, load_readout(copy));
      }
    }
  };
  for (const CheckCase& check : repair.file.checks) {
    take(check.spec, "checks/" + check.name + "/");
  }
  if (repair.file.spec) {
    take(*repair.file.spec, "");
  }
}

void set_target(Repair& repair, const Claim& target) {
  repair.target = target;
  const std::size_t dot = target.id.find('.');
  for (const CheckCase& check : repair.file.checks) {
    if (is_check_kind(target.kind) && check.name == target.id.substr(0, dot)) {
      repair.check = check.name;
      repair.property = target.id.substr(dot + 1);
      repair.decoder = check.decoder;
      repair.allow = check.allow;
    }
  }
  if (target.kind == "token-out") {
    const Decoder& d = repair.file.decoder;
    repair.decoder = "min-p:" + d.min_p.text() + ":" + d.temperature.text() + ":" +
                     (d.order == TemperatureOrder::before ? "before" : "after");
  }
  if (repair.check.empty() && (is_check_kind(target.kind) || !repair.file.bounds)) {
    throw UsageError("case: expected to ask '" + visible(target.id) + "', found nothing of it");
  }
}

/// The words in which statements name the decoder of the target's check.
std::string decoder_words(const Repair& repair, const CaseFile& file) {
  for (const CheckCase& check : file.checks) {
    if (check.name == repair.check) {
      automata::Emission emission = automata::Emission::parse(check.decoder);
      if (!check.allow.empty()) {
        const std::string name = "checks/" + check.name + "/resolved.spec";
        emission.allow(check.allow, spec::parse_spec(evidence_bytes(repair, name), name),
                       repair.subject.model.config.d_vocab);
      }
      return emission.text();
    }
  }
  return "";
}

/// Claims whose specification is another one than before, whatever their formulas say.
void compare_questions(const Repair& repair, const Statement& now, const fs::path& evidence,
                       std::vector<ClaimChange>& changes) {
  std::map<std::string, std::string> problems;  // by specification
  for (const Claim& claim : repair.old.claims) {
    const std::string name = claim.spec_ref.substr(0, claim.spec_ref.rfind(':'));
    if (!name.ends_with("resolved.spec") || problems.contains(name)) {
      continue;
    }
    const bool listed = std::any_of(now.evidence.begin(), now.evidence.end(),
                                    [&](const Evidence& e) { return e.name == name; });
    problems[name] = listed && question_of(read_file(evidence / name)) ==
                                   question_of(evidence_bytes(repair, name))
                         ? ""
                         : "its specification is resolved to another question";
  }
  for (ClaimChange& change : changes) {
    for (const Claim& claim : repair.old.claims) {
      const auto problem = problems.find(claim.spec_ref.substr(0, claim.spec_ref.rfind(':')));
      if (claim.id == change.id && problem != problems.end() && change.broken.empty() &&
          (claim.status == Status::holds || claim.id == repair.target.id)) {
        change.broken = problem->second;
      }
    }
  }
}

void clear(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    fs::remove_all(entry.path());
  }
}

/// The target holds, PROVED, and nothing is broken; else why not.
std::string verdict_on(const Repair& repair, const Statement& now,
                       const std::vector<ClaimChange>& changes) {
  const auto target = std::find_if(now.claims.begin(), now.claims.end(),
                                   [&](const Claim& c) { return c.id == repair.target.id; });
  if (target == now.claims.end() || target->status != Status::holds ||
      target->level != Level::proved) {
    return "in the whole case '" + repair.target.id + "' does not hold (PROVED)";
  }
  std::string out;
  for (const ClaimChange& change : changes) {
    if (!change.broken.empty()) {
      out += (out.empty() ? "" : "; ") + ("'" + change.id + "': " + change.broken);
    }
  }
  return out.empty() ? "" : "it breaks what held: " + out;
}

/// As a third party would, with the public half of the key.
void verify_again(const Repair& repair, const CertifyResult& made, const CaseFile& file,
                  const PrivateKey& key) {
  VerifyOptions options;
  options.certificate = made.envelope;
  options.model_dir = file.model;
  options.key_file = repair.scratch.path() / "public.pem";
  options.checker = repair.options.original.checker;
  options.at = repair.options.issued_at.value_or("");
  options.timeout_seconds = repair.options.original.timeout_seconds;
  write_file_atomic(options.key_file, key.public_key().pem());
  const VerifyResult result = verify(options);
  if (result.code != ExitCode::ok) {
    throw Error(ExitCode::internal,
                "the new certificate does not verify: " + result.findings.front().text);
  }
}

/// The whole case with the remedy. False, with the reason in the attempt, when it may not be called a repair.
bool certify_remedy(const Repair& repair, Candidate& candidate, const PrivateKey& key,
                    RepairResult& result) {
  const RepairOptions& o = repair.options;
  say("certify the case: " + candidate.attempt.words);
  candidate.attempt.stage = Attempt::Stage::rejected;
  clear(o.out);
  try {
    const CaseFile file = remedied_case(repair, candidate.remedy, o.out, true);
    CertifyOptions settings;
    settings.out = o.out;
    settings.checker = o.original.checker;
    settings.issued_at = o.issued_at;
    settings.reproduction = {"assay certify case.json --key PRIVATE.pem --out DIR"};
    const CertifyResult made = certify_case(file, settings, key);
    std::vector<ClaimChange> changes =
        compare_claims(repair.old, made.statement, decoder_words(repair, repair.file),
                       decoder_words(repair, file));
    compare_questions(repair, made.statement, o.out / "evidence", changes);
    candidate.attempt.outcome = verdict_on(repair, made.statement, changes);
    if (!candidate.attempt.outcome.empty()) {
      clear(o.out);
      return false;
    }
    verify_again(repair, made, file, key);
    candidate.attempt.stage = Attempt::Stage::repaired;
    result.changes = std::move(changes);
    result.envelope = made.envelope;
    result.payload_sha256 = made.payload_sha256;
    result.verdict = verdict_of(made.statement.claims);
    for (const Claim& claim : made.statement.claims) {
      for (const Defeater& doubt : claim.defeaters) {
        if (claim.id == repair.target.id && doubt.state == "open") {
          result.doubts.push_back(doubt.text);
        }
      }
    }
    return true;
  } catch (const Error& e) {
    clear(o.out);
    if (e.code() == ExitCode::internal || e.code() == ExitCode::interrupted) {
      throw;
    }
    candidate.attempt.outcome = e.what();
    return false;
  }
}

/// Those that hold, by what they cost; without a text in the order of their trials.
std::vector<std::size_t> by_cost(const std::vector<Candidate>& candidates) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].attempt.stage == Attempt::Stage::holds) {
      out.push_back(i);
    }
  }
  const auto cost = [&](std::size_t i) {
    return candidates[i].attempt.cost ? candidates[i].attempt.cost->after : 0.0;
  };
  std::stable_sort(out.begin(), out.end(),
                   [&](std::size_t a, std::size_t b) { return cost(a) < cost(b); });
  return out;
}

void search(const Repair& repair, const PrivateKey& key, std::vector<Candidate>& candidates,
            RepairResult& result) {
  const Trial original = try_case(repair, repair.file);
  if (original.claim.status != Status::violated) {
    throw Error(ExitCode::unknown, "asked again, '" + visible(repair.target.id) +
                                       "' is not violated: certify the case anew");
  }
  candidates = search_remedies(repair, original);
  for (Candidate& c : candidates) {
    if (c.attempt.stage == Attempt::Stage::holds && !interrupted()) {
      c.attempt.cost =
          cost_of(repair, remedied_case(repair, c.remedy, repair.scratch.path() / "remedy", false));
    }
  }
  std::size_t certified = 0;
  for (const std::size_t i : by_cost(candidates)) {
    Candidate& c = candidates[i];
    if (result.chosen) {
      c.attempt.outcome = "not certified: a cheaper remedy was found";
    } else if (certified == repair.options.certifications) {
      c.attempt.outcome = "not certified: the budget of " + std::to_string(certified) +
                          " whole certifications is used up";
    } else if (interrupted()) {
      throw Error(ExitCode::interrupted, "stopped");
    } else {
      ++certified;
      result.chosen = certify_remedy(repair, c, key, result) ? std::optional(i) : std::nullopt;
    }
  }
}

void need_empty(const fs::path& folder) {
  make_directory(folder);
  if (!fs::is_empty(folder)) {
    throw UsageError("--out: expected a new or empty directory, found " + folder.string());
  }
}

}  // namespace

RepairResult repair(const RepairOptions& options, const PrivateKey& key) {
  RepairResult result;
  result.original = verify(options.original);
  if (result.original.code != ExitCode::ok) {
    result.code = result.original.code;
    return result;
  }
  Repair r{options,
           *result.original.statement,
           case_of(options, *result.original.statement),
           {},
           {},
           {},
           {},
           {},
           {},
           {},
           {}};
  const Claim* const target = target_of(options, r.old, result);
  if (target == nullptr) {
    return result;  // nothing that can be repaired is violated
  }
  result.claim = target->id;
  need_empty(options.out);
  r.subject = load_subject(r.file);
  set_target(r, *target);
  load_probes(r);
  std::vector<Candidate> candidates;
  try {
    search(r, key, candidates, result);
  } catch (const Error& e) {
    if (e.code() != ExitCode::interrupted) {
      throw;
    }
    result.interrupted = true;
  }
  result.interrupted = result.interrupted || (interrupted() && !result.chosen);
  for (Candidate& c : candidates) {
    result.attempts.push_back(std::move(c.attempt));
  }
  result.code = result.chosen        ? ExitCode::ok
                : result.interrupted ? ExitCode::interrupted
                                     : ExitCode::unknown;
  return result;
}

}  // namespace assay::certify
