#include "assay/bounds/suggest.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/model/forward.hpp"
#include "prover.hpp"

namespace assay::bounds {
namespace {

constexpr std::size_t kChunk = 512;          // positions a forward pass
constexpr std::size_t kChunks = 48;          // passes over the fit text
constexpr std::size_t kSuffixes = 48;        // most frequent suffixes considered for features
constexpr std::size_t kTries = 6;            // suffixes tried for a feature
constexpr std::size_t kCountLimit = 400000;  // held-out tokens counted

using Tokens = std::vector<TokenId>;

struct CountedSuffix {
  Tokens tokens;
  std::size_t count = 0;
  std::set<std::uint32_t> next;  ///< tokens seen right after it
};

/// Suffixes of the text by falling count, ties in token order.
std::vector<CountedSuffix> count_suffixes(const std::vector<Tokens>& documents, std::size_t known) {
  std::map<Tokens, CountedSuffix> counts;
  std::size_t budget = kCountLimit;
  for (const Tokens& document : documents) {
    for (std::size_t end = known; end <= document.size() && budget > 0; ++end, --budget) {
      const auto last = document.begin() + static_cast<std::ptrdiff_t>(end);
      CountedSuffix& entry = counts[Tokens(last - static_cast<std::ptrdiff_t>(known), last)];
      ++entry.count;
      if (end < document.size()) {
        entry.next.insert(document[end].value);
      }
    }
  }
  std::vector<CountedSuffix> sorted;
  for (auto& [tokens, entry] : counts) {
    entry.tokens = tokens;
    sorted.push_back(std::move(entry));
  }
  std::stable_sort(
      sorted.begin(), sorted.end(),
      [](const CountedSuffix& a, const CountedSuffix& b) { return a.count > b.count; });
  return sorted;
}

/// How often each feature was on, over all sampled positions and after each candidate suffix.
struct Activity {
  std::size_t positions = 0;
  std::vector<std::size_t> on;                       ///< [d_sae]
  std::map<Tokens, std::vector<std::size_t>> after;  ///< suffix -> [d_sae]
  std::map<Tokens, std::size_t> seen;
};

void count_chunk(const Transformer& model, const Sae& sae, const Tokens& chunk, std::size_t known,
                 Activity& activity) {
  const std::string hooks[] = {sae.hook_name};
  const Matrix pre = pre_activations(sae, forward(model, chunk, hooks).hooks.at(sae.hook_name));
  for (std::size_t p = known; p <= chunk.size(); ++p) {
    const auto last = chunk.begin() + static_cast<std::ptrdiff_t>(p);
    const auto suffix =
        activity.after.find(Tokens(last - static_cast<std::ptrdiff_t>(known), last));
    ++activity.positions;
    for (std::size_t i = 0; i < sae.d_sae; ++i) {
      const bool on = pre.at(p - 1, i) > threshold_of(sae, i);
      activity.on[i] += on ? 1 : 0;
      if (suffix != activity.after.end()) {
        suffix->second[i] += on ? 1 : 0;
      }
    }
    if (suffix != activity.after.end()) {
      ++activity.seen[suffix->first];
    }
  }
}

Activity measure(const Transformer& model, const Sae& sae, const std::vector<Tokens>& fit,
                 const std::vector<CountedSuffix>& suffixes, std::size_t known) {
  Activity activity;
  activity.on.assign(sae.d_sae, 0);
  for (std::size_t s = 0; s < suffixes.size() && s < kSuffixes; ++s) {
    activity.after[suffixes[s].tokens].assign(sae.d_sae, 0);
  }
  std::size_t total = 0;
  for (const Tokens& document : fit) {
    total += document.size();
  }
  const std::size_t chunk =
      model.config.positions == PosKind::standard ? std::min(kChunk, model.config.n_ctx) : kChunk;
  const std::size_t stride = std::max(chunk, total / kChunks);
  std::size_t skip = 0;
  for (const Tokens& document : fit) {
    for (; skip + known < document.size(); skip += stride) {
      const auto first = document.begin() + static_cast<std::ptrdiff_t>(skip);
      const std::size_t n = std::min(chunk, document.size() - skip);
      count_chunk(model, sae, Tokens(first, first + static_cast<std::ptrdiff_t>(n)), known,
                  activity);
    }
    skip = skip > document.size() ? skip - document.size() : 0;
  }
  return activity;
}

/// Collects claims with their results; numbers them.
class Collector {
 public:
  Collector(Prover& prover, const SuggestOptions& options) : prover_(prover), options_(options) {}

  /// Tries the claim; keeps it when proved. The first one not proved is the honest claim, a
  /// violated one preferred.
  bool offer(ClaimKind kind, std::uint32_t target, const Tokens& suffix) {
    Claim claim;
    claim.kind = kind;
    claim.target = target;
    claim.suffix = suffix;
    claim.id = std::string(kind == ClaimKind::feature_off ? "feature-" : "token-") +
               std::to_string(target);
    while (used_.contains(claim.id)) {
      claim.id += "b";
    }
    ClaimResult result = prover_.run(claim);
    if (result.status == Status::holds) {
      used_.insert(claim.id);
      kept_.push_back(std::move(result));
      return true;
    }
    const bool better =
        !honest_ || (honest_->status == Status::unknown && result.status == Status::violated);
    if (options_.honest && better) {
      honest_ = std::move(result);
    }
    return false;
  }
  [[nodiscard]] bool needs_honest() const { return options_.honest && !honest_; }

  Suggestion finish() {
    Suggestion out;
    if (honest_) {
      while (used_.contains(honest_->claim.id)) {
        honest_->claim.id += "b";
      }
      kept_.push_back(std::move(*honest_));
    }
    std::vector<Claim> claims;
    std::vector<std::string> comments{"proposed from text; one line a claim"};
    bool decoder = false;
    for (const ClaimResult& r : kept_) {
      claims.push_back(r.claim);
      decoder = decoder || r.claim.kind == ClaimKind::token_out;
    }
    if (claims.empty()) {
      throw Error(ExitCode::unknown, "suggest: no claim could be proved on this model and text");
    }
    out.request =
        make_request(decoder ? std::optional(options_.decoder) : std::nullopt, claims, comments);
    out.results = std::move(kept_);
    return out;
  }

 private:
  Prover& prover_;
  const SuggestOptions& options_;
  std::set<std::string> used_;
  std::vector<ClaimResult> kept_;
  std::optional<ClaimResult> honest_;
};

void suggest_features(const Transformer& model, const Sae& sae, const std::vector<Tokens>& fit,
                      const std::vector<CountedSuffix>& suffixes, const SuggestOptions& options,
                      Collector& collector) {
  const Activity activity = measure(model, sae, fit, suffixes, options.known);
  std::vector<std::uint32_t> live;
  for (std::size_t i = 0; i < sae.d_sae; ++i) {
    if (500 * activity.on[i] >= activity.positions && 2 * activity.on[i] <= activity.positions) {
      live.push_back(static_cast<std::uint32_t>(i));
    }
  }
  std::stable_sort(live.begin(), live.end(), [&](std::uint32_t a, std::uint32_t b) {
    return activity.on[a] > activity.on[b];
  });
  std::size_t kept = 0;
  std::size_t first = 0;  // suffixes take turns, so that the claims are not all about one
  const std::size_t turns = std::min(kSuffixes, suffixes.size());
  for (const std::uint32_t feature : live) {
    std::size_t tried = 0;
    for (std::size_t s = 0; s < turns && tried < kTries && kept < options.claims; ++s) {
      const Tokens& suffix = suffixes[(first + s) % turns].tokens;
      const auto seen = activity.seen.find(suffix);
      if (seen == activity.seen.end() || activity.after.at(suffix)[feature] > 0) {
        continue;
      }
      ++tried;
      if (collector.offer(ClaimKind::feature_off, feature, suffix)) {
        ++kept;
        first = (first + s + 1) % turns;
        break;
      }
    }
  }
  // The honest claim: a feature that text switches on after a frequent suffix.
  for (std::size_t s = 0; s < turns && collector.needs_honest(); ++s) {
    for (const std::uint32_t feature : live) {
      if (activity.after.at(suffixes[s].tokens)[feature] > 0 && collector.needs_honest()) {
        collector.offer(ClaimKind::feature_off, feature, suffixes[s].tokens);
      }
    }
  }
}

struct Pattern {
  const char* before;
  const char* next;
};
constexpr Pattern kPatterns[] = {{"<", "<"},  {"</", "1"}, {"</", " "},  {"<", " "},
                                 {"</", "<"}, {"<", "1"},  {"=\"", "<"}, {"&", " "}};

/// The most frequent suffix whose text ends in `before`; nullptr when none does.
const CountedSuffix* suffix_ending(const std::vector<CountedSuffix>& suffixes,
                                   const Tokenizer& tokenizer, const std::string& before) {
  for (const CountedSuffix& s : suffixes) {
    if (tokenizer.decode(s.tokens).ends_with(before)) {
      return &s;
    }
  }
  return nullptr;
}

std::size_t suggest_patterns(const std::vector<CountedSuffix>& suffixes, const Tokenizer& tokenizer,
                             std::size_t wanted, std::set<std::pair<std::uint32_t, Tokens>>& tried,
                             Collector& collector) {
  std::size_t kept = 0;
  for (const Pattern& pattern : kPatterns) {
    const CountedSuffix* suffix = suffix_ending(suffixes, tokenizer, pattern.before);
    const Tokens next = tokenizer.encode(pattern.next);
    if (kept == wanted || suffix == nullptr || next.size() != 1 ||
        suffix->next.contains(next[0].value) ||
        !tried.insert({next[0].value, suffix->tokens}).second) {
      continue;
    }
    kept += collector.offer(ClaimKind::token_out, next[0].value, suffix->tokens) ? 1 : 0;
  }
  return kept;
}

void suggest_tokens(const Transformer& model, const std::vector<Tokens>& held_out,
                    const std::vector<CountedSuffix>& suffixes, const Tokenizer* tokenizer,
                    const SuggestOptions& options, Collector& collector) {
  std::set<std::pair<std::uint32_t, Tokens>> tried;
  std::size_t kept = tokenizer == nullptr
                         ? 0
                         : suggest_patterns(suffixes, *tokenizer, options.claims, tried, collector);
  std::vector<std::pair<std::size_t, std::uint32_t>> frequent(model.config.d_vocab_out);
  for (std::uint32_t u = 0; u < frequent.size(); ++u) {
    frequent[u] = {0, u};
  }
  for (const Tokens& document : held_out) {
    for (const TokenId t : document) {
      if (t.at() < frequent.size()) {
        ++frequent[t.at()].first;
      }
    }
  }
  std::stable_sort(frequent.begin(), frequent.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t s = 0; s < suffixes.size() && s < kSuffixes && kept < options.claims; ++s) {
    std::size_t tries = 0;
    for (const auto& [count, token] : frequent) {
      if (suffixes[s].next.contains(token) || !tried.insert({token, suffixes[s].tokens}).second) {
        continue;
      }
      if (++tries > kTries) {
        break;
      }
      if (collector.offer(ClaimKind::token_out, token, suffixes[s].tokens)) {
        ++kept;
        break;
      }
    }
  }
}

}  // namespace

Suggestion suggest(const Transformer& model, const Sae* sae, const std::vector<Tokens>& fit,
                   const std::vector<Tokens>& held_out, const AttackText& text,
                   const SuggestOptions& options) {
  if (const auto why = outside_family(model)) {
    throw InputError("config.json", "model", "a model the rules cover", *why);
  }
  if (options.known == 0 || options.known > model.config.attention_window) {
    throw UsageError("suggest: known tokens: expected 1 to " +
                     std::to_string(model.config.attention_window) + ", found " +
                     std::to_string(options.known));
  }
  const std::vector<CountedSuffix> suffixes = count_suffixes(held_out, options.known);
  if (suffixes.empty()) {
    throw InputError("text", "held-out part",
                     "at least " + std::to_string(options.known) + " tokens", "fewer");
  }
  Prover prover(model, sae, options.decoder, text);
  Collector collector(prover, options);
  if (sae != nullptr) {
    need_thresholds(*sae);
    suggest_features(model, *sae, fit, suffixes, options, collector);
  }
  suggest_tokens(model, held_out, suffixes, text.tokenizer, options, collector);
  return collector.finish();
}

}  // namespace assay::bounds
