#include "sampled_recheck.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "../case/case_run.hpp"
#include "../case/sampled_claim.hpp"
#include "../case/sampled_subject.hpp"
#include "../emit/json_profile.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "sampled_faults.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = std::size_t{1} << 30U;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ExitCode::evidence, what);
}

/// Of "sampled/NAME/plan.json".
SampledPlace place_of(const std::string& plan) {
  const std::size_t begin = plan.find('/') + 1, end = plan.rfind('/');
  SampledPlace place{end >= begin && end != std::string::npos ? plan.substr(begin, end - begin)
                                                              : ""};
  if (place.file("plan.json") != plan) {
    refuse("expected sampled/NAME/plan.json, found '" + visible(plan) + "'");
  }
  return place;
}

/// The claims of one plan, and everything that it names.
class PlanRecheck {
 public:
  PlanRecheck(const Statement& statement, const fs::path& evidence,
              std::vector<const Claim*> claims)
      : statement_(statement),
        evidence_(evidence),
        claims_(std::move(claims)),
        first_(*claims_.front()->statistics),
        place_(place_of(first_.plan)) {}

  void run(const fs::path& model_directory) {
    const std::string text = file_of(first_.plan, first_.plan_sha256, "sampling plan");
    const std::string resolved_name = place_.file("resolved.spec");
    const std::string spec_text = read_file(evidence_ / listed(resolved_name), kMostBytes);
    const spec::Spec resolved = spec::parse_spec(spec_text, resolved_name);
    SampledSubject subject(model_directory);
    load_sources(resolved, subject);
    const verify::SampleInput input = input_of(text, resolved, subject);
    if (verify::sampling_plan(input) != text) {
      refuse("the plan is not the one of this model, spec, prompts, decoder and ledger");
    }
    check_claims(input);
    count(input);
  }

  [[nodiscard]] const std::string& step() const { return step_; }
  /// Ids of the claims whose every word was made anew, those of properties that are not counted included.
  [[nodiscard]] const std::set<std::string>& confirmed() const { return confirmed_; }

 private:
  /// Only what the statement lists was looked at; the rest of the folder is nobody's word.
  [[nodiscard]] const std::string& listed(const std::string& name) const {
    const auto found = std::find_if(statement_.evidence.begin(), statement_.evidence.end(),
                                    [&](const Evidence& e) { return e.name == name; });
    if (found == statement_.evidence.end()) {
      refuse("'" + visible(name) + "' is not listed as evidence");
    }
    return found->name;
  }
  [[nodiscard]] std::string file_of(const std::string& name, const std::string& digest,
                                    const char* what) const {
    std::string text = read_file(evidence_ / listed(name), kMostBytes);
    if (sha256(text).hex() != digest) {
      refuse(std::string("the ") + what + " is not the one of the stated digest");
    }
    return text;
  }

  void load_sources(const spec::Spec& resolved, SampledSubject& subject) {
    for (const spec::Use& use : resolved.uses) {
      if (use.kind == "sae") {
        (void)listed("dictionaries/" + use.name + "/sae_weights.safetensors");
        saes_.emplace(use.name, load_sae(evidence_ / "dictionaries" / use.name));
        subject.saes[use.name] = &saes_.at(use.name);
        if (use.sha256 != saes_.at(use.name).weights_digest) {
          refuse("dictionary " + visible(use.name) + " is not the one of the spec");
        }
      } else if (use.kind == "readout") {
        const std::string name = place_.file("readouts/" + use.name + ".json");
        readouts_.emplace(use.name, load_readout(evidence_ / listed(name)));
        subject.readouts[use.name] = &readouts_.at(use.name);
        if (use.sha256 != readouts_.at(use.name).digest) {
          refuse("readout " + visible(use.name) + " is not the one of the spec");
        }
      }
    }
  }

  /// The plan's own fields, read strictly; that they are all of it is what comparing the texts shows.
  [[nodiscard]] verify::SampleInput input_of(const std::string& text, const spec::Spec& resolved,
                                             const SampledSubject& subject) const {
    const nlohmann::json value = parse_profile_json(text, first_.plan);
    const ObjectReader plan(value, first_.plan);
    const ObjectReader words = plan.object("words");
    SampledPlan p;
    p.decoder = words.text("decoder");
    p.allow = words.text("allow");
    p.prompts = file_of(first_.prompts, first_.prompts_sha256, "law of prompts");
    p.prompts_name = first_.prompts;
    p.runs = plan.count("runs");
    p.max_new = plan.count("maxNew");
    p.alpha = parse_rational(plan.text("alpha"));
    p.seed = seed_of(plan.text("seed"));
    verify::SampleInput input = sample_input(subject, p, resolved);
    for (const ObjectReader& property : plan.objects("properties")) {
      input.split[property.text("name")] = parse_rational(property.text("alpha"));
      input.subject.properties.push_back(property.text("name"));
    }
    return input;
  }

  static std::uint64_t seed_of(const std::string& text) {
    if (text.empty() || text.size() > 20 ||
        text.find_first_not_of("0123456789") != std::string::npos) {
      refuse("the plan's seed is no number");
    }
    return std::stoull(text);
  }

  /// One claim a property of the plan, each of its own fields as the plan says.
  void check_claims(const verify::SampleInput& input) {
    const std::map<std::string, Rational> ledger = verify::alpha_ledger(input);
    std::map<std::string, const Claim*> by_property;
    for (const Claim* claim : claims_) {
      const Statistics& s = *claim->statistics;
      const std::string name = claim->id.substr(claim->id.rfind('.') + 1);
      const auto share = ledger.find(name);
      if (share == ledger.end() || !by_property.emplace(name, claim).second) {
        refuse("claim '" + visible(claim->id) + "' is about no property of its plan");
      }
      if (s.n != input.runs || s.seed != std::to_string(input.seed) ||
          s.decoder != input.emission.text() || s.alpha != share->second.text() ||
          s.runs != first_.runs || s.prompts != first_.prompts ||
          s.prompts_sha256 != first_.prompts_sha256 || s.plan_sha256 != first_.plan_sha256) {
        refuse("claim '" + visible(claim->id) + "' says something else than its plan");
      }
      check_words(*claim, input, name);
    }
    for (const spec::Property& property : input.subject.spec->properties) {
      if (!by_property.contains(property.name)) {
        check_uncounted(property, input);
      }
      confirmed_.insert(place_.claim(property.name));
    }
  }

  /// A property without numbers is one whose rate cannot be counted, and says so.
  void check_uncounted(const spec::Property& property, const verify::SampleInput& input) const {
    const std::string why = verify::beyond_sampling(input, property);
    const auto stated =
        std::find_if(statement_.claims.begin(), statement_.claims.end(),
                     [&](const Claim& c) { return c.id == place_.claim(property.name); });
    if (why.empty() || stated == statement_.claims.end() ||
        *stated != uncounted_claim(place_, input, property, why)) {
      refuse("property '" + visible(property.name) +
             "' of the spec is not claimed: what came out must not choose what is said");
    }
  }

  /// Every word of a claim is the one that its numbers give, whoever signed it.
  void check_words(const Claim& stated, const verify::SampleInput& input,
                   const std::string& name) const {
    Claim again = rate_claim(place_, input, property_of(*input.subject.spec, name),
                             *stated.statistics, stated.threshold);
    if (!stated.counterexample.empty()) {  // its bytes: `compare`
      again.counterexample = "counterexamples/" + again.id + ".json";
      again.evidence.push_back(again.counterexample);
    }
    if (stated != again) {
      refuse("claim '" + visible(stated.id) + "' does not say what its numbers say");
    }
  }

  void count(const verify::SampleInput& input) {
    const std::vector<SampledRun> stated =
        parse_runs_jsonl(read_file(evidence_ / listed(first_.runs), kMostBytes), first_.runs,
                         input.model->config.d_vocab);
    std::vector<SampledRun> drawn = verify::draw_runs(input);
    if (stated.size() != drawn.size()) {
      refuse("the runs are not as many as planned");
    }
    std::size_t parted = 0;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      const bool same = stated[i].prompt == drawn[i].prompt &&
                        stated[i].tokens == drawn[i].tokens &&
                        stated[i].is_over == drawn[i].is_over;
      if (!same && drawn[i].slack >= kNearTie) {
        refuse("run " + std::to_string(i) + " is not the one that its seed draws");
      }
      parted += same ? 0 : 1;
    }
    // A run that parts is a near tie here, and counts neither way whatever it says.
    const verify::SampleResult result = verify::count_runs(input, std::move(drawn));
    for (const Claim* claim : claims_) {
      compare(*claim, input, result);
    }
    step_ =
        std::to_string(result.runs.size()) + " runs of '" + visible(place_.name) +
        "' drawn and counted again" +
        (parted > 0 ? "; " + std::to_string(parted) + " part behind a near tie, not decided" : "");
  }

  void compare(const Claim& claim, const verify::SampleInput& input,
               const verify::SampleResult& result) const {
    const std::string name = claim.id.substr(claim.id.rfind('.') + 1);
    const auto p = std::find_if(result.properties.begin(), result.properties.end(),
                                [&](const verify::SampledProperty& q) { return q.name == name; });
    if (p == result.properties.end() || p->violated != claim.statistics->k ||
        p->undecided != claim.statistics->undecided) {
      refuse("claim '" + visible(claim.id) + "': counting again gives other numbers");
    }
    const auto shown = counterexample_file(place_, input, result, *p);
    if (shown.has_value() == claim.counterexample.empty() ||
        (shown && read_file(evidence_ / listed(claim.counterexample), kMostBytes) != *shown)) {
      refuse("claim '" + visible(claim.id) +
             "': its counterexample is not the first violating run that replays");
    }
  }

  const Statement& statement_;
  const fs::path& evidence_;
  std::vector<const Claim*> claims_;
  const Statistics& first_;
  SampledPlace place_;
  std::map<std::string, Sae> saes_;
  std::map<std::string, Readout> readouts_;
  std::string step_;
  std::set<std::string> confirmed_;
};

}  // namespace

SampledRecheck recheck_sampled(const Statement& statement, const fs::path& evidence,
                               const fs::path& model) {
  SampledFaults seen = sampled_faults(statement);
  SampledRecheck out;
  out.faults = std::move(seen.faults);
  std::set<std::string> confirmed;
  for (const auto& [plan, claims] : seen.plans) {
    if (!out.faults.empty()) {
      break;  // what is already refused is not drawn again
    }
    try {
      PlanRecheck recheck(statement, evidence, claims);
      recheck.run(model);
      out.steps.push_back(recheck.step());
      out.recounted += claims.size();
      confirmed.insert(recheck.confirmed().begin(), recheck.confirmed().end());
    } catch (const Error& e) {
      out.faults.push_back("sampling plan '" + visible(plan) + "': " + e.what());
    }
  }
  for (const Claim& claim : statement.claims) {
    if (out.faults.empty() && claim.kind == kRateKind && !confirmed.contains(claim.id)) {
      out.faults.push_back("claim '" + visible(claim.id) + "' is about no property of a plan");
    }
  }
  return out;
}

}  // namespace assay::certify
