#include "assay/bounds/prove.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/bounds/concrete.hpp"
#include "assay/model/forward.hpp"
#include "prover.hpp"

namespace assay::bounds {
namespace {

/// The claim's value in the reference forward pass (double, not outward-rounded).
double replay(const Transformer& model, const Sae* sae, const Claim& claim,
              const std::vector<TokenId>& context) {
  if (claim.kind == ClaimKind::token_out) {
    const std::vector<double> logits = next_logits(model, context);
    double rival = -std::numeric_limits<double>::infinity();
    for (std::size_t y = 0; y < logits.size(); ++y) {
      rival = y == claim.target ? rival : std::max(rival, logits[y]);
    }
    return logits[claim.target] - rival;
  }
  const std::string hooks[] = {sae->hook_name};
  const Matrix x = forward(model, context, hooks).hooks.at(sae->hook_name);
  const auto row = x.row(x.rows - 1);
  const Matrix last{1, x.cols, {row.begin(), row.end()}};
  return pre_activations(*sae, last).at(0, claim.target);
}

/// The same value, enclosed.
Interval enclose_value(const Sae* sae, const Claim& claim, const ConcreteValues& values) {
  if (claim.kind == ClaimKind::feature_off) {
    return enclose_pre_activation(*sae, FeatureId(claim.target), values);
  }
  Interval least(std::numeric_limits<double>::infinity());
  for (std::size_t y = 0; y < values.logits.size(); ++y) {
    if (y != claim.target) {
      const Interval difference = values.logits[claim.target] - values.logits[y];
      least = {std::min(least.lo, difference.lo), std::min(least.hi, difference.hi)};
    }
  }
  return least;
}

void check_index(std::size_t i, std::size_t n, const Claim& claim, const char* what) {
  if (i >= n) {
    throw InputError("request", claim.id + ": " + what, "an id below " + std::to_string(n),
                     std::to_string(i));
  }
}

std::string number(std::optional<double> x) {
  return x ? fixed(*x, 4) : "-";
}

}  // namespace

const char* name(Status status) {
  return status == Status::holds ? "HOLDS" : status == Status::violated ? "VIOLATED" : "UNKNOWN";
}

std::size_t ProofRun::count(Status status) const {
  return static_cast<std::size_t>(std::count_if(
      results.begin(), results.end(), [&](const ClaimResult& r) { return r.status == status; }));
}

Prover::Prover(const Transformer& model, const Sae* sae, std::optional<Decoder> decoder,
               const AttackText& text)
    : model_(model),
      sae_(sae),
      decoder_(std::move(decoder)),
      text_(text),
      outside_(outside_family(model)) {
  if (!outside_) {
    layer_.emplace(model);
  }
}

std::string Prover::tokens_text(const std::vector<TokenId>& tokens) const {
  std::string ids;
  for (const TokenId t : tokens) {
    ids += (ids.empty() ? "" : " ") + std::to_string(t.value);
  }
  if (text_.tokenizer == nullptr) {
    return "[" + ids + "]";
  }
  std::string out;
  for (const TokenId t : tokens) {
    out += t.at() < text_.tokenizer->size() ? visible(text_.tokenizer->text(t)) : "?";
  }
  return "\"" + out + "\"";
}

std::string Prover::words(const Claim& claim) const {
  const std::string domain =
      " in every context, of any length, that ends in " + tokens_text(claim.suffix);
  switch (claim.kind) {
    case ClaimKind::feature_off:
      return "feature " + std::to_string(claim.target) + " is off" + domain;
    case ClaimKind::token_out:
      return "token " + tokens_text({TokenId(claim.target)}) + " (id " +
             std::to_string(claim.target) + ") is never emitted under " + decoder_->text() + domain;
    case ClaimKind::residual:
      break;
  }
  return "no affine predictor has R^2 above " + claim.max_r2.text() + " on the named data";
}

void Prover::check(const Claim& claim) const {
  for (const TokenId t : claim.suffix) {
    check_index(t.at(), model_.config.d_vocab, claim, "token of the suffix");
  }
  if (claim.kind == ClaimKind::token_out) {
    require(decoder_.has_value(), "prove: token-out without a decoder");
    check_index(claim.target, model_.config.d_vocab_out, claim, "next token");
    check_index(1, model_.config.d_vocab_out, claim, "rival of the next token");
  }
  if (claim.kind != ClaimKind::feature_off) {
    return;
  }
  if (sae_ == nullptr) {
    throw UsageError("claim " + claim.id + " reads a feature: give the SAE (--sae DIR)");
  }
  need_thresholds(*sae_);
  check_index(claim.target, sae_->d_sae, claim, "feature");
  const std::size_t width =
      sae_->hook_name == kHookMlpPost ? model_.config.d_mlp : model_.config.d_model;
  if (sae_->d_in != width || sae_->W_enc.data.size() != sae_->d_in * sae_->d_sae) {
    throw InputError("sae", "d_in",
                     std::to_string(width) + " (the model's " + sae_->hook_name + ")",
                     std::to_string(sae_->d_in));
  }
  bool finite = std::isfinite(feature_offset(*sae_, claim.target).lo) &&
                !std::isnan(threshold_of(*sae_, claim.target));
  for (std::size_t i = 0; i < sae_->d_in; ++i) {
    finite = finite && std::isfinite(sae_->W_enc.at(i, claim.target));
  }
  if (!finite) {
    throw InputError("sae", "feature " + std::to_string(claim.target), "finite numbers",
                     "NaN or infinity");
  }
}

SuffixWork& Prover::work(const Claim& claim) {
  auto found = works_.find(claim.suffix);
  if (found == works_.end()) {
    found = works_.emplace(claim.suffix, SuffixWork{Suffix(*layer_, claim.suffix), {}, {}}).first;
  }
  SuffixWork& w = found->second;
  if (!w.pool) {
    w.pool.emplace(w.suffix, text_);
  }
  return w;
}

void Prover::attack(const Claim& claim, ClaimResult& result) {
  const AttackPoint point = work(claim).pool->strongest(claim, sae_);
  const ConcreteValues values = enclose(model_, point.context);
  result.context = point.context;
  result.context_text = tokens_text(point.context);
  result.attack = replay(model_, sae_, claim, point.context);
  result.attack_enclosure = enclose_value(sae_, claim, values);
  const double room = 1e-6 * (1 + std::fabs(*result.attack));
  if (!(result.attack_enclosure.lo - room <= *result.attack &&
        *result.attack <= result.attack_enclosure.hi + room)) {
    throw Error(ExitCode::internal, "claim " + claim.id +
                                        ": the forward pass and its enclosure disagree at " +
                                        result.context_text);
  }
  const bool surely = claim.kind == ClaimKind::feature_off
                          ? result.attack_enclosure.lo > threshold_of(*sae_, claim.target)
                          : surely_emittable(*decoder_, values.logits, TokenId(claim.target));
  if (surely) {
    result.status = Status::violated;
    result.reason = (claim.kind == ClaimKind::feature_off ? "on after " : "in the support after ") +
                    result.context_text;
  }
}

void Prover::conclude(const Claim& claim, ClaimResult& result) {
  SuffixWork& w = work(claim);
  Conclusion c;
  bool holds = false;
  if (claim.kind == ClaimKind::token_out) {
    c = token_out(w, *w.pool, claim);
    holds = c.hi < min_p_cut(*decoder_).lo;
  } else if (sae_->hook_name == kHookResidMid || sae_->hook_name == kHookMlpPost) {
    c = sae_->hook_name == kHookResidMid ? feature_off(w, *sae_, claim.target)
                                         : feature_off_mlp(w, *sae_, claim.target);
    holds = c.hi <= threshold_of(*sae_, claim.target);
  } else {
    result.reason = "no rule bounds a feature that reads " + sae_->hook_name;
    return;
  }
  if (!std::isfinite(c.hi)) {
    result.reason = "the bound is not a finite number";
    return;
  }
  result.bound = c.hi;
  if (!(result.attack_enclosure.lo <= c.hi)) {
    throw Error(ExitCode::internal, "soundness alarm: claim " + claim.id + ": the attack " +
                                        decimal(result.attack_enclosure.lo) +
                                        " exceeds the proved bound " + decimal(c.hi));
  }
  if (holds && result.status == Status::violated) {
    throw Error(ExitCode::internal,
                "soundness alarm: claim " + claim.id + " is proved and violated");
  }
  if (holds) {
    result.status = Status::holds;
    result.rule = c.rule;
    concluded_.push_back({claim, std::move(c)});
  }
}

ClaimResult Prover::run(const Claim& claim) {
  check(claim);
  ClaimResult result;
  result.claim = claim;
  result.text = words(claim);
  if (claim.kind == ClaimKind::residual) {
    result.reason = "a residual claim is about data, not contexts: assay erase proves it";
    return result;
  }
  result.threshold = claim.kind == ClaimKind::feature_off ? threshold_of(*sae_, claim.target)
                                                          : min_p_cut(*decoder_).hi;
  if (outside_) {
    result.reason = "no rule covers this model: " + *outside_;
    return result;
  }
  attack(claim, result);
  conclude(claim, result);
  if (result.status == Status::unknown && result.reason.empty()) {
    result.reason = "bound " + number(result.bound) + " is not below the threshold " +
                    number(result.threshold) + ", the attack reached " + number(result.attack) +
                    "; missing: a split on the token before the suffix";
  }
  return result;
}

ProofRun prove(const Transformer& model, const Sae* sae, const Request& request,
               const AttackText& text) {
  Prover prover(model, sae, request.decoder, text);
  ProofRun run;
  for (const Claim& claim : request.claims) {
    run.results.push_back(prover.run(claim));
  }
  run.statement = request;
  run.is_reduced = run.count(Status::holds) != request.claims.size();
  if (prover.concluded().empty()) {
    return run;
  }
  if (run.is_reduced) {
    std::vector<Claim> proved;
    bool needs_decoder = false;
    for (const Concluded& c : prover.concluded()) {
      proved.push_back(c.claim);
      needs_decoder = needs_decoder || c.claim.kind == ClaimKind::token_out;
    }
    run.statement = make_request(needs_decoder ? request.decoder : std::nullopt, proved);
  }
  run.certificate =
      write_certificate(model, sae, run.statement, prover.concluded(), prover.works());
  return run;
}

std::string results_table(const ProofRun& run) {
  std::string out;
  const auto pad = [](const std::string& s, std::size_t width) {
    return s.size() < width ? s + std::string(width - s.size(), ' ') : s;
  };
  std::size_t widest = 5;
  for (const ClaimResult& r : run.results) {
    widest = std::max(widest, r.claim.id.size());
  }
  out += pad("claim", widest) + "  bound       attack      threshold   gap         status\n";
  for (const ClaimResult& r : run.results) {
    const std::optional<double> gap =
        r.bound && r.attack ? std::optional(*r.bound - *r.attack) : std::nullopt;
    out += pad(r.claim.id, widest) + "  " + pad(number(r.bound), 10) + "  " +
           pad(number(r.attack), 10) + "  " + pad(number(r.threshold), 10) + "  " +
           pad(number(gap), 10) + "  " + name(r.status) + "\n";
    out += "  " + r.text + "\n";
    if (!r.reason.empty()) {
      out += "  " + std::string(r.status == Status::violated ? "counterexample: " : "why: ") +
             r.reason + "\n";
    }
  }
  return out + std::to_string(run.count(Status::holds)) + " hold, " +
         std::to_string(run.count(Status::violated)) + " violated, " +
         std::to_string(run.count(Status::unknown)) + " unknown";
}

}  // namespace assay::bounds
