#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/rational.hpp"
#include "assay/base/text.hpp"
#include "assay/bounds/site_certificate.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

constexpr std::size_t kSteps = 400;  ///< of the search for a mixture, as in `assay bound --site`

const Sae& dictionary_of(const CaseRun& run, const SiteCase& s) {
  return run.subject.dictionaries.at(s.dictionary);
}

bounds::Reading reading_of(const CaseRun& run, const SiteCase& s, const NormalisedSite& site) {
  if (s.feature) {
    return bounds::feature_reading(site, dictionary_of(run, s), *s.feature);
  }
  if (!s.readout.empty()) {
    return bounds::readout_reading(site, load_readout(s.readout));
  }
  return s.minus ? bounds::difference_reading(site, *s.logit, *s.minus)
                 : bounds::logit_reading(site, *s.logit);
}

/// A fraction, rounded down: the claim is no weaker than what the case asks for.
double width_of(const SiteCase& s) {
  try {
    const Rational r = parse_rational(s.width);
    return round_down(static_cast<double>(r.num) / static_cast<double>(r.den));
  } catch (const InputError& e) {
    throw UsageError("case: sites." + s.name + ".width: " + e.what());
  }
}

/// The last line of a request that claims something, as the checker reads it.
std::string line_of(const bounds::SiteCertificate& certificate) {
  const std::vector<std::string> lines = split(certificate.request(), '\n');
  return lines.size() > 3 ? lines[lines.size() - 3] : "";
}

Claim claim_of(const SiteCase& s, const NormalisedSite& site) {
  Claim c;
  c.id = s.name;
  c.domain = "every input of the model, whatever the layers before " + site.name + " compute";
  c.assumptions = {kReal, kTokens};
  return c;
}

/// Tries the claim; adds it to the certificate when it is shown.
Claim examine(const CaseRun& run, const SiteCase& s, const NormalisedSite& site,
              bounds::SiteCertificate& certificate) {
  Claim c = claim_of(s, site);
  if (s.never_argmax) {
    static_cast<void>(bounds::logit_reading(site, *s.never_argmax));  // refuses a wrong id
    c.kind = "never-argmax";
    c.text = "Token " + std::to_string(*s.never_argmax) + " has the largest logit for no input.";
    const auto never = bounds::ArgmaxSearch(site).search(*s.never_argmax, kSteps);
    if (never) {
      certificate.add(s.name, *never);
    } else {
      c.reason = "no mixture of other tokens was found that is above it everywhere.";
    }
    return c;
  }
  const bounds::Reading reading = reading_of(run, s, site);
  const bounds::SiteBound bound = bounds::sphere_bound(site, reading);
  c.unit = s.logit ? "nats" : "";
  if (s.width.empty()) {
    c.kind = "site-bound";
    c.text =
        "The " + reading.text + " lies in [" + decimal(bound.lo) + ", " + decimal(bound.hi) + "].";
    c.bound = hex_float(bound.hi);
    certificate.add(s.name, reading, bound);
    return c;
  }
  c.kind = "nullified";
  c.text = "The " + reading.text + " is one number, to within " + s.width + ".";
  c.threshold = hex_float(width_of(s));
  c.bound = hex_float(round_up(bound.hi - bound.lo));
  if (bound.is_nullified(width_of(s))) {
    certificate.add_nullified(s.name, reading, width_of(s));
  } else {
    c.reason = "it can differ by up to " + decimal(round_up(bound.hi - bound.lo)) +
               " within the sphere that contains every input.";
  }
  return c;
}

void add_site(CaseRun& run, const SiteCase& s) {
  const NormalisedSite site = load_normalised_site(run.file.model, s.site);
  bounds::SiteCertificate certificate(site, s.feature ? &dictionary_of(run, s) : nullptr);
  Claim claim = examine(run, s, site, certificate);
  if (certificate.claims() > 0) {
    const std::string folder = "sites/" + s.name;
    const std::string proof = folder + "/site.cert", request = folder + "/site.request";
    std::vector<CheckInput> inputs = {{"request", request}};
    add_evidence(run.statement, run.paths, proof, "proof", certificate.certificate());
    add_evidence(run.statement, run.paths, request, "request", certificate.request());
    claim.evidence = {request};
    if (s.feature) {
      inputs.push_back({"sae", dictionary_folder(s.dictionary)});
    }
    if (!s.readout.empty()) {
      add_evidence_file(run.statement, run.paths, folder + "/readout.json", "readout", s.readout);
      inputs.push_back({"readout", "R1=" + folder + "/readout.json"});
      claim.evidence.push_back(folder + "/readout.json");
    }
    claim.formal = line_of(certificate);
    claim.spec_ref = request;
    claim.status = Status::holds;
    claim.level = Level::proved;
    claim.chain = {
        {claim.kind == "never-argmax"
             ? "NEVER-ARGMAX: a mixture of other logits that is above it on the sphere of the norm"
             : "SITE-SPHERE: every output of the norm lies on one sphere, outward-rounded",
         Level::proved}};
    require_recheck(claim, require_accepted(run, proof, inputs), s.name, proof, inputs);
  }
  run.statement.claims.push_back(std::move(claim));
}

}  // namespace

void add_site_claims(CaseRun& run) {
  for (const SiteCase& s : run.file.sites) {
    say("site '" + s.name + "'");
    add_site(run, s);
  }
}

}  // namespace assay::certify
