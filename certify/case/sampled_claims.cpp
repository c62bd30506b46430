#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/features/encode.hpp"
#include "assay/spec/print.hpp"
#include "case_run.hpp"
#include "sampled_claim.hpp"
#include "sampled_subject.hpp"

namespace assay::certify {
namespace {

constexpr std::size_t kMaxPrompts = std::size_t{1} << 26U;

/// One sampled check of the case on its way to claims.
struct SampledCheck {
  const SampledCase& file;
  SampledPlace place;
  const verify::SampleInput& input;
  const verify::SampleResult& result;
};

Statistics statistics_of(const SampledCheck& check, const verify::SampledProperty& p) {
  Statistics s;
  s.n = check.result.runs.size();
  s.k = p.violated;
  s.undecided = p.undecided;
  s.alpha = p.alpha.text();
  s.lo = automata::millionths(p.interval.lo);
  s.hi = automata::millionths(p.interval.hi);
  s.method = kClopperPearson;
  s.plan = check.place.file("plan.json");
  s.runs = check.place.file("runs.jsonl");
  s.prompts = check.place.file("prompts.json");
  s.seed = std::to_string(check.input.seed);
  s.decoder = check.input.emission.text();
  s.plan_sha256 = sha256(check.result.plan).hex();
  s.prompts_sha256 = check.input.prompts.digest().hex();
  return s;
}

void add_claim(CaseRun& run, const SampledCheck& check, const spec::Property& property,
               const verify::SampledProperty& p) {
  if (!p.skipped.empty()) {
    run.statement.claims.push_back(uncounted_claim(check.place, check.input, property, p.skipped));
    return;
  }
  Claim c = rate_claim(check.place, check.input, property, statistics_of(check, p),
                       check.file.at_most ? check.file.at_most->text() : "");
  if (const auto shown = counterexample_file(check.place, check.input, check.result, p)) {
    c.counterexample = "counterexamples/" + c.id + ".json";
    add_evidence(run.statement, run.paths, c.counterexample, kCounterexampleRole, *shown);
    c.evidence.push_back(c.counterexample);
  }
  run.statement.claims.push_back(std::move(c));
}

void name_sampled_sources(const CaseRun& run, const SpecCase& spec, const spec::Spec& resolved,
                          SampledSubject& subject) {
  verify::CheckInput sources;
  name_sources(run, spec, resolved, sources);
  subject.saes = std::move(sources.saes);
  subject.readouts = std::move(sources.readouts);
  for (const auto& [name, sae] : subject.saes) {
    if (subject.one_layer) {
      features::check_fits(*subject.one_layer, *sae);
    }
  }
}

void add_sampled(CaseRun& run, const SampledCase& s) {
  say("sample '" + s.name + "'");
  const SampledPlace place{s.name};
  const std::string folder = place.folder();
  const spec::Spec resolved = resolve_spec(run, s.spec, folder);
  SampledSubject subject(run.file.model);
  name_sampled_sources(run, s.spec, resolved, subject);
  const std::string prompts = read_file(s.prompts, kMaxPrompts);
  const SampledPlan plan{s.decoder, s.allow,   prompts, s.prompts.string(),
                         s.runs,    s.max_new, s.alpha, run.file.seed};
  const verify::SampleInput input = sample_input(subject, plan, resolved);
  // The plan is written before anything is drawn.
  add_evidence(run.statement, run.paths, place.file("plan.json"), "samplingPlan",
               verify::sampling_plan(input));
  add_evidence(run.statement, run.paths, place.file("prompts.json"), "prompts", prompts);
  const verify::SampleResult result = verify::count_runs(input, verify::draw_runs(input));
  add_evidence(run.statement, run.paths, place.file("runs.jsonl"), "sampled-runs",
               runs_jsonl(result.runs));
  run.statement.materials.push_back(
      {"sampling plan " + s.name, "samplingPlan", sha256(result.plan)});
  (void)proof_inputs(run, s.spec, resolved, folder);  // readouts, for whoever counts again
  const SampledCheck check{s, place, input, result};
  for (const verify::SampledProperty& p : result.properties) {
    add_claim(run, check, property_of(resolved, p.name), p);
  }
}

}  // namespace

void add_sampled_claims(CaseRun& run) {
  for (const SampledCase& s : run.file.sampled) {
    add_sampled(run, s);
  }
  if (!run.file.sampled.empty()) {
    run.statement.figures.push_back(alpha_figure(run.statement.claims));
  }
}

}  // namespace assay::certify
