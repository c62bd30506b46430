#include "sampled_faults.hpp"

#include <algorithm>
#include <functional>

#include "../case/assumptions.hpp"
#include "../case/sampled_claim.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "exact_interval.hpp"

namespace assay::certify {
namespace {

/// The numbers of a claim against each other. Empty: no fault.
std::string claim_fault(const Claim& claim) {
  const Statistics& s = *claim.statistics;
  return interval_fault(s.n, s.k, s.undecided, parse_rational(s.alpha),
                        {parse_millionths(s.lo), parse_millionths(s.hi)});
}

/// The ledger of the whole certificate says what its claims add to, and nothing beside it. Throws InputError.
std::string ledger_fault(const Statement& statement, bool rates) {
  const Figure again = alpha_figure(statement.claims);
  std::size_t same = 0, others = 0;
  for (const Figure& f : statement.figures) {
    const bool is_ledger = f.label == again.label && f.value == again.value && f.note == again.note;
    (is_ledger ? same : others) += f.group == again.group ? 1 : 0;
  }
  return same == (rates ? 1 : 0) && others == 0
             ? ""
             : "the ledger of alpha is not the sum of the rates' alphas, " + again.value;
}

/// What a rate takes as true is listed in the words that the case's own have.
std::string assumption_fault(const Statement& statement, const Claim& claim) {
  const auto listed_in = [](const std::vector<Assumption>& all, const std::string& id) {
    return std::find_if(all.begin(), all.end(), [&](const Assumption& a) { return a.id == id; });
  };
  for (const std::string& id : claim.assumptions) {
    const auto known = listed_in(known_assumptions(), id);
    const auto stated = listed_in(statement.assumptions, id);
    if (known == known_assumptions().end() || stated == statement.assumptions.end() ||
        stated->text != known->text || stated->kind != known->kind ||
        stated->breaks_if != known->breaks_if) {
      return "assumption " + visible(id) + " is not listed in its own words";
    }
  }
  return "";
}

void note(std::vector<std::string>& faults, const std::string& before,
          const std::function<std::string()>& look) {
  try {
    if (const std::string fault = look(); !fault.empty()) {
      faults.push_back(before + fault);
    }
  } catch (const Error& e) {
    faults.push_back(before + e.what());
  }
}

}  // namespace

SampledFaults sampled_faults(const Statement& statement) {
  SampledFaults out;
  for (const Claim& claim : statement.claims) {
    const std::string name = "claim '" + visible(claim.id) + "'";
    if (claim.statistics) {
      note(out.faults, name + ": ", [&] { return claim_fault(claim); });
      note(out.faults, name + ": ", [&] { return assumption_fault(statement, claim); });
      out.plans[claim.statistics->plan].push_back(&claim);
    } else if (claim.status != Status::unknown &&
               (claim.level == Level::statistical || claim.kind == kRateKind)) {
      out.faults.push_back(name + " is about a rate and has no statistics to recompute");
    }
  }
  note(out.faults, "", [&] { return ledger_fault(statement, !out.plans.empty()); });
  for (const Evidence& e : statement.evidence) {
    if (e.name.starts_with(kSampledFolder) &&
        !out.plans.contains(e.name.substr(0, e.name.find('/', kSampledFolder.size())) +
                            "/plan.json")) {
      out.faults.push_back("evidence '" + visible(e.name) +
                           "' is of a plan that nothing is claimed of");
    }
  }
  return out;
}

}  // namespace assay::certify
