#include "erased.hpp"
#include "reject.hpp"

namespace assay_check {

// LEDGER
//   spent + Σ alpha of the statement's claims <= total < 1
//   ------------------------------------------------------------------------------------------------
//   every STATISTICAL claim of the statement holds at once with probability at least 1 − Σ (union bound)
void rule_ledger(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "ledger");
  const Fraction total = parse_fraction(claim.at("total"));
  const Fraction spent = parse_fraction(claim.at("spent"));
  Ratio sum(0, 1);
  std::size_t claims = 0, ledgers = 0;
  for (std::size_t i = 0; i < session.claim_count(); ++i) {
    const ErasureClaim other(session.request().claims.at(i));
    ledgers += other.form == "ledger" ? 1 : 0;
    const auto alpha = other.terms.find("alpha");
    if (alpha != other.terms.end()) {
      const Fraction f = parse_fraction(alpha->second);
      if (f.num <= 0) {
        refuse(step, "an alpha is not above 0");
      }
      sum = {sum.num * f.den + sum.den * f.num, sum.den * f.den};
      ++claims;
    }
  }
  if (!step.premises.empty() || step.words.size() != 1 || parse_nat(step.words[0]) != claims ||
      claims == 0 || ledgers != 1) {
    refuse(step,
           "expected LEDGER : n with the number of claims that have an alpha, and one ledger");
  }
  if (spent.num < 0 || total.num >= total.den) {
    refuse(step, "expected 0 <= spent and total < 1");
  }
  const Ratio all{sum.num * spent.den + sum.den * spent.num, sum.den * spent.den};
  if (!all.at_most(Ratio(total))) {
    refuse(step, "the ledger is overdrawn: the alphas and what was spent before add up to more");
  }
  const Integer common = gcd(all.num, all.den);
  session.conclusions.push_back(
      {step.id, "STATISTICAL",
       "the " + std::to_string(claims) +
           " claims with an alpha hold at once, with what was spent of the ledger before, with "
           "probability at least 1 - " +
           Integer(all.num / common).str() + "/" + Integer(all.den / common).str() +
           ", of at most " + total.text()});
}

}  // namespace assay_check
