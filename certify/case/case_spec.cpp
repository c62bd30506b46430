#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/verdict_exhibits.hpp"
#include "assay/features/best_feature.hpp"
#include "assay/spec/print.hpp"
#include "assay/spec/resolve.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

constexpr std::size_t kRuleTokens = 60000;  ///< of the fit split, for best_feature

const Sae& dictionary_of(const CaseRun& run, const SpecCase& spec, const std::string& use) {
  const auto found = run.subject.dictionaries.find(use);
  if (found == run.subject.dictionaries.end()) {
    throw UsageError(spec.file.string() + ": sae " + visible(use) +
                     ": expected an entry in the case's dictionaries, found none");
  }
  return found->second;
}

/// The rule `best_feature`, and its figures for the report.
FeatureId best_of(CaseRun& run, const SpecCase& spec, const Sae& sae,
                  const std::vector<TokenId>& ids) {
  const Subject& s = run.subject;
  const auto& named = s.dictionaries;
  const auto at = std::find_if(named.begin(), named.end(),
                               [&](const auto& entry) { return &entry.second == &sae; });
  require(at != named.end(), "best_of: a dictionary of another case");
  const auto key = std::pair(at->first, ids);
  if (const auto known = run.chosen.find(key); known != run.chosen.end()) {
    return known->second;
  }
  if (s.documents.empty()) {
    throw UsageError(spec.file.string() +
                     ": best_feature: expected the case's text to choose by, found none");
  }
  const features::BestFeature best =
      features::best_feature(s.model, sae, s.tokenizer, ids, s.documents, kRuleTokens);
  run.statement.figures.push_back(
      {"Specification",
       "best feature of a token class: feature " + std::to_string(best.feature.at()),
       "F1 " + fixed(best.f1, 3),
       "precision " + fixed(best.precision, 3) + ", recall " + fixed(best.recall, 3) + " on " +
           std::to_string(best.tokens) + " tokens of the fit split"});
  run.chosen.emplace(key, best.feature);
  return best.feature;
}

}  // namespace

const Readout& probe_of(const CaseRun& run, const SpecCase& spec, const std::string& use) {
  const auto source = spec.readouts.find(use);
  if (source == spec.readouts.end()) {
    throw UsageError(spec.file.string() + ": readout " + visible(use) +
                     ": expected an entry in the case's spec.readouts, found none");
  }
  const auto probe = run.probes.find(source->second);
  if (probe == run.probes.end()) {
    throw Error(ExitCode::unknown, "readout " + visible(use) + ": the erasure of '" +
                                       source->second + "' was refused");
  }
  return probe->second;
}

spec::Spec resolve_spec(CaseRun& run, const SpecCase& spec, const std::string& folder) {
  const std::string source = read_file(spec.file, std::size_t{1} << 21U);
  const spec::Spec written = spec::parse_spec(source, spec.file.string());
  const Subject& s = run.subject;
  spec::ResolveInput input;
  input.tokenizer = s.tokenizer.size() > 0 ? &s.tokenizer : nullptr;
  input.vocabulary = s.model.config.d_vocab;
  input.model = s.model.weights_digest;
  for (const spec::Use& use : written.uses) {
    if (use.kind == "sae") {
      input.saes[use.name] = &dictionary_of(run, spec, use.name);
    } else if (use.kind == "readout") {
      input.readouts[use.name] = probe_of(run, spec, use.name).digest;
    }
  }
  input.best_feature = [&](const Sae& sae, const std::vector<TokenId>& ids) {
    return best_of(run, spec, sae, ids);
  };
  const std::string text = spec::print_spec(spec::resolve(written, spec.file.string(), input));
  const std::string resolved = folder + "/resolved.spec";
  add_evidence(run.statement, run.paths, folder + "/source.spec", "spec", source);
  add_evidence(run.statement, run.paths, resolved, "spec", text);
  run.statement.materials.push_back(
      {"resolved specification" + (folder == "spec" ? "" : " of " + folder), "spec", sha256(text)});
  return spec::parse_spec(text, resolved);
}

const spec::Property& property_of(const spec::Spec& spec, const std::string& name) {
  const auto found =
      std::find_if(spec.properties.begin(), spec.properties.end(),
                   [&](const spec::Property& property) { return property.name == name; });
  require(found != spec.properties.end(), "property_of: an unknown name");
  return *found;
}

void name_sources(const CaseRun& run, const SpecCase& spec, const spec::Spec& resolved,
                  verify::CheckInput& input) {
  for (const spec::Use& use : resolved.uses) {
    if (use.kind == "sae") {
      input.saes[use.name] = &dictionary_of(run, spec, use.name);
    } else if (use.kind == "readout") {
      input.readouts[use.name] = &probe_of(run, spec, use.name);
    }
  }
}

std::vector<CheckInput> proof_inputs(CaseRun& run, const SpecCase& spec, const spec::Spec& resolved,
                                     const std::string& folder) {
  std::vector<CheckInput> inputs = {{"spec", folder + "/resolved.spec"}};
  for (const spec::Use& use : resolved.uses) {
    if (use.kind == "sae") {
      inputs.push_back({"sae", dictionary_folder(use.name)});
    } else if (use.kind == "readout") {
      const std::string name =
          (folder == "spec" ? "" : folder + "/") + "readouts/" + use.name + ".json";
      add_evidence(run.statement, run.paths, name, "readout",
                   readout_json(probe_of(run, spec, use.name)));
      inputs.push_back({"readout", use.name + "=" + name});
    }
  }
  return inputs;
}

void add_property(CaseRun& run, Claim& claim, const spec::Spec& spec,
                  const spec::Property& property) {
  const std::string name = "properties/" + claim.id + ".json";
  add_evidence(run.statement, run.paths, name, kPropertyRole,
               property_json(property_exhibit(
                   spec, property, claim.id,
                   run.subject.tokenizer.size() > 0 ? &run.subject.tokenizer : nullptr)));
  claim.evidence.push_back(name);
}

void add_run(CaseRun& run, Claim& claim, const verify::CheckInput& input,
             const spec::Property& property, const std::vector<TokenId>& prompt,
             const verify::Violated& violated, std::size_t loop) {
  claim.counterexample = "counterexamples/" + claim.id + ".json";
  add_evidence(run.statement, run.paths, claim.counterexample, kCounterexampleRole,
               counterexample_json(run_exhibit(input, property, claim.id, prompt, violated, loop)));
  claim.evidence.push_back(claim.counterexample);
}

}  // namespace assay::certify
