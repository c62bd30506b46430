#include <algorithm>
#include <utility>

#include "../sign/staging.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/fold_claims.hpp"
#include "assay/erase/in_model.hpp"
#include "assay/features/encode.hpp"
#include "case_run.hpp"
#include "folded_claim.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

/// The same case about the base model: what is asked of both, and nothing else.
CaseFile case_before(const CaseFile& file) {
  CaseFile before = file;
  before.model = file.folded->base;
  before.dictionaries = file.folded->dictionaries;
  before.folded.reset();
  before.bounds.reset();
  before.erasures.clear();
  before.sampled.clear();
  before.sites.clear();
  return before;
}

std::string within(const std::string& name) {
  return std::string(kBeforeFolder) + "/" + name;
}

/// Names of evidence in a claim of the base model, as the whole certificate has them.
void rename_evidence(Claim& claim) {
  for (std::string& name : claim.evidence) {
    name = within(name);
  }
  if (!claim.counterexample.empty()) {
    claim.counterexample = within(claim.counterexample);
  }
  if (claim.recheck) {
    claim.recheck->certificate = within(claim.recheck->certificate);
    for (CheckInput& input : claim.recheck->inputs) {
      const std::string file = evidence_name(input);
      input.name = input.name.substr(0, input.name.size() - file.size()) + within(file);
    }
  }
}

/// Everything that the case asks, asked of the base model first; its choices of features are the case's.
void ask_before(CaseRun& run, const CaseFile& file, const Subject& subject) {
  say("the base model");
  BundlePaths paths = run.paths;
  paths.evidence /= kBeforeFolder;
  CaseRun before{file, subject, paths, run.checker, {}, {}};
  for (const auto& [name, path] : run.file.folded->readouts) {
    before.probes.emplace(name, load_readout(path));
  }
  add_dictionaries(before);
  add_check_claims(before);
  add_automaton_claims(before);
  for (Evidence& e : before.statement.evidence) {
    run.statement.evidence.push_back({within(e.name), "before-" + e.role, e.size, e.sha256});
  }
  for (Claim& claim : before.statement.claims) {
    rename_evidence(claim);
    run.statement.before.push_back(std::move(claim));
  }
  run.chosen = std::move(before.chosen);
}

std::vector<std::string> add_sources(CaseRun& run) {
  const FoldedCase& f = *run.file.folded;
  std::vector<std::string> names;
  const auto add = [&](const std::string& folder, const fs::path& from, const char* file,
                       const char* role) {
    names.push_back(folder + "/" + file);
    add_evidence_file(run.statement, run.paths, names.back(), role, from / file);
  };
  for (const char* file : {"config.json", "model.safetensors"}) {
    add(kBaseModel, f.base, file, "base-model");
  }
  for (const char* file : {"eraser.json", "eraser.safetensors"}) {
    add(kEraserFolder, f.eraser, file, "eraser");
  }
  return names;
}

/// Dictionaries and readouts of the case have to be those of the base, folded.
void fold_sources(CaseRun& run, const erase::Fold& fold, const Subject& before,
                  const fs::path& scratch) {
  for (const auto& [name, sae] : run.subject.dictionaries) {
    save_sae(scratch, erase::fold_sae(fold, before.dictionaries.at(name)));
    if (load_sae(scratch).weights_digest != sae.weights_digest) {
      throw UsageError("case: dictionaries." + visible(name) + ": expected folded.dictionaries." +
                       visible(name) +
                       " with the eraser folded in (assay fold --sae), found another");
    }
  }
  for (const auto& [name, path] : run.file.folded->readouts) {
    Readout after = erase::fold_readout(fold, load_readout(path));
    after.digest = sha256(readout_json(after));
    run.probes.emplace(name, std::move(after));
  }
}

Claim site_claim(const erase::Fold& fold, const AcceptLine& line,
                 const std::vector<std::string>& request, const erase::ResidualClaim* residual) {
  Claim c;
  c.id = "erasure.site." + line.claim;
  c.kind = residual == nullptr ? "unread" : "residual";
  for (const std::string& row : request) {
    if (row.starts_with(c.kind + " " + line.claim + " ")) {
      c.formal = row;
    }
  }
  c.status = Status::holds;
  c.level = line.level;
  if (residual == nullptr) {
    c.text = "No later layer reads the directions that the eraser takes away, for every input.";
    c.domain = "every input of " + fold.eraser.hook + " in the folded model";
    c.chain = {{"zero rows of the stored weights, read by the checker (UNREAD)", line.level}};
    return c;
  }
  c.text = "On the listed rows no affine predictor of '" + residual->id +
           "' from what later layers read has an R² above " + residual->residual.tau.text() + ".";
  c.domain = "the rows of " + residual->data_file + ": activations of " + fold.eraser.hook +
             " in the folded model";
  c.bound = residual->residual.tau.text();
  c.unit = "R²";
  c.assumptions = {kRows};
  c.chain = {{"exact integers on the listed rows, and a positive-definiteness test", line.level}};
  c.defeaters.push_back(
      {"A non-linear reader may still find the concept; what follows the site is "
       "one.",
       "accepted"});
  return c;
}

/// UNREAD and RESIDUAL of the folded site, where the fold changes coordinates and the concept is known.
void add_site(CaseRun& run, const erase::Fold& fold, const erase::EraserOrigin& origin) {
  const FoldedCase& f = *run.file.folded;
  const std::optional<erase::Concept> labelled =
      f.concept_name.empty() ? erase::own_concept(origin)
                             : std::optional(erase::make_concept(f.concept_name, f.regex, 0));
  if (!labelled || !fold.changes_coordinates) {
    return;  // said among what is not claimed
  }
  const auto view = erase::view_files(fold, run.subject.model.weights_digest, origin);
  const erase::FoldClaims made =
      erase::certify_fold(fold,
                          {run.subject.model, run.subject.tokenizer, run.subject.documents,
                           *labelled, f.max_tokens, run.file.seed},
                          view.config, view.weights);
  const std::string folder = "erasure/site", inside = folder + "/";
  const auto add = [&](const std::string& name, const char* role, const std::string& bytes) {
    add_evidence(run.statement, run.paths, inside + name, role, bytes);
  };
  add("eraser.json", "eraser", view.config);
  add("eraser.safetensors", "eraser", view.weights);
  std::vector<CheckInput> inputs = {{"eraser", folder}, {"request", folder + "/erasure.request"}};
  std::vector<std::string> request;
  for (const auto& [name, bytes] : made.files) {
    add(name, name == "erasure.cert" ? "proof" : "erasure", bytes);
    if (name.ends_with(".safetensors")) {
      inputs.push_back({"data", inside + name});
    } else if (name == "erasure.request") {
      request = split(bytes, '\n');
    }
  }
  const std::string certificate = folder + "/erasure.cert";
  const CheckerRun checked = require_accepted(run, certificate, inputs);
  for (const AcceptLine& line : checked.accepts) {
    const auto& claims = made.residuals.claims;
    const auto residual = std::find_if(claims.begin(), claims.end(),
                                       [&](const auto& c) { return c.id == line.claim; });
    Claim claim = site_claim(fold, line, request, residual == claims.end() ? nullptr : &*residual);
    claim.spec_ref = folder + "/erasure.request";
    claim.evidence = {folder + "/erasure.request", folder + "/eraser.json",
                      folder + "/eraser.safetensors"};
    require_recheck(claim, checked, line.claim, certificate, inputs);
    run.statement.claims.push_back(std::move(claim));
  }
}

void add_cost(CaseRun& run, const Subject& before) {
  const auto sequences = features::part_sequences(before.model, before.tokenizer, before.documents,
                                                  Part::held_out, run.file.folded->max_tokens);
  const std::string file = sequences_json(sequences);
  add_evidence(run.statement, run.paths, kSequences, "erasure", file);
  run.statement.claims.push_back(
      cost_claim(cost_of(before.model, run.subject.model, sequences), sha256(file)));
}

}  // namespace

bool is_erasure_kind(const std::string& kind) {
  return kind == "residual" || kind == "unread" || kind == kFoldKind || kind == kCostKind;
}

void add_folded(CaseRun& run) {
  if (!run.file.folded) {
    return;
  }
  say("fold the eraser");
  const CaseFile file = case_before(run.file);
  const Subject before = load_subject(file);
  const erase::LoadedEraser eraser = erase::load_eraser(run.file.folded->eraser);
  erase::need_model(eraser, before.model);
  const erase::Fold fold = erase::fold(before.model, eraser.eraser);
  const Staging scratch;
  const std::string difference = fold_difference(fold, run.subject.model.config_digest,
                                                 run.subject.model.weights_digest, scratch.path());
  if (!difference.empty()) {
    throw UsageError("case: model: " + difference);
  }
  fold_sources(run, fold, before, scratch.path());
  run.statement.claims.push_back(fold_claim(eraser, before.model.weights_digest, add_sources(run)));
  add_site(run, fold, eraser.origin);
  add_cost(run, before);
  ask_before(run, file, before);
}

void add_folded_table(CaseRun& run) {
  if (!run.file.folded) {
    return;
  }
  const std::string unlike = unlike_before(run.statement);
  if (!unlike.empty()) {
    throw Error(ExitCode::internal, "folded case: " + unlike);
  }
  Table table = folded_table(run.statement);
  if (!table.rows.empty()) {
    run.statement.tables.push_back(std::move(table));
  }
}

}  // namespace assay::certify
