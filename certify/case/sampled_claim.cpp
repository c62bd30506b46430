#include "sampled_claim.hpp"

#include <algorithm>

#include "../sign/exact_interval.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/rational_sum.hpp"
#include "assay/certify/exhibits.hpp"
#include "assay/certify/verdict_exhibits.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

/// millionths / 10^6 > limit
bool exceeds(std::uint32_t millionths, const Rational& limit) {
  __extension__ using Wide = __int128;
  return Wide{millionths} * limit.den > Wide{limit.num} * 1000000;
}

std::string event(const verify::SampleInput& input, const spec::Property& property) {
  const auto doc = property.attributes.find("doc");
  return "the runs that violate \"" +
         (doc == property.attributes.end() ? property.name : doc->second) + "\" within " +
         std::to_string(input.max_new) + " tokens";
}

std::string conditions(const verify::SampleInput& input) {
  return "decoder " + input.emission.text() + "; prompts: " + input.prompts.words();
}

Claim plain_claim(const SampledPlace& place, const verify::SampleInput& input,
                  const spec::Property& property) {
  Claim c;
  c.id = place.claim(property.name);
  c.kind = kRateKind;
  c.spec_ref = place.file("resolved.spec") + ":" + std::to_string(property.place.line);
  c.domain = "runs drawn independently from the model; " + conditions(input);
  c.assumptions = {kTokens, kDecoder, kDraws};
  c.evidence = {place.file("source.spec"), place.file("resolved.spec"), place.file("plan.json"),
                place.file("prompts.json"), place.file("runs.jsonl")};
  return c;
}

/// "k of n independent runs do (2 more are not decided)"
std::string counts(const Statistics& s) {
  return std::to_string(s.k) + " of " + std::to_string(s.n) + " independently drawn runs do" +
         (s.undecided > 0 ? ", " + std::to_string(s.undecided) + " are not decided" : "");
}

Status status_of(const Statistics& s, const std::string& threshold) {
  if (threshold.empty()) {
    return Status::holds;
  }
  const Rational limit = parse_rational(threshold);
  return exceeds(parse_millionths(s.lo), limit)    ? Status::violated
         : !exceeds(parse_millionths(s.hi), limit) ? Status::holds
                                                   : Status::unknown;
}

}  // namespace

Claim rate_claim(const SampledPlace& place, const verify::SampleInput& input,
                 const spec::Property& property, const Statistics& s,
                 const std::string& threshold) {
  Claim c = plain_claim(place, input, property);
  const std::string interval = "[" + s.lo + ", " + s.hi + "]";
  const std::string wanted = threshold.empty() ? "in " + interval : "at most " + threshold;
  c.formal = "P(a run violates within " + std::to_string(input.max_new) +
             " tokens: " + property.claim_text() + ") " +
             (threshold.empty() ? "in " + interval : "<= " + threshold);
  c.text = "STATISTICAL rate, not a proof: the share of " + event(input, property) + " is " +
           wanted + ". Interval " + interval + " with confidence 1 - " + s.alpha + ": " +
           counts(s) + "; " + conditions(input);
  c.bound = s.hi;
  c.threshold = threshold;
  c.unit = "of the runs";
  c.statistics = s;
  c.status = status_of(s, threshold);
  if (c.status == Status::unknown) {
    c.reason =
        "the interval " + interval + " is on both sides of " + threshold + "; missing: more runs.";
    return c;
  }
  c.level = Level::statistical;
  c.chain = {{"with confidence 1 - " + s.alpha + " the rate is in " + interval + ": " + counts(s) +
                  " (exact Clopper-Pearson interval; the plan was fixed before the draw)",
              Level::statistical}};
  return c;
}

std::optional<std::string> counterexample_file(const SampledPlace& place,
                                               const verify::SampleInput& input,
                                               const verify::SampleResult& result,
                                               const verify::SampledProperty& counted) {
  const auto found =
      std::find_if(counted.counterexamples.begin(), counted.counterexamples.end(),
                   [](const verify::Counterexample& c) { return c.replayed.has_value(); });
  if (found == counted.counterexamples.end() || input.subject.tokenizer == nullptr) {
    return std::nullopt;
  }
  return counterexample_json(
      run_exhibit(input.subject, property_of(*input.subject.spec, counted.name),
                  place.claim(counted.name), result.runs[found->run].prompt, *found->replayed));
}

Figure alpha_figure(const std::vector<Claim>& claims) {
  Rational total{0, 1};
  std::size_t rates = 0;
  for (const Claim& claim : claims) {
    if (claim.statistics) {
      const auto next = sum(total, parse_rational(claim.statistics->alpha));
      if (!next) {
        throw InputError("the alphas of the rates add to no fraction below 2^53");
      }
      total = *next;
      ++rates;
    }
  }
  return {"Rates", "chance of error of all rates together", total.text(),
          "sum of alpha over " + std::to_string(rates) +
              " STATISTICAL claims: all intervals hold at once with confidence 1 - this"};
}

Claim uncounted_claim(const SampledPlace& place, const verify::SampleInput& input,
                      const spec::Property& property, const std::string& why) {
  Claim c = plain_claim(place, input, property);
  c.formal = property.claim_text();
  c.text = "The share of " + event(input, property) + " is not counted";
  c.reason = "not counted: " + why + ".";
  return c;
}

}  // namespace assay::certify
