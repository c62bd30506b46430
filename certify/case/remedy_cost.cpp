#include <algorithm>
#include <cmath>

#include "assay/automata/causal.hpp"
#include "assay/automata/emission.hpp"
#include "assay/erase/feature_leak.hpp"
#include "assay/features/encode.hpp"
#include "assay/spec/spec.hpp"
#include "remedy.hpp"

namespace assay::certify {
namespace {

constexpr double kSmoothing = 1.0 / 100;

double log_softmax(std::span<const double> logits, TokenId token) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double l : logits) {
    sum += std::exp(l - top);
  }
  return logits[token.at()] - top - std::log(sum);
}

double probability(const TokenLaw& law, TokenId token) {
  const auto at = std::lower_bound(law.tokens.begin(), law.tokens.end(), token);
  return at == law.tokens.end() || *at != token
             ? 0
             : law.probabilities[static_cast<std::size_t>(at - law.tokens.begin())];
}

/// The decoder of the target's check, or the case's own.
DecoderRule rule_of(const Repair& repair, const CaseFile& file) {
  for (const CheckCase& check : file.checks) {
    if (check.name != repair.check) {
      continue;
    }
    automata::Emission emission = automata::Emission::parse(check.decoder);
    if (!check.allow.empty()) {
      const std::string name = "checks/" + check.name + "/resolved.spec";
      emission.allow(check.allow, spec::parse_spec(evidence_bytes(repair, name), name),
                     repair.subject.model.config.d_vocab);
    }
    return emission.rule();
  }
  DecoderRule out;
  out.kind = DecoderRule::Kind::min_p;
  out.share = file.decoder.min_p;
  out.temperature = file.decoder.temperature;
  out.temperature_first = file.decoder.order == TemperatureOrder::before;
  return out;
}

/// What one model and decoder say of the next tokens.
struct Side {
  const Transformer& model;
  DecoderRule rule;
  double law = 0, softmax = 0;
  std::size_t outside = 0;

  void read(const std::vector<TokenId>& tokens) {
    const Matrix logits = forward(model, tokens).logits;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const double q = probability(token_law(rule, logits.row(i)), tokens[i + 1]);
      outside += q == 0 ? 1 : 0;
      law -= std::log(smoothed(q, logits.cols));
      softmax -= log_softmax(logits.row(i), tokens[i + 1]);
    }
  }
};

}  // namespace

double smoothed(double probability, std::size_t vocabulary) {
  return (1 - kSmoothing) * probability + kSmoothing / static_cast<double>(vocabulary);
}

std::optional<RemedyCost> cost_of(const Repair& repair, const CaseFile& remedied) {
  const Subject& s = repair.subject;
  if (s.documents.empty()) {
    return std::nullopt;
  }
  const Transformer changed = load_transformer(remedied.model);
  Side before{s.model, rule_of(repair, repair.file)}, after{changed, rule_of(repair, remedied)};
  RemedyCost out;
  for (const auto& tokens : features::part_sequences(s.model, s.tokenizer, s.documents,
                                                     Part::held_out, repair.options.cost_tokens)) {
    before.read(tokens);
    after.read(tokens);
    out.tokens += tokens.size() - 1;
  }
  const auto n = static_cast<double>(out.tokens);
  out.before = before.law / n;
  out.after = after.law / n;
  out.model_before = before.softmax / n;
  out.model_after = after.softmax / n;
  out.outside_before = before.outside;
  out.outside_after = after.outside;
  return out;
}

std::vector<CausalFeature> causal_features(const Subject& subject, const RunTokens& run,
                                           std::size_t most) {
  std::vector<CausalFeature> out;
  std::vector<TokenId> context = run.prompt;
  context.insert(context.end(), run.run.begin(), run.run.end());
  if (run.run.empty() || context.size() < 2) {
    return out;
  }
  const TokenId last = context.back();
  context.pop_back();
  const std::size_t row = context.size() - 1;
  const Transformer& model = subject.model;
  const auto chance = [&](const Matrix& logits) {
    return std::exp(log_softmax(logits.row(row), last));
  };
  const double whole = chance(forward(model, context).logits);
  const erase::FeatureAction ablate{erase::FeatureAction::Kind::set, 0, true, "ablate"};
  for (const auto& [name, sae] : subject.dictionaries) {
    if (!automata::can_ablate(sae)) {
      continue;
    }
    const Matrix values = features::feature_values(model, sae, context);
    for (std::size_t f = 0; f < values.cols; ++f) {
      if (values.at(row, f) > 0) {
        const double fall =
            whole - chance(erase::logits_under(model, sae, {f}, {}, ablate, context));
        if (fall > 0) {
          out.push_back({name, f, fall});
        }
      }
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.fall > b.fall; });
  out.resize(std::min(out.size(), most));
  return out;
}

}  // namespace assay::certify
