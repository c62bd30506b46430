#include <cctype>

#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/bounds/prove.hpp"
#include "assay/bounds/suggest.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

constexpr const char* kCertificate = "bounds/bounds.cert";
constexpr const char* kAsked = "bounds/asked.request";    ///< every claim that was tried
constexpr const char* kProved = "bounds/proved.request";  ///< the statement of the certificate

const Sae* dictionary_of(const CaseRun& run) {
  const std::string& name = run.file.bounds->dictionary;
  return name.empty() ? nullptr : &run.subject.dictionaries.at(name);
}

/// The case's request file, or claims proposed from the text by `bounds::suggest`.
bounds::Request request_of(const CaseRun& run, const bounds::AttackText& attack) {
  const BoundsCase& b = *run.file.bounds;
  if (!b.request.empty()) {
    return bounds::load_request(b.request);
  }
  bounds::SuggestOptions options;
  options.claims = b.suggest;
  options.known = b.known;
  options.honest = b.honest;
  options.decoder = run.file.decoder;
  const Subject& s = run.subject;
  const auto fit = encode_part(s.documents, Part::fit, s.tokenizer);
  return bounds::suggest(s.model, dictionary_of(run), fit, attack.documents, attack, options)
      .request;
}

/// The attack's context as a run of one step, for people to read.
Counterexample exhibit_of(const CaseRun& run, const Claim& claim, const bounds::ClaimResult& r) {
  Counterexample out;
  out.claim = claim.id;
  for (std::size_t i = 0; i + 1 < r.context.size(); ++i) {
    out.prompt += run.subject.tokenizer.text(r.context[i]);
  }
  const std::string value =
      decimal(r.attack_enclosure.lo) + " to " + decimal(r.attack_enclosure.hi);
  out.steps.push_back({run.subject.tokenizer.text(r.context.back()),
                       "the limit is " + decimal(r.threshold.value_or(0)),
                       "",
                       {{claim.unit, value}}});
  out.replay =
      "The last token is the one that the claim speaks of; its value was enclosed in "
      "outward-rounded arithmetic.";
  return out;
}

std::string unit_of(bounds::ClaimKind kind) {
  return kind == bounds::ClaimKind::feature_off ? "pre-activation" : "nats";
}

Claim claim_of(const bounds::ClaimResult& r) {
  Claim c;
  c.id = r.claim.id;
  c.kind = bounds::name(r.claim.kind);
  c.spec_ref = kAsked;
  c.formal = r.claim.text();
  c.text = r.text + ".";
  c.text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(c.text[0])));
  c.domain = "every context, of any length, over the whole vocabulary, that ends in the suffix";
  c.unit = unit_of(r.claim.kind);
  const auto hex = [](const std::optional<double>& x) { return x ? hex_float(*x) : std::string(); };
  c.bound = hex(r.bound);
  c.threshold = hex(r.threshold);
  c.attack = hex(r.attack);
  c.assumptions = {kReal, kTokens};
  if (r.claim.kind == bounds::ClaimKind::token_out) {
    c.assumptions.emplace_back(kDecoder);
  }
  c.evidence = {kAsked};
  return c;
}

void set_proved(Claim& claim, const bounds::ClaimResult& r, const CaseRun& run,
                const CheckerRun& checked, const std::vector<CheckInput>& inputs) {
  claim.status = Status::holds;
  claim.level = Level::proved;
  claim.chain = {{r.rule + ": extremal attention over all contexts of the domain, outward-rounded",
                  Level::proved}};
  claim.evidence.emplace_back(kProved);
  if (r.claim.kind == bounds::ClaimKind::feature_off) {
    const std::string folder = dictionary_folder(run.file.bounds->dictionary);
    claim.evidence.push_back(folder + "/cfg.json");
    claim.evidence.push_back(folder + "/sae_weights.safetensors");
  }
  require_recheck(claim, checked, r.claim.id, kCertificate, inputs);
}

void set_violated(Claim& claim, const bounds::ClaimResult& r, CaseRun& run) {
  claim.status = Status::violated;
  claim.level = Level::observed;
  claim.chain = {
      {"a concrete context, its value enclosed in outward-rounded arithmetic by the "
       "program that made this certificate",
       Level::observed}};
  claim.counterexample = "counterexamples/" + claim.id + ".json";
  add_evidence(run.statement, run.paths, claim.counterexample, kCounterexampleRole,
               counterexample_json(exhibit_of(run, claim, r)));
  claim.evidence.push_back(claim.counterexample);
}

}  // namespace

void add_bound_claims(CaseRun& run) {
  if (!run.file.bounds) {
    return;
  }
  say("claims over all contexts");
  const Subject& s = run.subject;
  bounds::AttackText attack;
  attack.documents = encode_part(s.documents, Part::held_out, s.tokenizer);
  attack.tokenizer = &s.tokenizer;
  attack.seed = run.file.seed;
  const bounds::Request request = request_of(run, attack);
  const bounds::ProofRun proof = bounds::prove(s.model, dictionary_of(run), request, attack);
  add_evidence(run.statement, run.paths, kAsked, "request", request.text);
  std::vector<CheckInput> inputs;
  CheckerRun checked;
  if (!proof.certificate.empty()) {
    add_evidence(run.statement, run.paths, kProved, "request", proof.statement.text);
    add_evidence(run.statement, run.paths, kCertificate, "proof", proof.certificate);
    inputs.push_back({"request", kProved});
    if (dictionary_of(run) != nullptr) {
      inputs.push_back({"sae", dictionary_folder(run.file.bounds->dictionary)});
    }
    checked = require_accepted(run, kCertificate, inputs);
  }
  for (const bounds::ClaimResult& r : proof.results) {
    Claim claim = claim_of(r);
    if (r.status == bounds::Status::holds) {
      set_proved(claim, r, run, checked, inputs);
    } else if (r.status == bounds::Status::violated) {
      set_violated(claim, r, run);
    } else {
      claim.status = Status::unknown;
      claim.reason = r.reason;
    }
    run.statement.claims.push_back(std::move(claim));
  }
}

}  // namespace assay::certify
