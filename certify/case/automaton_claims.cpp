#include "assay/automata/render.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/features/best_feature.hpp"
#include "assay/spec/print.hpp"
#include "assay/spec/resolve.hpp"
#include "assay/verify/check.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

constexpr const char* kSource = "spec/source.spec";
constexpr const char* kResolved = "spec/resolved.spec";
constexpr const char* kAutomaton = "automaton/automaton.json";
constexpr const char* kProof = "automaton/automaton.cert";
constexpr std::size_t kRuleTokens = 60000;  ///< of the fit split, for best_feature

/// The probe that a `use readout` means, by the case's table.
const Readout& probe_of(const CaseRun& run, const std::string& use) {
  const auto source = run.file.spec->readouts.find(use);
  if (source == run.file.spec->readouts.end()) {
    throw UsageError(run.file.spec->file.string() + ": readout " + visible(use) +
                     ": expected an entry in the case's spec.readouts, found none");
  }
  const auto probe = run.probes.find(source->second);
  if (probe == run.probes.end()) {
    throw Error(ExitCode::unknown, "readout " + visible(use) + ": the erasure of '" +
                                       source->second + "' was refused");
  }
  return probe->second;
}

const Sae& dictionary_of(const CaseRun& run, const std::string& use) {
  const auto found = run.subject.dictionaries.find(use);
  if (found == run.subject.dictionaries.end()) {
    throw UsageError(run.file.spec->file.string() + ": sae " + visible(use) +
                     ": expected an entry in the case's dictionaries, found none");
  }
  return found->second;
}

/// Names to ids and digests, before anything is run: the resolved file is what is certified.
spec::Spec resolve_spec(CaseRun& run) {
  const std::filesystem::path& file = run.file.spec->file;
  const std::string source = read_file(file, std::size_t{1} << 21U);
  const spec::Spec written = spec::parse_spec(source, file.string());
  const Subject& s = run.subject;
  spec::ResolveInput input;
  input.tokenizer = &s.tokenizer;
  input.vocabulary = s.model.config.d_vocab;
  input.model = s.model.weights_digest;
  for (const spec::Use& use : written.uses) {
    if (use.kind == "sae") {
      input.saes[use.name] = &dictionary_of(run, use.name);
    } else if (use.kind == "readout") {
      input.readouts[use.name] = probe_of(run, use.name).digest;
    }
  }
  input.best_feature = [&](const Sae& sae, const std::vector<TokenId>& ids) {
    const features::BestFeature best =
        features::best_feature(s.model, sae, s.tokenizer, ids, s.documents, kRuleTokens);
    run.statement.figures.push_back(
        {"Specification",
         "best feature of a token class: feature " + std::to_string(best.feature.at()),
         "F1 " + fixed(best.f1, 3),
         "precision " + fixed(best.precision, 3) + ", recall " + fixed(best.recall, 3) + " on " +
             std::to_string(best.tokens) + " tokens of the fit split"});
    return best.feature;
  };
  const std::string text = spec::print_spec(spec::resolve(written, file.string(), input));
  add_evidence(run.statement, run.paths, kSource, "spec", source);
  add_evidence(run.statement, run.paths, kResolved, "spec", text);
  run.statement.materials.push_back({"resolved specification", "spec", sha256(text)});
  return spec::parse_spec(text, kResolved);
}

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
        input.readouts.push_back({use.name, probe_of(run, use.name)});
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

Counterexample exhibit_of(const verify::CheckInput& input, const std::string& claim,
                          const verify::Violated& v) {
  const Tokenizer& tokenizer = *input.tokenizer;
  Counterexample out;
  out.claim = claim;
  out.prompt = tokenizer.decode(input.automaton->prompts[v.prompt]);
  out.replay =
      "Replayed on the model in outward-rounded arithmetic: every token surely lies in "
      "the decoder's support, and every atom is decided.";
  for (const verify::WitnessStep& step : v.steps) {
    RunStep shown{tokenizer.text(step.token), "", {}};
    for (std::size_t i = 0; i < input.spec->atoms.size(); ++i) {
      if (((step.letter >> i) & 1U) != 0) {
        shown.note += (shown.note.empty() ? "" : ", ") + input.spec->atoms[i].name;
      }
    }
    for (const auto& [feature, value] : step.live) {
      shown.features.emplace_back(feature, fixed(value, 3));
    }
    out.steps.push_back(std::move(shown));
  }
  if (!out.steps.empty()) {
    out.steps.back().note +=
        (out.steps.back().note.empty() ? "" : "; ") + std::string("violates here");
  }
  return out;
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
  c.formal = "all " + property.text;
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
            const verify::PropertyResult& p) {
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
    claim.counterexample = "counterexamples/" + claim.id + ".json";
    add_evidence(run.statement, run.paths, claim.counterexample, kCounterexampleRole,
                 counterexample_json(exhibit_of(input, claim.id, *violated)));
    claim.evidence.push_back(claim.counterexample);
  } else {
    const auto& unknown = std::get<verify::Unknown>(p.verdict);
    claim.domain = "the model under the named decoder";
    claim.reason =
        unknown.reason + (unknown.missing.empty() ? "." : "; missing: " + unknown.missing + ".");
  }
}

/// What the checker reads beside the certificate.
std::vector<CheckInput> proof_inputs(CaseRun& run, const spec::Spec& resolved) {
  std::vector<CheckInput> inputs = {{"spec", kResolved}, {"automaton", kAutomaton}};
  for (const spec::Use& use : resolved.uses) {
    if (use.kind == "sae") {
      inputs.push_back({"sae", dictionary_folder(use.name)});
    } else if (use.kind == "readout") {
      const std::string name = "readouts/" + use.name + ".json";
      add_evidence(run.statement, run.paths, name, "readout",
                   readout_json(probe_of(run, use.name)));
      inputs.push_back({"readout", use.name + "=" + name});
    }
  }
  return inputs;
}

void check(CaseRun& run, const spec::Spec& resolved, const automata::FitResult& fitted) {
  say("check the specification");
  verify::CheckInput input;
  input.spec = &resolved;
  input.statement = sha256(spec::print_spec(resolved));
  input.model = &run.subject.model;
  input.tokenizer = &run.subject.tokenizer;
  for (const spec::Use& use : resolved.uses) {
    if (use.kind == "sae") {
      input.saes[use.name] = &dictionary_of(run, use.name);
    } else if (use.kind == "readout") {
      input.readouts[use.name] = &probe_of(run, use.name);
    }
  }
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
    inputs = proof_inputs(run, resolved);
    checked = require_accepted(run, kProof, inputs);
  }
  for (std::size_t i = 0; i < result.properties.size(); ++i) {
    Claim claim = claim_of(resolved.properties[i], result.properties[i]);
    decide(claim, run, input, result.properties[i]);
    if (claim.status != Status::unknown) {
      require_recheck(claim, checked, result.properties[i].name, kProof, inputs);
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
    resolved = resolve_spec(run);
  }
  const automata::FitResult fitted = fit(run, resolved ? &*resolved : nullptr);
  add_cards(run, fitted);
  if (resolved) {
    check(run, *resolved, fitted);
  }
}

}  // namespace assay::certify
