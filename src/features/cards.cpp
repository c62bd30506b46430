#include "assay/features/cards.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "feature_name.hpp"

namespace assay::features {
namespace {

struct Survey {
  std::vector<std::vector<Firing>> firings;  ///< by feature, in text order
  std::vector<std::uint64_t> class_tokens;   ///< by class: tokens of it in the text
  std::uint64_t tokens = 0;
};

Survey survey(const Transformer& model, const Sae& sae, const Sequences& sequences,
              const NameSource& source) {
  Survey result;
  result.firings.resize(sae.d_sae);
  result.class_tokens.assign(source.classes.size(), 0);
  Progress progress("feature cards", token_count(sequences));
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    if (interrupted()) {
      throw Error(ExitCode::interrupted, "feature cards: stopped by the user");
    }
    const Matrix values = feature_values(model, sae, sequences[s]);
    for (std::size_t r = 0; r < values.rows; ++r) {
      ++result.class_tokens[source.class_of[sequences[s][r].at()]];
      for (std::size_t i = 0; i < values.cols; ++i) {
        if (values.at(r, i) != 0) {
          result.firings[i].push_back(
              {static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(r), values.at(r, i)});
        }
      }
    }
    result.tokens += sequences[s].size();
    progress.update(result.tokens);
  }
  return result;
}

std::string span_text(const NameSource& source, const std::vector<TokenId>& tokens,
                      std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < std::min(end, tokens.size()); ++i) {
    text += (source.tokenizer == nullptr && !text.empty() ? " " : "") +
            token_text(source.tokenizer, tokens[i]);
  }
  return text;
}

std::vector<Context> top_contexts(std::vector<Firing> firings, const NameSource& source,
                                  const CardOptions& options) {
  std::stable_sort(firings.begin(), firings.end(),
                   [](const Firing& a, const Firing& b) { return a.value > b.value; });
  std::vector<Context> contexts;
  std::set<std::string> seen;
  for (const Firing& f : firings) {
    if (contexts.size() == options.contexts) {
      break;
    }
    const auto& tokens = source.sequences[f.sequence];
    const std::size_t at = f.position;
    const std::size_t begin = at < options.window ? 0 : at - options.window;
    Context c{span_text(source, tokens, begin, at), span_text(source, tokens, at, at + 1),
              span_text(source, tokens, at + 1, at + 1 + options.window / 2), f.value};
    if (seen.insert(c.left + c.token).second) {
      contexts.push_back(std::move(c));
    }
  }
  return contexts;
}

std::vector<TokenShare> token_shares(const std::vector<Firing>& firings, const NameSource& source,
                                     std::size_t limit) {
  std::map<TokenId, std::uint64_t> counts;
  for (const Firing& f : firings) {
    ++counts[source.sequences[f.sequence][f.position]];
  }
  std::vector<TokenShare> shares;
  for (const auto& [token, count] : counts) {
    shares.push_back(
        {token, count, static_cast<double>(count) / static_cast<double>(firings.size())});
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const TokenShare& a, const TokenShare& b) { return a.count > b.count; });
  shares.resize(std::min(limit, shares.size()));
  return shares;
}

std::vector<ClassScore> class_scores(const std::vector<Firing>& firings, const NameSource& source,
                                     const std::vector<std::uint64_t>& class_tokens) {
  std::vector<std::uint64_t> hits(source.classes.size(), 0);
  for (const Firing& f : firings) {
    ++hits[source.class_of[source.sequences[f.sequence][f.position].at()]];
  }
  std::vector<ClassScore> scores;
  for (std::size_t c = 0; c < hits.size(); ++c) {
    if (hits[c] > 0) {
      const auto h = static_cast<double>(hits[c]);
      const auto on = static_cast<double>(firings.size());
      const auto members = static_cast<double>(class_tokens[c]);
      scores.push_back({source.classes[c].name, h / on, h / members, 2 * h / (on + members)});
    }
  }
  std::stable_sort(scores.begin(), scores.end(),
                   [](const ClassScore& a, const ClassScore& b) { return a.f1 > b.f1; });
  return scores;
}

/// W_dec[i], through W_out when the site is mlp.hook_post, through W_U: the direct path to the
/// logits, centred over the vocabulary (softmax ignores a common shift).
std::vector<PromotedToken> promoted(const Transformer& model, const Sae& sae, FeatureId feature,
                                    std::size_t limit) {
  std::vector<double> direction(model.config.d_model, 0.0);
  for (std::size_t k = 0; k < sae.d_out; ++k) {
    const auto w = static_cast<double>(sae.W_dec.at(feature.at(), k));
    if (sae.hook_name_out == kHookMlpPost) {
      for (std::size_t i = 0; i < direction.size(); ++i) {
        direction[i] += w * static_cast<double>(model.W_out.at(k, i));
      }
    } else {
      direction[k] += w;
    }
  }
  std::vector<PromotedToken> tokens;
  double mean = 0;
  for (std::size_t t = 0; t < model.config.d_vocab_out; ++t) {
    double logit = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      logit += direction[i] * static_cast<double>(model.W_U.at(i, t));
    }
    mean += logit / static_cast<double>(model.config.d_vocab_out);
    tokens.push_back({TokenId(t), logit});
  }
  for (PromotedToken& token : tokens) {
    token.weight -= mean;
  }
  std::stable_sort(
      tokens.begin(), tokens.end(),
      [](const PromotedToken& a, const PromotedToken& b) { return a.weight > b.weight; });
  tokens.resize(std::min(limit, tokens.size()));
  return tokens;
}

void fill_values(const std::vector<Firing>& firings, FeatureCard& card) {
  std::vector<double> values;
  for (const Firing& f : firings) {
    values.push_back(f.value);
    card.mean_on += f.value;
  }
  card.mean_on /= static_cast<double>(values.size());
  std::sort(values.begin(), values.end());
  card.maximum = values.back();
  card.p99 = values[(99 * values.size() + 99) / 100 - 1];  // nearest rank: ceil(0.99 n)
}

}  // namespace

const FeatureCard* CardSet::find(FeatureId feature) const {
  const auto it = std::find_if(cards.begin(), cards.end(),
                               [feature](const FeatureCard& c) { return c.feature == feature; });
  return it == cards.end() ? nullptr : &*it;
}

CardSet make_cards(const Transformer& model, const Sae& sae, const Tokenizer* tokenizer,
                   const Sequences& sequences, const CardOptions& options) {
  check_fits(model, sae);
  std::vector<NamedTokens> classes = single_class(model.config.d_vocab);
  if (tokenizer != nullptr && tokenizer->size() == model.config.d_vocab) {
    classes = standard_classes(*tokenizer);
  }
  const std::vector<std::size_t> class_of = class_of_token(classes, model.config.d_vocab);
  const NameSource source{sequences, tokenizer, classes, class_of};
  const Survey found = survey(model, sae, sequences, source);
  std::vector<FeatureId> order;
  for (std::size_t i = 0; i < sae.d_sae; ++i) {
    if (!found.firings[i].empty()) {
      order.emplace_back(i);
    }
  }
  CardSet set;
  set.tokens = found.tokens;
  set.live = order.size();
  std::stable_sort(order.begin(), order.end(), [&found](FeatureId a, FeatureId b) {
    return found.firings[a.at()].size() > found.firings[b.at()].size();
  });
  order.resize(options.top == 0 ? order.size() : std::min(options.top, order.size()));
  for (const FeatureId feature : order) {
    const auto& firings = found.firings[feature.at()];
    FeatureCard card;
    card.feature = feature;
    const FeatureName name = feature_name(firings, source);
    card.name = name.text;
    card.name_f1 = name.f1;
    card.count = firings.size();
    card.density = static_cast<double>(card.count) / static_cast<double>(set.tokens);
    fill_values(firings, card);
    card.contexts = top_contexts(firings, source, options);
    card.tokens = token_shares(firings, source, options.token_list);
    card.classes = class_scores(firings, source, found.class_tokens);
    card.promotes = promoted(model, sae, feature, options.promoted);
    set.cards.push_back(std::move(card));
  }
  return set;
}

}  // namespace assay::features
