#include <algorithm>

#include "../sign/run_claim.hpp"
#include "assay/automata/interval_chain.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/print.hpp"
#include "assay/verify/exact.hpp"
#include "assay/verify/refined.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

constexpr std::size_t kMaxPrompts = std::size_t{1} << 26U;

/// One property as its engine left it.
struct Answer {
  std::string name, verdict, expected;
  bool is_decided = false;                     ///< with a proof that assay-check re-evaluates
  bool is_endless = false;                     ///< decided of endless runs
  bool is_boxed = false;                       ///< a probability, bounded over boxes of contexts
  const verify::ExactViolated* run = nullptr;  ///< that decides it: of `some`, it holds by this run
  const verify::ExactChance* chance = nullptr;   ///< decided, within what assay-check re-evaluates
  const verify::ChanceBounds* bounds = nullptr;  ///< of a claim Pmax or Pmin
  std::string reason;                            ///< of what is not decided
  std::vector<std::string> doubts;

  [[nodiscard]] bool holds() const { return is_decided && verdict == "holds"; }
};

/// One check of the case on its way to claims.
struct CheckRun {
  const CheckCase& file;
  std::string folder;  ///< among the evidence
  spec::Spec resolved;
  verify::ExactInput input;
  bool is_refined = false;
  verify::ExactResult exact;
  verify::RefinedResult refined;
  std::vector<Answer> answers;
  std::vector<CheckInput> checked_with;
  CheckerRun checked;

  [[nodiscard]] const std::string& proof() const {
    return is_refined ? refined.certificate : exact.certificate;
  }
  [[nodiscard]] std::string certificate() const { return folder + "/runs.cert"; }
  [[nodiscard]] std::string runs() const { return folder + "/statement.runs"; }
};

verify::PromptSet prompts_of(const CheckCase& c, std::size_t vocabulary) {
  if (!c.prompts.empty()) {
    return verify::parse_prompts(read_file(c.prompts, kMaxPrompts), c.prompts.string(), vocabulary);
  }
  try {
    return verify::parse_prompts(c.prompt_set, "checks." + c.name, vocabulary);
  } catch (const InputError& e) {
    throw UsageError(std::string("case: ") + e.what());
  }
}

verify::ExactInput input_of(const CaseRun& run, const CheckCase& c, const spec::Spec& resolved) {
  verify::ExactInput input;
  input.subject.spec = &resolved;
  input.subject.statement = sha256(spec::print_spec(resolved));
  input.subject.model = &run.subject.model;
  input.subject.tokenizer = &run.subject.tokenizer;
  input.subject.properties = c.spec.properties;
  name_sources(run, c.spec, resolved, input.subject);
  input.emission = automata::Emission::parse(c.decoder);
  if (!c.allow.empty()) {
    input.emission.allow(c.allow, resolved, run.subject.model.config.d_vocab);
  }
  input.prompts = prompts_of(c, run.subject.model.config.d_vocab);
  input.max_new = c.max_new;
  input.wants_certificate = input.wants_opinion = true;
  if (c.states > 0) {
    input.limits.states = c.states;
  }
  return input;
}

std::string reason_of(const verify::Unknown* unknown) {
  return unknown == nullptr
             ? "it held in the producer's own pass, over more windows than assay-check evaluates "
               "again."
             : unknown->reason +
                   (unknown->missing.empty() ? "." : "; missing: " + unknown->missing + ".");
}

Answer answer_of(const verify::ExactProperty& p) {
  Answer out;
  out.name = p.name;
  out.verdict = p.verdict_name();
  out.expected = p.expected;
  const auto* holds = std::get_if<verify::ExactHolds>(&p.verdict);
  const auto* endless = std::get_if<verify::ExactEndless>(&p.verdict);
  const auto* chance = std::get_if<verify::ExactChance>(&p.verdict);
  out.chance = chance != nullptr && chance->checkable ? chance : nullptr;
  out.run = std::get_if<verify::ExactViolated>(&p.verdict);
  out.is_endless = endless != nullptr || (out.run != nullptr && out.run->loop > 0);
  out.is_decided = out.run != nullptr || out.chance != nullptr ||
                   (holds != nullptr && holds->is_checkable()) ||
                   (endless != nullptr && endless->is_checkable());
  out.bounds = p.chance ? &*p.chance : nullptr;
  out.reason = reason_of(std::get_if<verify::Unknown>(&p.verdict));
  for (const std::string& why : p.vacuous) {
    out.doubts.push_back("vacuous: " + why);
  }
  if (p.alarm()) {
    out.doubts.push_back(p.solver + " contradicts the invariant: " + p.opinion_detail);
  }
  return out;
}

Answer answer_of(const verify::RefinedProperty& p) {
  Answer out;
  out.name = p.name;
  out.verdict = p.verdict_name();
  out.expected = p.expected;
  out.run = std::get_if<verify::ExactViolated>(&p.verdict);
  out.is_boxed = std::holds_alternative<verify::RefinedChance>(p.verdict);
  out.is_decided =
      out.run != nullptr || out.is_boxed || std::holds_alternative<verify::RefinedHolds>(p.verdict);
  out.bounds = p.chance ? &*p.chance : nullptr;
  out.reason = reason_of(std::get_if<verify::Unknown>(&p.verdict));
  return out;
}

void refine(CheckRun& check) {
  verify::RefinedInput input{check.input, {}};
  if (check.file.lemmas > 0) {
    input.limits.lemmas = check.file.lemmas;
  }
  check.is_refined = true;
  check.refined = verify::check_refined(input);
  for (const verify::RefinedProperty& p : check.refined.properties) {
    check.answers.push_back(answer_of(p));
  }
}

/// `exact` and `refined` are taken at their word; `auto` is exact where the windows fit its budget.
void decide(CheckRun& check, const TransformerConfig& config) {
  using Mode = CheckCase::Mode;
  const bool may_refine = check.file.mode == Mode::automatic && check.input.emission.is_pairwise();
  if (check.file.mode == Mode::refined ||
      (may_refine && !verify::fits_exact(check.input.prompts, config, check.input.limits.states))) {
    refine(check);
    return;
  }
  check.exact = verify::check_exact(check.input);
  if (may_refine && check.exact.is_exhausted && !interrupted()) {
    say("the windows do not fit the limits of exact mode: trying refined mode");
    refine(check);
    return;
  }
  for (const verify::ExactProperty& p : check.exact.properties) {
    check.answers.push_back(answer_of(p));
  }
}

Claim claim_of(const CheckRun& check, const spec::Property& property, const Answer& answer) {
  Claim c;
  c.id = check.file.name + "." + answer.name;
  c.kind = answer.bounds != nullptr ? "chance" : check.is_refined ? "refined" : "exact";
  c.spec_ref = check.folder + "/resolved.spec:" + std::to_string(property.place.line);
  c.formal = property.claim_text();
  const auto doc = property.attributes.find("doc");
  c.text = doc == property.attributes.end() ? answer.name : doc->second;
  c.assumptions = {kReal, kTokens, kDecoder};
  c.evidence = {check.folder + "/source.spec", check.folder + "/resolved.spec"};
  for (const std::string& doubt : answer.doubts) {
    c.defeaters.push_back({doubt, "open"});
  }
  if (!answer.expected.empty() && answer.expected != answer.verdict) {
    c.defeaters.push_back({"the specification's author expected " + answer.expected, "open"});
  }
  return c;
}

/// The checker prints formulas token by token.
std::string without_spaces(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

/// The signed claim speaks of what the checker accepted: domain, formula, bound and threshold are its words.
void take_words(Claim& claim) {
  const std::optional<RunClaim> words = parse_run_claim(claim.recheck->statement);
  if (!words || words->holds != (claim.status == Status::holds) ||
      without_spaces(words->formal) != without_spaces(claim.formal)) {
    throw Error(ExitCode::evidence, "claim " + claim.id +
                                        ": assay-check accepted another statement: " +
                                        visible(claim.recheck->statement));
  }
  claim.domain = words->domain_text();
  claim.formal = words->formal;
  claim.bound = words->bound;
  claim.threshold = words->threshold;
}

std::string link_of(const CheckRun& check, const Answer& answer) {
  if (answer.run != nullptr) {
    return answer.is_endless
               ? "an endless run of the model, its tokens and its loop replayed in outward-rounded "
                 "arithmetic (LASSO)"
               : "a run of the model, replayed in outward-rounded arithmetic (WITNESS)";
  }
  if (answer.is_endless) {
    return "ranks on the exact machine that fall wherever a run nears what is excluded: every "
           "window that a run can reach is evaluated again by the checker (LIVE)";
  }
  if (answer.chance != nullptr) {
    return answer.holds()
               ? "an interval chain over the windows, every row enclosed again by the "
                 "checker; a bound over every choice of nature (CHANCE)"
               : "one prompt, bounded from the other side on the interval chain (CHANCE)";
  }
  if (answer.is_boxed) {
    return "a bound over every choice of nature, stepped over boxes that cover every context, each "
           "token's probability bounded by a lemma (CHANCE-BOXES)";
  }
  return check.is_refined
             ? "lemmas about sets of contexts that together cover every context a run can reach "
               "(REFINED)"
             : "an invariant of the exact machine: every window that a run can reach is evaluated "
               "again by the checker (EXACT)";
}

void set_undecided(Claim& claim, const CheckRun& check, const Answer& answer) {
  const verify::PromptSet& prompts = check.input.prompts;
  claim.domain =
      "every run of the model: " +
      (prompts.any() ? "any prompt of 1 to " + std::to_string(prompts.max_length) + " tokens"
                     : "prompts of " + std::to_string(prompts.sets.size()) + " given sets") +
      ", decoder " + check.input.emission.text() +
      (check.input.max_new ? ", at most " + std::to_string(*check.input.max_new) + " new tokens"
                           : ", any number of new tokens");
  claim.reason = answer.reason;
}

void add_claim(CaseRun& run, const CheckRun& check, const Answer& answer) {
  const spec::Property& property = property_of(check.resolved, answer.name);
  Claim claim = claim_of(check, property, answer);
  add_property(run, claim, check.resolved, property);
  if (answer.run != nullptr && !answer.holds()) {
    add_run(run, claim, check.input.subject, property, answer.run->prompt, answer.run->run,
            answer.run->loop);
  }
  if (answer.is_decided) {
    claim.status = answer.holds() ? Status::holds : Status::violated;
    claim.level = Level::proved;
    claim.chain = {{link_of(check, answer), Level::proved}};
    claim.evidence.push_back(check.runs());
    require_recheck(claim, check.checked, answer.name, check.certificate(), check.checked_with);
    take_words(claim);
  } else {
    set_undecided(claim, check, answer);
  }
  run.statement.claims.push_back(std::move(claim));
}

/// Both bounds in words, and the sampled rate beside them.
void add_probabilities(CaseRun& run, const CheckRun& check) {
  using automata::Rounding;
  Table table{"probabilities-" + check.file.name,
              "Probabilities of check '" + check.file.name + "'",
              "Bounds of P(φ) over every prompt and every choice of nature, as the producer found "
              "them; assay-check shows again the one that decides the claim, which stands with it. "
              "The sampled rate is STATISTICAL, from one prompt, seed and number of runs fixed in "
              "the program; each interval covers with 99 % on its own. It is no part of the proof.",
              {"Claim", "P(φ) at least", "P(φ) at most", "What φ's probability is",
               "Sampled (STATISTICAL)", "99 % interval"},
              {}};
  for (const Answer& answer : check.answers) {
    if (answer.bounds == nullptr) {
      continue;
    }
    const verify::ChanceBounds& b = *answer.bounds;
    const bool sampled = b.sampled > 0;
    table.rows.push_back(
        {check.file.name + "." + answer.name + ": " + b.claim,
         automata::grid_text(b.least, Rounding::down), automata::grid_text(b.most, Rounding::up),
         b.event,
         sampled ? std::to_string(b.hits) + " of " + std::to_string(b.sampled) + " runs from \"" +
                       verify::token_text(check.input.subject, b.sampled_prompt) + "\""
                 : "not sampled",
         sampled
             ? automata::millionths(b.interval.lo) + " to " + automata::millionths(b.interval.hi)
             : "–"});
  }
  if (!table.rows.empty()) {
    run.statement.tables.push_back(std::move(table));
  }
}

void add_check(CaseRun& run, const CheckCase& c) {
  say("check '" + c.name + "'");
  CheckRun check{c, "checks/" + c.name, {}, {}, false, {}, {}, {}, {}, {}};
  check.resolved = resolve_spec(run, c.spec, check.folder);
  check.input = input_of(run, c, check.resolved);
  decide(check, run.subject.model.config);
  add_evidence(run.statement, run.paths, check.runs(), "runs",
               check.is_refined ? check.refined.runs : check.exact.runs);
  if (!check.proof().empty()) {
    add_evidence(run.statement, run.paths, check.certificate(), "proof", check.proof());
    check.checked_with = proof_inputs(run, c.spec, check.resolved, check.folder);
    check.checked_with.push_back({"runs", check.runs()});
    check.checked = require_accepted(run, check.certificate(), check.checked_with);
  }
  for (const Answer& answer : check.answers) {
    add_claim(run, check, answer);
  }
  add_probabilities(run, check);
}

}  // namespace

bool is_check_kind(const std::string& kind) {
  return kind == "exact" || kind == "refined" || kind == "chance";
}

void add_check_claims(CaseRun& run) {
  for (const CheckCase& c : run.file.checks) {
    add_check(run, c);
  }
}

}  // namespace assay::certify
