#include "assay/automata/render.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/print.hpp"
#include "assay/verify/check.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

constexpr const char* kFolder = "spec";
constexpr const char* kSource = "spec/source.spec";
constexpr const char* kResolved = "spec/resolved.spec";
constexpr const char* kAutomaton = "automaton/automaton.json";
constexpr const char* kProof = "automaton/automaton.cert";

automata::FitResult fit(CaseRun& run, const spec::Spec* resolved) {
  const AutomatonCase& a = *run.file.automaton;
  automata::FitInput input;
  input.model = &run.subject.model;
  input.sae = &run.subject.dictionaries.at(a.dictionary);
  input.tokenizer = &run.subject.tokenizer;
  input.documents = &run.subject.documents;
  input.decoder = run.file.decoder;
  input.runs = a.runs;
  input.max_new = a.max_new;
  input.prompt_length = a.prompt_length;
  input.features = a.features;
  input.max_states = a.max_states;
  input.seed = run.file.seed;
  if (resolved != nullptr) {
    input.specs.push_back(resolved);
    for (const spec::Use& use : resolved->uses) {
      if (use.kind == "readout") {
        input.readouts.push_back({use.name, probe_of(run, *run.file.spec, use.name)});
      }
    }
  }
  automata::FitResult result = automata::fit_automaton(input);
  const std::filesystem::path folder = run.paths.evidence / "automaton";
  make_directory(folder);
  const bool drawn = automata::write_automaton(folder, input, result);
  const auto keep = [&](const char* name, const char* role) {
    add_evidence_file(run.statement, run.paths, std::string("automaton/") + name, role,
                      folder / name);
  };
  keep("automaton.json", kAutomatonRole);
  keep("samples.jsonl", "samples");
  keep("automaton.hoa", "automaton-hoa");
  keep("automaton.dot", "automaton-dot");
  if (drawn) {
    keep("automaton.svg", kPictureRole);
  }
  return result;
}

std::string opinion_of(const verify::PropertyResult& p) {
  return p.solver == "none"
             ? "not asked: built without Z3"
             : p.solver + ": invariant " + p.invariant_opinion + ", reachability " +
                   (p.reachability_opinion.empty() ? "not asked" : p.reachability_opinion);
}

Claim claim_of(const spec::Property& property, const verify::PropertyResult& p) {
  Claim c;
  c.id = "spec." + p.name;
  c.kind = "spec";
  c.spec_ref = std::string(kResolved) + ":" + std::to_string(property.place.line);
  c.formal = property.claim_text();
  const auto doc = property.attributes.find("doc");
  c.text = doc == property.attributes.end() ? p.name : doc->second;
  c.assumptions = {kTokens, kDecoder};
  c.evidence = {kSource, kResolved, kAutomaton};
  for (const std::string& why : p.vacuous) {
    c.defeaters.push_back({"vacuous: " + why, "open"});
  }
  if (!p.as_expected()) {
    c.defeaters.push_back({"the specification's author expected " + p.expected, "open"});
  }
  return c;
}

void decide(Claim& claim, CaseRun& run, const verify::CheckInput& input,
            const spec::Property& property, const verify::PropertyResult& p) {
  if (std::holds_alternative<verify::Holds>(p.verdict)) {
    claim.status = Status::holds;
    claim.level = Level::observed;
    claim.domain = "every run of the automaton fitted to the sampled runs";
    claim.chain = {
        {"inductive invariant of the fitted automaton; second opinion of " + opinion_of(p),
         Level::proved},
        {"the automaton was fitted to " + std::to_string(input.automaton->runs) +
             " sampled runs: an unseen edge is not an absent one",
         Level::observed}};
  } else if (const auto* violated = std::get_if<verify::Violated>(&p.verdict)) {
    claim.status = Status::violated;
    claim.level = Level::proved;
    claim.domain = "the model itself, under the named decoder";
    claim.chain = {{"a run of the model, replayed in outward-rounded arithmetic", Level::proved}};
    add_run(run, claim, input, property, input.automaton->prompts[violated->prompt], *violated);
  } else {
    const auto& unknown = std::get<verify::Unknown>(p.verdict);
    claim.domain = "the model under the named decoder";
    claim.reason =
        unknown.reason + (unknown.missing.empty() ? "." : "; missing: " + unknown.missing + ".");
  }
}

void check(CaseRun& run, const spec::Spec& resolved, const automata::FitResult& fitted) {
  say("check the specification");
  verify::CheckInput input;
  input.spec = &resolved;
  input.statement = sha256(spec::print_spec(resolved));
  input.model = &run.subject.model;
  input.tokenizer = &run.subject.tokenizer;
  name_sources(run, *run.file.spec, resolved, input);
  input.properties = run.file.spec->properties;
  input.automaton = &fitted.automaton;
  input.automaton_digest = sha256_file(run.paths.evidence / kAutomaton);
  input.samples =
      verify::parse_samples(automata::samples_jsonl(fitted.automaton), "samples.jsonl",
                            fitted.automaton.prompts.size(), run.subject.model.config.d_vocab);
  const verify::CheckResult result = verify::check(input);
  run.statement.environment["solver"] = result.properties.front().solver;
  std::vector<CheckInput> inputs;
  CheckerRun checked;
  if (!result.certificate.empty()) {
    add_evidence(run.statement, run.paths, kProof, "proof", result.certificate);
    inputs = proof_inputs(run, *run.file.spec, resolved, kFolder);
    inputs.push_back({"automaton", kAutomaton});
    checked = require_accepted(run, kProof, inputs);
  }
  for (const verify::PropertyResult& p : result.properties) {
    const spec::Property& property = property_of(resolved, p.name);
    Claim claim = claim_of(property, p);
    add_property(run, claim, resolved, property);
    decide(claim, run, input, property, p);
    if (claim.status != Status::unknown) {
      require_recheck(claim, checked, p.name, kProof, inputs);
    }
    run.statement.claims.push_back(std::move(claim));
  }
}

}  // namespace

void add_automaton_claims(CaseRun& run) {
  if (!run.file.automaton) {
    return;
  }
  std::optional<spec::Spec> resolved;
  if (run.file.spec) {
    say("resolve the specification");
    resolved = resolve_spec(run, *run.file.spec, kFolder);
  }
  const automata::FitResult fitted = fit(run, resolved ? &*resolved : nullptr);
  add_cards(run, fitted);
  if (resolved) {
    check(run, *resolved, fitted);
  }
}

}  // namespace assay::certify
