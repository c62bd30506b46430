#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/features/encode.hpp"
#include "assay/spec/print.hpp"
#include "case_run.hpp"
#include "sampled_subject.hpp"

namespace assay::certify {
namespace {

constexpr std::size_t kMaxPrompts = std::size_t{1} << 26U;

/// One sampled check of the case on its way to claims.
struct SampledCheck {
  const SampledCase& file;
  std::string folder;  ///< among the evidence
  const spec::Spec& resolved;
  const verify::SampleInput& input;
  const verify::SampleResult& result;

  [[nodiscard]] std::string plan() const { return folder + "/plan.json"; }
  [[nodiscard]] std::string runs() const { return folder + "/runs.jsonl"; }
  [[nodiscard]] std::string prompts() const { return folder + "/prompts.json"; }
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
  s.plan = check.plan();
  s.runs = check.runs();
  s.prompts = check.prompts();
  s.seed = std::to_string(check.input.seed);
  s.decoder = check.input.emission.text();
  s.plan_sha256 = sha256(check.result.plan).hex();
  s.prompts_sha256 = check.input.prompts.digest().hex();
  return s;
}

/// millionths / 10^6 > limit
bool exceeds(std::uint32_t millionths, const Rational& limit) {
  __extension__ using Wide = __int128;
  return Wide{millionths} * limit.den > Wide{limit.num} * 1000000;
}

/// With a limit the claim is that the rate is at most that, without one that it lies within the interval.
void decide(Claim& claim, const SampledCheck& check, const verify::SampledProperty& p) {
  const std::string rate = "the rate of runs that violate it lies between " +
                           automata::millionths(p.interval.lo) + " and " +
                           automata::millionths(p.interval.hi);
  claim.bound = automata::millionths(p.interval.hi);
  claim.unit = "of the runs";
  claim.status = Status::holds;
  if (check.file.at_most) {
    claim.threshold = check.file.at_most->text();
    const bool above = exceeds(p.interval.lo, *check.file.at_most);
    const bool within = !exceeds(p.interval.hi, *check.file.at_most);
    claim.status = above ? Status::violated : within ? Status::holds : Status::unknown;
    if (claim.status == Status::unknown) {
      claim.reason = rate + ", on both sides of " + claim.threshold + "; missing: more runs.";
      return;
    }
  }
  claim.level = Level::statistical;
  claim.chain = {{rate + ", with confidence 1 - " + p.alpha.text() + ": " +
                      std::to_string(p.violated) + " of " +
                      std::to_string(check.result.runs.size()) +
                      " independently drawn runs do (exact Clopper-Pearson interval; the plan was fixed "
                      "before the draw)",
                  Level::statistical}};
}

void show_counterexample(CaseRun& run, const SampledCheck& check, Claim& claim,
                         const verify::SampledProperty& p) {
  const auto found =
      std::find_if(p.counterexamples.begin(), p.counterexamples.end(),
                   [](const verify::Counterexample& c) { return c.replayed.has_value(); });
  if (found == p.counterexamples.end() || check.input.subject.tokenizer == nullptr) {
    return;
  }
  claim.counterexample = "counterexamples/" + claim.id + ".json";
  add_evidence(run.statement, run.paths, claim.counterexample, kCounterexampleRole,
               counterexample_json(run_exhibit(check.input.subject, claim.id,
                                               check.result.runs[found->run].prompt,
                                               *found->replayed)));
  claim.evidence.push_back(claim.counterexample);
}

void add_claim(CaseRun& run, const SampledCheck& check, const spec::Property& property,
               const verify::SampledProperty& p) {
  Claim c;
  c.id = check.file.name + "." + property.name;
  c.kind = "sampled";
  c.spec_ref = check.folder + "/resolved.spec:" + std::to_string(property.place.line);
  SampledWords words = sampled_words(check.input, property, automata::millionths(p.interval.lo),
                                     automata::millionths(p.interval.hi),
                                     check.file.at_most ? check.file.at_most->text() : "");
  c.formal = std::move(words.formal);
  c.text = std::move(words.text);
  c.domain = std::move(words.domain);
  c.assumptions = {kTokens, kDecoder};
  c.evidence = {check.folder + "/source.spec", check.folder + "/resolved.spec", check.plan(),
                check.prompts(), check.runs()};
  if (!p.skipped.empty()) {
    c.reason = "not counted: " + p.skipped + ".";
  } else {
    c.statistics = statistics_of(check, p);
    decide(c, check, p);
    show_counterexample(run, check, c, p);
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
  const std::string folder = "sampled/" + s.name;
  const spec::Spec resolved = resolve_spec(run, s.spec, folder);
  SampledSubject subject(run.file.model);
  name_sampled_sources(run, s.spec, resolved, subject);
  const std::string prompts = read_file(s.prompts, kMaxPrompts);
  const SampledPlan plan{s.decoder, s.allow,   prompts, s.prompts.string(),
                         s.runs,    s.max_new, s.alpha, run.file.seed};
  const verify::SampleInput input = sample_input(subject, plan, resolved);
  // The plan is written before anything is drawn.
  add_evidence(run.statement, run.paths, folder + "/plan.json", "samplingPlan",
               verify::sampling_plan(input));
  add_evidence(run.statement, run.paths, folder + "/prompts.json", "prompts", prompts);
  const verify::SampleResult result = verify::count_runs(input, verify::draw_runs(input));
  add_evidence(run.statement, run.paths, folder + "/runs.jsonl", "sampled-runs",
               runs_jsonl(result.runs));
  run.statement.materials.push_back(
      {"sampling plan " + s.name, "samplingPlan", sha256(result.plan)});
  (void)proof_inputs(run, s.spec, resolved, folder);  // readouts, for whoever counts again
  const SampledCheck check{s, folder, resolved, input, result};
  for (const verify::SampledProperty& p : result.properties) {
    const auto property = std::find_if(resolved.properties.begin(), resolved.properties.end(),
                                       [&](const spec::Property& q) { return q.name == p.name; });
    add_claim(run, check, *property, p);
  }
}

}  // namespace

void add_sampled_claims(CaseRun& run) {
  for (const SampledCase& s : run.file.sampled) {
    add_sampled(run, s);
  }
}

}  // namespace assay::certify
