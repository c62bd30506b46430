#include "html.hpp"
#include "numbers.hpp"
#include "parts.hpp"

// What a level means, in the words that are fixed for it.
namespace assay::report {
namespace {

using certify::Claim;
using certify::Level;
using certify::Status;

/// The arithmetic, as the checker's own words about the claim end.
std::string semantics_of(const Claim& claim) {
  if (!claim.recheck) {
    return "in the arithmetic that the claim states";
  }
  static const std::string kReal = "(real arithmetic)";
  return claim.recheck->statement.ends_with(kReal)
             ? "in real arithmetic on the stored weights (semantics REAL)"
             : "in the arithmetic that its statement below names";
}

std::string proof_digest(const Page& page, const Claim& claim) {
  const certify::Evidence* proof =
      claim.recheck ? page.evidence.find(claim.recheck->certificate) : nullptr;
  return proof == nullptr ? "" : " (sha256 " + digest_html(proof->sha256, true) + ")";
}

std::string proved(const Page& page, const Claim& claim) {
  if (claim.formal.starts_with("some ")) {
    return "By the run that the domain names, replayed on the model as modelled <i>" +
           semantics_of(claim) + "</i>. An independent checker accepted it" +
           proof_digest(page, claim) + ". Other runs may do otherwise.";
  }
  return "For <b>every</b> input in the domain stated below, the property below holds for model "
         "<b>" +
         esc(page.statement.certificate.name) + "</b> <i>as modelled " + semantics_of(claim) +
         "</i>. An independent checker accepted the proof" + proof_digest(page, claim) +
         ". This is a mathematical result about the files listed in <a href=\"#subject\">\xc2\xa7"
         "1</a>, not a test result.";
}

std::string statistical(const Claim& claim) {
  static const std::string kPlan =
      "The sampling plan was fixed before any draw. It says nothing about inputs not drawn from "
      "that distribution.";
  if (!claim.statistics) {
    return "With the confidence that the claim states, over the distribution that its domain "
           "names. " +
           kPlan;
  }
  const certify::Statistics& s = *claim.statistics;
  return "With confidence 1 − " + esc(s.alpha) + ", between " + esc(s.lo) + " and " + esc(s.hi) +
         " of the runs drawn from the distribution in the domain violate the property (" +
         std::to_string(s.k) + " violations in " + std::to_string(s.n) + " independent draws" +
         (s.undecided > 0 ? ", " + std::to_string(s.undecided) + " not decided" : "") +
         "; exact Clopper–Pearson interval). The sampling plan was fixed (digest <code "
         "class=\"hex\">" +
         esc(s.plan_sha256.substr(0, 16)) +
         " …</code>) before any draw. It says nothing about inputs not drawn from that "
         "distribution.";
}

}  // namespace

std::string level_sentence(const Page& page, const Claim& claim) {
  if (claim.status == Status::unknown) {
    return "Not decided within the resource limit: " +
           esc(claim.reason.empty() ? "no reason is given." : claim.reason) +
           " Treat as <b>not shown</b>.";
  }
  if (claim.status == Status::violated) {
    return claim.counterexample.empty()
               ? "The claim does not hold."
               : "A concrete counterexample exists (<a href=\"#failures\">\xc2\xa7"
                 "6</a>)" +
                     std::string(claim.recheck ? "; the command under “Check again” replays it."
                                               : ".");
  }
  switch (claim.level) {
    case Level::proved:
      return proved(page, claim);
    case Level::statistical:
      return statistical(claim);
    case Level::observed:
      return "Seen on the data that the domain lists, without exception there. <b>No claim is made "
             "about other inputs.</b>";
    case Level::assumed:
      break;
  }
  return "Taken as true, not checked.";
}

std::string chain_figure(const Claim& claim) {
  if (claim.chain.size() < 2) {
    return "";
  }
  constexpr double kStep = 64, kHalf = 13, kMiddle = 22;
  const Level weakest = certify::chain_level(claim.chain);
  const auto at = [](double v) { return std::to_string(static_cast<int>(v)); };
  std::string out;
  double x = 20;
  for (const certify::Link& link : claim.chain) {
    const bool outlined = link.level == weakest && link.level != Level::assumed;
    out += "<rect class=\"link" + std::string(outlined ? " weakest" : "") + "\" x=\"" +
           at(x - kHalf) + "\" y=\"" + at(kMiddle - kHalf) +
           "\" width=\"26\" height=\"26\" rx=\"3\"/>" + level_shape(link.level, x, kMiddle, 5) +
           "<path class=\"by\" d=\"M" + at(x + kHalf) + " 22H" + at(x + kStep - kHalf) + "\"/>";
    x += kStep;
  }
  out += "<circle class=\"link\" cx=\"" + at(x) + "\" cy=\"22\" r=\"14\"/>" +
         level_shape(weakest, x, kMiddle, 5);
  const std::string width = at(x + 20);
  return "<svg class=\"links\" viewBox=\"0 0 " + width + " 44\" width=\"" + width +
         "\" height=\"44\" role=\"img\" aria-label=\"The links listed below, left to right, then "
         "the claim; the weakest link, " +
         certify::level_name(weakest) + ", is outlined\">" + out + "</svg>";
}

}  // namespace assay::report
