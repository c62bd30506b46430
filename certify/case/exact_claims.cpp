#include <algorithm>

#include "../sign/run_claim.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/print.hpp"
#include "assay/verify/exact.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

constexpr std::size_t kMaxPrompts = std::size_t{1} << 26U;

/// One exact check of the case on its way to claims.
struct ExactRun {
  const ExactCase& file;
  std::string folder;  ///< among the evidence
  spec::Spec resolved;
  verify::ExactInput input;
  verify::ExactResult result;
  std::vector<CheckInput> checked_with;
  CheckerRun checked;

  [[nodiscard]] std::string certificate() const { return folder + "/exact.cert"; }
  [[nodiscard]] std::string runs() const { return folder + "/exact.runs"; }
};

verify::ExactInput input_of(const CaseRun& run, const ExactCase& e, const spec::Spec& resolved) {
  verify::ExactInput input;
  input.subject.spec = &resolved;
  input.subject.statement = sha256(spec::print_spec(resolved));
  input.subject.model = &run.subject.model;
  input.subject.tokenizer = &run.subject.tokenizer;
  name_sources(run, e.spec, resolved, input.subject);
  input.emission = automata::Emission::parse(e.decoder);
  if (!e.allow.empty()) {
    input.emission.allow(e.allow, resolved, run.subject.model.config.d_vocab);
  }
  input.prompts = verify::parse_prompts(read_file(e.prompts, kMaxPrompts), e.prompts.string(),
                                        run.subject.model.config.d_vocab);
  input.max_new = e.max_new;
  input.wants_certificate = input.wants_opinion = true;
  if (e.states > 0) {
    input.limits.states = e.states;
  }
  return input;
}

Claim claim_of(const ExactRun& exact, const spec::Property& property,
               const verify::ExactProperty& p) {
  Claim c;
  c.id = exact.file.name + "." + p.name;
  c.kind = "exact";
  c.spec_ref = exact.folder + "/resolved.spec:" + std::to_string(property.place.line);
  c.formal =
      property.claim == spec::Property::Claim::all ? "all " + property.text : property.claim_text();
  const auto doc = property.attributes.find("doc");
  c.text = doc == property.attributes.end() ? p.name : doc->second;
  c.assumptions = {kReal, kTokens, kDecoder};
  c.evidence = {exact.folder + "/source.spec", exact.folder + "/resolved.spec"};
  for (const std::string& why : p.vacuous) {
    c.defeaters.push_back({"vacuous: " + why, "open"});
  }
  if (p.alarm()) {
    c.defeaters.push_back({p.solver + " contradicts the invariant: " + p.opinion_detail, "open"});
  }
  if (!p.expected.empty() && p.expected != p.verdict_name()) {
    c.defeaters.push_back({"the specification's author expected " + p.expected, "open"});
  }
  return c;
}

/// The checker prints formulas token by token.
std::string without_spaces(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

/// The signed claim speaks of what the checker accepted: its domain and formula are the checker's words.
void take_words(Claim& claim, bool holds) {
  const std::optional<RunClaim> words = parse_run_claim(claim.recheck->statement);
  if (!words || words->holds != holds ||
      without_spaces(words->formal) != without_spaces(claim.formal)) {
    throw Error(ExitCode::evidence, "claim " + claim.id +
                                        ": assay-check accepted another statement: " +
                                        visible(claim.recheck->statement));
  }
  claim.domain = words->domain_text();
  claim.formal = words->formal;
}

void set_decided(Claim& claim, const ExactRun& exact, const std::string& property, bool holds) {
  claim.status = holds ? Status::holds : Status::violated;
  claim.level = Level::proved;
  claim.chain = {{holds ? "an invariant of the exact machine: every window that a run can reach is "
                          "evaluated again by the checker (EXACT)"
                        : "a run of the model, replayed in outward-rounded arithmetic (WITNESS)",
                  Level::proved}};
  claim.evidence.push_back(exact.runs());
  require_recheck(claim, exact.checked, property, exact.certificate(), exact.checked_with);
  take_words(claim, holds);
}

void set_undecided(Claim& claim, const ExactRun& exact, const verify::ExactProperty& p) {
  claim.domain = "every run of the model under decoder " + exact.input.emission.text();
  const auto* unknown = std::get_if<verify::Unknown>(&p.verdict);
  if (std::holds_alternative<verify::ExactChance>(p.verdict)) {
    claim.reason =
        "a case does not sign probabilities: assay check decides this claim, with a "
        "certificate of its own.";
    return;
  }
  if (unknown == nullptr && !std::holds_alternative<verify::ExactHolds>(p.verdict)) {
    claim.reason =
        "a case does not sign claims about some run or about endless runs: assay check decides this "
        "claim, with a certificate of its own.";
    return;
  }
  claim.reason =
      unknown == nullptr
          ? "it held in the producer's own pass, over more windows than assay-check evaluates "
            "again."
          : unknown->reason +
                (unknown->missing.empty() ? "." : "; missing: " + unknown->missing + ".");
}

void add_claim(CaseRun& run, const ExactRun& exact, const verify::ExactProperty& p,
               const spec::Property& property) {
  Claim claim = claim_of(exact, property, p);
  const auto* holds = std::get_if<verify::ExactHolds>(&p.verdict);
  const auto* lasso = std::get_if<verify::ExactViolated>(&p.verdict);
  if (p.some || std::holds_alternative<verify::ExactEndless>(p.verdict) ||
      (lasso != nullptr && lasso->loop > 0)) {
    set_undecided(claim, exact, p);
  } else if (holds != nullptr && holds->is_checkable()) {
    set_decided(claim, exact, p.name, true);
  } else if (const auto* violated = std::get_if<verify::ExactViolated>(&p.verdict)) {
    claim.counterexample = "counterexamples/" + claim.id + ".json";
    add_evidence(run.statement, run.paths, claim.counterexample, kCounterexampleRole,
                 counterexample_json(
                     run_exhibit(exact.input.subject, claim.id, violated->prompt, violated->run)));
    claim.evidence.push_back(claim.counterexample);
    set_decided(claim, exact, p.name, false);
  } else {
    set_undecided(claim, exact, p);
  }
  run.statement.claims.push_back(std::move(claim));
}

void add_exact(CaseRun& run, const ExactCase& e) {
  say("exact check '" + e.name + "'");
  ExactRun exact{e, "exact/" + e.name, {}, {}, {}, {}, {}};
  exact.resolved = resolve_spec(run, e.spec, exact.folder);
  exact.input = input_of(run, e, exact.resolved);
  exact.result = verify::check_exact(exact.input);
  add_evidence(run.statement, run.paths, exact.runs(), "runs", exact.result.runs);
  if (!exact.result.certificate.empty()) {
    add_evidence(run.statement, run.paths, exact.certificate(), "proof", exact.result.certificate);
    exact.checked_with = proof_inputs(run, e.spec, exact.resolved, exact.folder);
    exact.checked_with.push_back({"runs", exact.runs()});
    exact.checked = require_accepted(run, exact.certificate(), exact.checked_with);
  }
  for (std::size_t i = 0; i < exact.result.properties.size(); ++i) {
    add_claim(run, exact, exact.result.properties[i], exact.resolved.properties[i]);
  }
}

}  // namespace

void add_exact_claims(CaseRun& run) {
  for (const ExactCase& e : run.file.exact) {
    add_exact(run, e);
  }
}

}  // namespace assay::certify
