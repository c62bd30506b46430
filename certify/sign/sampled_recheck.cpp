#include "sampled_recheck.hpp"

#include <algorithm>
#include <map>

#include "../case/sampled_subject.hpp"
#include "../emit/json_profile.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/model/generation.hpp"
#include "exact_interval.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = std::size_t{1} << 30U;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ExitCode::evidence, what);
}

std::string parent(const std::string& name) {
  return name.substr(0, name.rfind('/'));
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
        folder_(parent(first_.plan)) {}

  void run(const fs::path& model_directory) {
    const std::string text = file_of(first_.plan, first_.plan_sha256, "sampling plan");
    const std::string resolved_name = folder_ + "/resolved.spec";
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

  [[nodiscard]] std::string step() const { return step_; }

 private:
  /// Only what the statement lists was looked at; the rest of the folder is nobody's word.
  [[nodiscard]] const std::string& listed(const std::string& name) const {
    const auto found =
        std::find_if(statement_.evidence.begin(), statement_.evidence.end(),
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
        const std::string name = folder_ + "/readouts/" + use.name + ".json";
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
  void check_claims(const verify::SampleInput& input) const {
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
    if (by_property.size() != ledger.size()) {
      refuse("a property of the plan is not claimed: what came out must not choose what is said");
    }
  }

  static void check_words(const Claim& claim, const verify::SampleInput& input,
                          const std::string& name) {
    const auto& all = input.subject.spec->properties;
    const auto property = std::find_if(all.begin(), all.end(),
                                       [&](const spec::Property& p) { return p.name == name; });
    const Statistics& s = *claim.statistics;
    const SampledWords words = sampled_words(input, *property, s.lo, s.hi, claim.threshold);
    if (claim.formal != words.formal || claim.text != words.text ||
        claim.domain != words.domain) {
      refuse("claim '" + visible(claim.id) + "': its words are not those of its numbers");
    }
  }

  void count(const verify::SampleInput& input) {
    std::vector<SampledRun> stated = parse_runs_jsonl(
        read_file(evidence_ / listed(first_.runs), kMostBytes), first_.runs,
        input.model->config.d_vocab);
    const std::vector<SampledRun> drawn = verify::draw_runs(input);
    if (stated.size() != drawn.size()) {
      refuse("the runs are not as many as planned");
    }
    std::size_t parted = 0;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      const bool same = stated[i].prompt == drawn[i].prompt &&
                        stated[i].tokens == drawn[i].tokens && stated[i].is_over == drawn[i].is_over;
      if (!same && drawn[i].slack >= kNearTie) {
        refuse("run " + std::to_string(i) + " is not the one that its seed draws");
      }
      if (!same && (stated[i].prompt != drawn[i].prompt || !can_be_emitted(input, stated[i]))) {
        refuse("run " + std::to_string(i) + " is none of the model under the decoder");
      }
      parted += same ? 0 : 1;
    }
    const verify::SampleResult result = verify::count_runs(input, std::move(stated));
    for (const Claim* claim : claims_) {
      compare(*claim, result);
    }
    step_ = std::to_string(result.runs.size()) + " runs of '" + visible(folder_) +
            "' drawn and counted again" +
            (parted > 0 ? "; " + std::to_string(parted) + " part behind a near tie" : "");
  }

  /// Every token in the decoder's support, to within what a near tie may move.
  static bool can_be_emitted(const verify::SampleInput& input, const SampledRun& run) {
    const DecoderRule rule = input.emission.rule();
    std::vector<TokenId> context = run.prompt;
    for (const TokenId token : run.tokens) {
      const TokenLaw law = token_law(rule, next_logits(*input.model, context));
      if (!std::binary_search(law.tokens.begin(), law.tokens.end(), token) &&
          law.slack >= kNearTie) {
        return false;
      }
      context.push_back(token);
    }
    return run.tokens.size() <= input.max_new;
  }

  static void compare(const Claim& claim, const verify::SampleResult& result) {
    const std::string name = claim.id.substr(claim.id.rfind('.') + 1);
    const auto p = std::find_if(result.properties.begin(), result.properties.end(),
                                [&](const verify::SampledProperty& q) { return q.name == name; });
    if (p == result.properties.end() || p->violated != claim.statistics->k ||
        p->undecided != claim.statistics->undecided) {
      refuse("claim '" + visible(claim.id) + "': counting again gives other numbers");
    }
  }

  const Statement& statement_;
  const fs::path& evidence_;
  std::vector<const Claim*> claims_;
  const Statistics& first_;
  std::string folder_;
  std::map<std::string, Sae> saes_;
  std::map<std::string, Readout> readouts_;
  std::string step_;
};

/// millionths / 10^6 > limit
bool exceeds(std::uint32_t millionths, const Rational& limit) {
  __extension__ using Wide = __int128;
  return Wide{millionths} * limit.den > Wide{limit.num} * 1000000;
}

/// The claim's interval, and its status as the interval and the threshold say. Empty: no fault.
std::string claim_fault(const Claim& claim) {
  const Statistics& s = *claim.statistics;
  const StatedInterval stated{parse_millionths(s.lo), parse_millionths(s.hi)};
  if (std::string fault = interval_fault(s.n, s.k, s.undecided, parse_rational(s.alpha), stated);
      !fault.empty()) {
    return fault;
  }
  if (claim.bound != s.hi) {
    return "its bound is not the upper end of its interval";
  }
  Status status = Status::holds;
  if (!claim.threshold.empty()) {
    const Rational limit = parse_rational(claim.threshold);
    status = exceeds(stated.lo, limit)    ? Status::violated
             : !exceeds(stated.hi, limit) ? Status::holds
                                          : Status::unknown;
  }
  if (claim.status != status) {
    return "it says " + status_name(claim.status) + ", its interval says " + status_name(status);
  }
  return status != Status::unknown && claim.level != Level::statistical
             ? "its level is not STATISTICAL"
             : "";
}

}  // namespace

SampledRecheck recheck_sampled(const Statement& statement, const fs::path& evidence,
                               const fs::path& model) {
  SampledRecheck out;
  std::map<std::string, std::vector<const Claim*>> plans;
  for (const Claim& claim : statement.claims) {
    const std::string name = "claim '" + visible(claim.id) + "'";
    if (!claim.statistics) {
      if (claim.status != Status::unknown && claim.level == Level::statistical) {
        out.faults.push_back(name + " says STATISTICAL and has no statistics to recompute");
      }
      continue;
    }
    try {
      if (const std::string fault = claim_fault(claim); !fault.empty()) {
        out.faults.push_back(name + ": " + fault);
      }
    } catch (const Error& e) {
      out.faults.push_back(name + ": " + e.what());
    }
    plans[claim.statistics->plan].push_back(&claim);
  }
  for (const auto& [plan, claims] : plans) {
    if (!out.faults.empty()) {
      break;  // what is already refused is not drawn again
    }
    try {
      PlanRecheck recheck(statement, evidence, claims);
      recheck.run(model);
      out.steps.push_back(recheck.step());
      out.recounted += claims.size();
    } catch (const Error& e) {
      out.faults.push_back("sampling plan '" + visible(plan) + "': " + e.what());
    }
  }
  return out;
}

}  // namespace assay::certify
