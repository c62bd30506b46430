#include "evidence_recheck.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "assay/base/text.hpp"
#include "assay/certify/checker.hpp"
#include "folded_recheck.hpp"
#include "proof_header.hpp"
#include "request_claim.hpp"
#include "run_claim.hpp"
#include "sampled_recheck.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFittedDomain = "every run of the automaton fitted to the sampled runs";

class EvidenceRecheck {
 public:
  EvidenceRecheck(const VerifyOptions& options, VerifyResult& result)
      : options_(options), result_(result) {}

  /// STATISTICAL claims: interval, plan, ledger, runs.
  void recount(const fs::path& evidence_dir) {
    const SampledRecheck again = recheck_sampled(statement(), evidence_dir, options_.model_dir);
    for (const std::string& fault : again.faults) {
      fail(ExitCode::evidence, fault);
    }
    for (const std::string& done : again.steps) {
      step(done);
    }
    result_.recounted = again.recounted;
  }

  /// A model with an eraser folded in: the fold, its sources and its cost.
  void refold(const fs::path& evidence_dir) {
    const FoldedRecheck folded = recheck_folded(statement(), evidence_dir, options_.model_dir);
    for (const std::string& fault : folded.faults) {
      fail(ExitCode::evidence, fault);
    }
    for (const std::string& done : folded.steps) {
      step(done);
    }
  }

  void recheck(const fs::path& evidence_dir) {
    const std::size_t groups = recheck_claims(evidence_dir, statement().claims, subject());
    const std::size_t own = result_.rechecked;
    if (own + result_.recounted == 0 && result_.findings.empty()) {
      fail(ExitCode::unknown,
           "nothing was re-checked: no claim names a proof and says more than UNKNOWN");
    }
    step(std::to_string(own) + " claims accepted again by assay-check in " +
         std::to_string(groups) + " runs");
    if (!statement().before.empty()) {
      const std::size_t more =
          recheck_claims(evidence_dir, statement().before, base_model(evidence_dir));
      step(std::to_string(result_.rechecked - own) + " claims about the base model in " +
           std::to_string(more) + " more runs");
    }
  }

 private:
  [[nodiscard]] const Statement& statement() const { return *result_.statement; }
  void fail(ExitCode code, const std::string& text) { result_.findings.push_back({code, text}); }
  void step(const std::string& text) { result_.steps.push_back(text); }

  /// The model that claims speak of, and the digests of its two files.
  struct Subject {
    fs::path model;
    std::optional<Digest> config, weights;
  };
  [[nodiscard]] Subject subject() const {
    const Manifest manifest{statement().subject_files};
    const ManifestEntry* config = manifest.find("config.json");
    const ManifestEntry* weights = manifest.find("model.safetensors");
    return {options_.model_dir, config != nullptr ? std::optional(config->sha256) : std::nullopt,
            weights != nullptr ? std::optional(weights->sha256) : std::nullopt};
  }
  [[nodiscard]] Subject base_model(const fs::path& evidence_dir) const {
    Subject out{evidence_dir / kBaseModel, {}, {}};
    for (const Evidence& e : statement().evidence) {
      out.config = e.name == std::string(kBaseModel) + "/config.json" ? e.sha256 : out.config;
      out.weights =
          e.name == std::string(kBaseModel) + "/model.safetensors" ? e.sha256 : out.weights;
    }
    return out;
  }

  /// One run per proof group; claims that share certificate and inputs share the run. Returns the number of runs.
  std::size_t recheck_claims(const fs::path& evidence_dir, const std::vector<Claim>& all,
                             const Subject& model) {
    using Key = std::pair<std::string, std::vector<std::pair<std::string, std::string>>>;
    std::map<Key, std::vector<const Claim*>> groups;
    for (const Claim& claim : all) {
      if (claim.recheck) {
        Key key{claim.recheck->certificate, {}};
        for (const CheckInput& input : claim.recheck->inputs) {
          key.second.emplace_back(input.option, input.name);
        }
        groups[key].push_back(&claim);
      }
    }
    for (const auto& [key, claims] : groups) {
      recheck_group(evidence_dir, claims, model);
    }
    return groups.size();
  }

  void recheck_group(const fs::path& evidence_dir, const std::vector<const Claim*>& claims,
                     const Subject& model) {
    const Recheck& first = *claims.front()->recheck;
    const fs::path checker = options_.checker.empty() ? checker_beside_program() : options_.checker;
    const CheckerRun run = run_checker(checker, model.model, evidence_dir, first.certificate,
                                       first.inputs, options_.timeout_seconds);
    if (!run.accepted) {
      fail(ExitCode::evidence, "proof '" + first.certificate + "' rejected: " + run.message);
      return;
    }
    std::set<std::string> ids;
    for (const Claim* claim : claims) {
      ids.insert(claim->recheck->accepts);
    }
    const ProofHeader header = read_proof_header(evidence_dir / first.certificate, ids);
    if (!model.config || header.config != model.config || header.weights != model.weights) {
      fail(ExitCode::evidence, "proof '" + first.certificate + "' is about another model");
      return;
    }
    for (const Claim* claim : claims) {
      if (claim->status != Status::unknown) {
        compare_claim(*claim, run, header, evidence_dir);
      }
    }
  }

  /// The checker's statement against the claim, field by field.
  void compare_claim(const Claim& claim, const CheckerRun& run, const ProofHeader& header,
                     const fs::path& evidence_dir) {
    const Recheck& recheck = *claim.recheck;
    const std::string name = "claim '" + visible(claim.id) + "'";
    const auto wrong = [&](const std::string& text) {
      result_.findings.push_back({ExitCode::evidence, text, claim.id});
    };
    const auto line = std::find_if(run.accepts.begin(), run.accepts.end(),
                                   [&](const AcceptLine& a) { return a.claim == recheck.accepts; });
    if (line == run.accepts.end()) {
      wrong(name + ": the checker accepted nothing called '" + visible(recheck.accepts) + "'");
    } else if (line->level < claim.level) {
      wrong(name + " says " + level_name(claim.level) + ", the checker accepted it as " +
            level_name(line->level));
    } else if (line->statement != recheck.statement) {
      wrong(name + ": the checker accepted another statement: " + visible(line->statement));
    } else if (const auto rule = header.rules.find(recheck.accepts);
               rule == header.rules.end() || concludes_violation(rule->second, line->statement) !=
                                                 (claim.status == Status::violated)) {
      wrong(name + " says " + status_name(claim.status) + ", the proof concludes otherwise");
    } else if (!says_the_same(claim, header, evidence_dir)) {
      wrong(name + ": its domain, formula or bound is not the one that was accepted: " +
            visible(line->statement));
    } else {
      ++result_.rechecked;
    }
  }

  /// Rules about runs conclude either way, of `some` or of a chance, and their words say which.
  static bool concludes_violation(const std::string& rule, const std::string& statement) {
    static const std::set<std::string> either = {"WITNESS", "LASSO", "EXACT", "LIVE", "CHANCE"};
    return either.contains(rule) && !statement.starts_with("HOLDS ");
  }

  /// Of a claim about runs, domain, formula, bound and threshold are parts of the checker's statement. Of one of a
  /// request, kind and formula are the line of the request that was accepted.
  static bool says_the_same(const Claim& claim, const ProofHeader& header,
                            const fs::path& evidence_dir) {
    if (is_request_kind(header.kind)) {
      return is_line_of_request(claim, evidence_dir);
    }
    if (header.kind == "automaton") {
      return is_of_automaton(claim);
    }
    if (!is_run_kind(header.kind)) {
      return true;
    }
    const std::optional<RunClaim> accepted = parse_run_claim(claim.recheck->statement);
    return accepted && accepted->holds == (claim.status == Status::holds) &&
           accepted->domain_text() == claim.domain && accepted->formal == claim.formal &&
           accepted->bound == claim.bound && accepted->threshold == claim.threshold;
  }

  /// "HOLDS of every run of the fitted automaton (…): FORMULA", or a run of the model that ends the same way; the checker
  /// prints formulas token by token.
  static bool is_of_automaton(const Claim& claim) {
    const auto dense = [](std::string text) {
      text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
      return text;
    };
    const std::string& accepted = claim.recheck->statement;
    const bool fitted = accepted.starts_with("HOLDS of every run of the fitted automaton");
    return dense(accepted).ends_with(":" + dense(claim.formal)) &&
           (!fitted || claim.domain == kFittedDomain);
  }

  const VerifyOptions& options_;
  VerifyResult& result_;
};

}  // namespace

void recheck_evidence(const VerifyOptions& options, const fs::path& evidence,
                      VerifyResult& result) {
  EvidenceRecheck again(options, result);
  again.recount(evidence);
  again.refold(evidence);
  again.recheck(evidence);
}

}  // namespace assay::certify
