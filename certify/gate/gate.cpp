#include "assay/certify/gate.hpp"

#include <algorithm>

#include "../case/assumptions.hpp"
#include "../sign/run_claim.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "claim_spec.hpp"
#include "exact_number.hpp"
#include "gate_baseline.hpp"
#include "request_order.hpp"
#include "spec_order.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

/// One run of the gate, rule by rule; every rule adds findings.
class Gate {
 public:
  Gate(const GatePolicy& policy, const GateOptions& options) : policy_(policy), options_(options) {}

  GateResult run() {
    verify_certificate();
    if (result_.verified.statement) {
      const Statement& s = statement();
      for (const Claim& claim : s.claims) {
        result_.claims.push_back({&claim, false, false, "", shown_bound(claim), {}});
      }
      check_resource();
      for (const ClaimRequirement& wanted : policy_.claims) {
        check_required(wanted);
      }
      check_statuses();
      check_coverage();
      compare_with_baseline();
    }
    apply_waivers();
    conclude();
    return std::move(result_);
  }

 private:
  [[nodiscard]] const Statement& statement() const { return *result_.verified.statement; }
  [[nodiscard]] DiffSide side() const {
    return {statement(),
            evidence_beside(options_.verify.certificate, options_.verify.evidence_dir)};
  }

  void error(ExitCode code, const std::string& text, const std::string& claim = {}) {
    result_.findings.push_back({Severity::error, {code, text, claim}, ""});
  }
  void warn(ExitCode code, const std::string& text, const std::string& claim = {}) {
    result_.findings.push_back({Severity::warning, {code, text, claim}, ""});
  }

  void verify_certificate() {
    VerifyOptions options = options_.verify;
    if (!policy_.trust_policy.empty()) {
      if (!options.key_file.empty() || !options.trust_file.empty()) {
        throw UsageError("the gate policy names the trust policy; no key beside it");
      }
      options.trust_file = policy_.trust_policy;
    } else if (options.trust_file.empty() && options.key_file.empty()) {
      throw UsageError(
          "whom to trust? name trustPolicy in the gate policy, or give --trust or --key");
    }
    if (!policy_.revocation_list.empty()) {
      options.revocation_file = policy_.revocation_list;
    }
    if (policy_.trust_sha256 &&
        (options.trust_file.empty() ||
         load_trust_policy(options.trust_file).digest != *policy_.trust_sha256)) {
      throw UsageError("the trust policy is not the one that the gate policy pins");
    }
    options.recheck = policy_.recheck_proofs;
    result_.verified = verify(options);
    for (const Finding& finding : result_.verified.findings) {
      result_.findings.push_back({Severity::error, finding, ""});
    }
  }

  void check_resource() {
    const CertificateInfo& info = statement().certificate;
    if (info.resource_uri != policy_.resource_uri) {
      error(ExitCode::expired, "it is about '" + visible(info.resource_uri) + "', not about '" +
                                   visible(policy_.resource_uri) + "'");
    }
    if (const auto fault = age_fault(info, policy_.max_age_days, result_.verified.at)) {
      error(fault->code, fault->text);
    }
  }

  void check_required(const ClaimRequirement& wanted) {
    const auto it = std::find_if(result_.claims.begin(), result_.claims.end(),
                                 [&](const GateClaim& c) { return c.claim->id == wanted.id; });
    if (it == result_.claims.end()) {
      result_.missing.push_back(wanted.id);
      error(ExitCode::unknown, "the certificate has no claim of this name", wanted.id);
      return;
    }
    it->required = true;
    it->max_bound = wanted.max_bound;
    const std::size_t before = result_.findings.size();
    check_holds(*it->claim, wanted);
    check_words(*it->claim, wanted);
    check_bound(*it, wanted);
    check_content(*it->claim);
    check_assumptions(*it->claim);
    it->meets = result_.findings.size() == before;
  }

  void check_holds(const Claim& claim, const ClaimRequirement& wanted) {
    if (claim.status == Status::violated) {
      error(ExitCode::violated, "VIOLATED: " + visible(claim.text) + counterexample(claim),
            claim.id);
    } else if (claim.status == Status::unknown) {
      error(ExitCode::unknown, "UNKNOWN: " + visible(claim.reason), claim.id);
    } else if (claim.level < wanted.min_level) {
      error(ExitCode::unknown,
            "HOLDS " + level_name(claim.level) + ", and " + level_name(wanted.min_level) +
                " is asked for",
            claim.id);
    }
  }

  static std::string counterexample(const Claim& claim) {
    return claim.counterexample.empty() ? "" : " (" + visible(claim.domain) + ")";
  }

  void check_words(const Claim& claim, const ClaimRequirement& wanted) {
    const auto same = [&](const char* what, const std::string& asked, const std::string& found) {
      if (!asked.empty() && asked != found) {
        error(ExitCode::unknown,
              std::string("its ") + what + " is '" + visible(found) + "', asked for is '" +
                  visible(asked) + "'",
              claim.id);
      }
    };
    same("kind", wanted.kind, claim.kind);
    same("formula", wanted.formal, claim.formal);
    same("domain", wanted.domain, claim.domain);
  }

  void check_bound(const GateClaim& c, const ClaimRequirement& wanted) {
    if (wanted.max_bound.empty() || c.claim->status != Status::holds) {
      return;
    }
    const std::optional<ExactNumber> shown = exact_number(c.shown_bound);
    if (!shown) {
      error(ExitCode::unknown,
            "no proof shows an upper bound, and " + wanted.max_bound + " is asked for",
            c.claim->id);
    } else if (*shown > *exact_number(wanted.max_bound)) {
      error(ExitCode::violated, "bound " + c.shown_bound + " is above " + wanted.max_bound,
            c.claim->id);
    }
  }

  /// A property that nothing can violate shows nothing.
  void check_content(const Claim& claim) {
    if (claim.status != Status::holds) {
      return;
    }
    const std::optional<ClaimSpec> spec = spec_of(side(), claim);
    if (spec && says_nothing(spec->spec, spec->property())) {
      error(ExitCode::unknown, "its property is true of everything: " + visible(claim.formal),
            claim.id);
    }
  }

  void check_assumptions(const Claim& claim) {
    const std::vector<Assumption>& accepted =
        policy_.pins_assumptions ? policy_.assumptions : known_assumptions();
    for (const std::string& id : claim.assumptions) {
      const std::string& text = assumption_text(id);
      const bool good = std::any_of(accepted.begin(), accepted.end(), [&](const Assumption& a) {
        return a.id == id && (a.text == text || (a.text.empty() && is_known(id, text)));
      });
      if (!good) {
        error(ExitCode::unknown,
              "it assumes " + visible(id) + ", which the policy does not accept: " + visible(text),
              claim.id);
      }
    }
  }

  [[nodiscard]] const std::string& assumption_text(const std::string& id) const {
    static const std::string kNone;
    for (const Assumption& a : statement().assumptions) {
      if (a.id == id) {
        return a.text;
      }
    }
    return kNone;
  }

  /// An id alone accepts this program's own words for it, not a signer's.
  static bool is_known(const std::string& id, const std::string& text) {
    return std::any_of(known_assumptions().begin(), known_assumptions().end(),
                       [&](const Assumption& a) { return a.id == id && a.text == text; });
  }

  void check_statuses() {
    const auto forbids = [&](Status status) {
      return std::find(policy_.forbidden.begin(), policy_.forbidden.end(), status) !=
             policy_.forbidden.end();
    };
    for (const GateClaim& c : result_.claims) {
      const Claim& claim = *c.claim;
      if (c.required || claim.status == Status::holds) {
        continue;  // a required claim was judged above
      }
      const bool violated = claim.status == Status::violated;
      const ExitCode code = violated ? ExitCode::violated : ExitCode::unknown;
      const std::string text =
          violated ? "VIOLATED, not required: " + visible(claim.text) + counterexample(claim)
                   : "UNKNOWN, not required: " + visible(claim.reason);
      const bool unknown_fails = policy_.unknown_fails || options_.unknown_fails;
      if (forbids(claim.status) || (!violated && unknown_fails) || options_.forbids_warnings) {
        error(code, text, claim.id);
      } else {
        warn(code, text, claim.id);
      }
    }
  }

  void check_coverage() {
    const auto decided = static_cast<std::int64_t>(
        std::count_if(result_.claims.begin(), result_.claims.end(),
                      [](const GateClaim& c) { return c.claim->status != Status::unknown; }));
    const auto all = static_cast<std::int64_t>(result_.claims.size());
    if (all == 0 || ExactNumber(decided, all) < *exact_number(policy_.min_coverage)) {
      error(ExitCode::unknown, std::to_string(decided) + " of " + std::to_string(all) +
                                   " claims are decided, and a share of " + policy_.min_coverage +
                                   " is asked for");
    }
  }

  void compare_with_baseline() {
    if (!policy_.baseline) {
      return;
    }
    BaselineResult compared = compare_baseline(policy_, options_.verify, side());
    result_.compared = compared.compared;
    result_.baseline_sha256 = compared.payload_sha256;
    result_.findings.insert(result_.findings.end(), compared.findings.begin(),
                            compared.findings.end());
    result_.changes = std::move(compared.changes);
    for (GateClaim& c : result_.claims) {
      for (const Change& change : result_.changes) {
        if (change.claim == c.claim->id) {
          c.changes.push_back(change);
        }
      }
    }
  }

  /// A waiver excuses what a claim says (1, 3, 7), never who signed it or whether its proof is one.
  void apply_waivers() {
    for (const Waiver& waiver : policy_.waivers) {
      const std::string words =
          visible(waiver.reason) + " (" + visible(waiver.owner) + ", until " + waiver.expires + ")";
      if (result_.verified.at > waiver.expires) {
        warn(ExitCode::ok, "its waiver expired at " + waiver.expires, waiver.claim);
        continue;
      }
      bool used = false;
      for (GateFinding& f : result_.findings) {
        const bool may = f.finding.code == ExitCode::violated ||
                         f.finding.code == ExitCode::unknown ||
                         f.finding.code == ExitCode::regression;
        if (f.severity == Severity::error && may && f.finding.claim == waiver.claim) {
          f.waived_by = words;
          used = true;
        }
      }
      if (!used) {
        warn(ExitCode::ok, "its waiver is not needed", waiver.claim);
      }
    }
  }

  void conclude() {
    const auto rank = [](const GateFinding& f) {
      const int severity = f.severity == Severity::error && f.waived_by.empty() ? 2
                           : f.severity == Severity::error                      ? 1
                                                                                : 0;
      return severity * 100 + precedence(f.finding.code);
    };
    std::stable_sort(result_.findings.begin(), result_.findings.end(),
                     [&](const GateFinding& a, const GateFinding& b) { return rank(a) > rank(b); });
    std::vector<Finding> standing;
    for (const GateFinding& f : result_.findings) {
      if (f.severity == Severity::error && f.waived_by.empty()) {
        standing.push_back(f.finding);
      }
    }
    result_.code = worst(standing);
    // Nothing asked for and met is no pass, whatever was waived.
    if (result_.code == ExitCode::ok && result_.meeting() == 0) {
      error(ExitCode::unknown, "no required claim holds as asked");
      result_.code = ExitCode::unknown;
    }
  }

  const GatePolicy& policy_;
  const GateOptions& options_;
  GateResult result_;
};

}  // namespace

std::size_t GateResult::required() const {
  return missing.size() +
         static_cast<std::size_t>(std::count_if(claims.begin(), claims.end(),
                                                [](const GateClaim& c) { return c.required; }));
}

std::size_t GateResult::meeting() const {
  return static_cast<std::size_t>(
      std::count_if(claims.begin(), claims.end(), [](const GateClaim& c) { return c.meets; }));
}

GateResult run_gate(const GatePolicy& policy, const GateOptions& options) {
  return Gate(policy, options).run();
}

std::string shown_bound(const Claim& claim) {
  if (claim.status != Status::holds) {
    return {};
  }
  if (claim.statistics) {
    return claim.statistics->hi;
  }
  if (!claim.recheck) {
    return {};
  }
  if (const std::optional<RunClaim> run = parse_run_claim(claim.recheck->statement)) {
    return run->is_chance() && run->is_upper ? run->bound : "";
  }
  return claim.formal.starts_with(claim.kind + " ") ? upper_limit(claim.formal) : "";
}

}  // namespace assay::certify
