#include "assay/bounds/attack.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/base/errors.hpp"
#include "assay/base/random.hpp"
#include "assay/model/forward.hpp"
#include "one_layer.hpp"

namespace assay::bounds {
namespace {

using Free = std::vector<TokenId>;  // tokens at k, k+1, … back: nearest first, at most w - k

constexpr std::size_t kTextWindows = 96;
constexpr std::size_t kMixes = 128;
constexpr std::size_t kHard = 16;
constexpr int kSweeps = 3;

/// hook_resid_mid after each context: [n, d].
Rows resid_mid(const Suffix& suffix, const std::vector<Free>& contexts) {
  const OneLayer::Tables& t = suffix.layer().tables();
  const auto& weights = suffix.weights();
  const std::size_t k = weights.back.size();
  const Row base = t.resid_base.row(index(weights.back[0].at()));
  Rows mid = base.replicate(index(contexts.size()), 1);
  for (std::size_t h = 0; h < t.heads; ++h) {
    const auto& head = weights.heads[h];
    double known = 0;
    Row sum_known = Row::Zero(index(t.d));
    for (std::size_t j = 0; j < k; ++j) {
      const double w = head.known[j].lo + head.known[j].width() / 2;
      known += w;
      sum_known += w * t.out[h].mid.row(index(weights.back[j].at()));
    }
    for (std::size_t n = 0; n < contexts.size(); ++n) {
      double total = known;
      Row sum = sum_known;
      for (std::size_t j = 0; j < contexts[n].size(); ++j) {
        const std::size_t u = contexts[n][j].at();
        const double w = head.bias_factor[k + j] * head.mid[u];
        total += w;
        sum += w * t.out[h].mid.row(index(u));
      }
      mid.row(index(n)) += sum / total;
    }
  }
  return mid;
}

/// What the claims of this part look at, for a batch of contexts.
struct Values {
  Rows mid, post, logits;
};

Values evaluate(const OneLayer::Tables& t, Rows mid, bool with_logits) {
  Values v;
  v.mid = std::move(mid);
  v.post = ((v.mid * t.W_in).rowwise() + t.b_in).cwiseMax(0.0);
  if (with_logits) {
    v.logits = ((v.mid + ((v.post * t.W_out).rowwise() + t.b_out)) * t.W_U).rowwise() + t.b_U;
  }
  return v;
}

/// The claim's value at each context: [n].
std::vector<double> objective(const OneLayer::Tables& t, const Claim& claim, const Sae* sae,
                              const Values& v) {
  std::vector<double> out(static_cast<std::size_t>(v.mid.rows()));
  if (claim.kind == ClaimKind::token_out) {
    for (std::size_t n = 0; n < out.size(); ++n) {
      double rival = -std::numeric_limits<double>::infinity();
      for (Eigen::Index y = 0; y < v.logits.cols(); ++y) {
        rival = y == index(claim.target) ? rival : std::max(rival, v.logits(index(n), y));
      }
      out[n] = v.logits(index(n), index(claim.target)) - rival;
    }
    return out;
  }
  Rows x = v.mid;
  if (sae->hook_name == kHookMlpPost) {
    x = v.post;
  } else if (sae->hook_name == kHookMlpOut) {
    x = (v.post * t.W_out).rowwise() + t.b_out;
  } else if (sae->hook_name == kHookResidPost) {
    x = v.mid + Rows((v.post * t.W_out).rowwise() + t.b_out);
  }
  Eigen::VectorXd g(x.cols());
  double offset =
      sae->b_enc.data.empty() ? 0.0 : static_cast<double>(sae->b_enc.data[claim.target]);
  for (Eigen::Index i = 0; i < x.cols(); ++i) {
    g(i) = static_cast<double>(sae->W_enc.at(static_cast<std::size_t>(i), claim.target));
    if (sae->apply_b_dec_to_input && !sae->b_dec.data.empty()) {
      offset -= g(i) * static_cast<double>(sae->b_dec.data[static_cast<std::size_t>(i)]);
    }
  }
  const Eigen::VectorXd value = (x * g).array() + offset;
  std::copy(value.data(), value.data() + value.size(), out.begin());
  return out;
}

bool ends_in(const std::vector<TokenId>& text, std::size_t end, const std::vector<TokenId>& back) {
  for (std::size_t j = 0; j < back.size(); ++j) {
    if (end < j + 1 || text[end - 1 - j] != back[j]) {
      return false;
    }
  }
  return true;
}

/// The `free` tokens before position `end`, nearest first.
Free window_before(const std::vector<TokenId>& text, std::size_t end, std::size_t free) {
  Free out;
  for (std::size_t j = 0; j < free && j < end; ++j) {
    out.push_back(text[end - 1 - j]);
  }
  return out;
}

/// Windows of the text: first those that really precede the suffix, then grafted ones.
void add_text_windows(const AttackText& text, const std::vector<TokenId>& back, std::size_t free,
                      std::size_t vocab, std::vector<Free>& contexts) {
  std::vector<Free> real;
  std::size_t total = 0;
  for (const auto& document : text.documents) {
    total += document.size();
    for (std::size_t end = back.size(); end <= document.size() && real.size() < kTextWindows;
         ++end) {
      if (ends_in(document, end, back)) {
        real.push_back(window_before(document, end - back.size(), free));
      }
    }
  }
  const std::size_t stride = std::max<std::size_t>(1, total / kTextWindows);
  std::size_t skip = 0;
  for (const auto& document : text.documents) {
    for (; skip < document.size(); skip += stride) {
      real.push_back(window_before(document, skip, free));
    }
    skip -= document.size();
  }
  for (Free& window : real) {
    if (std::all_of(window.begin(), window.end(), [&](TokenId u) { return u.at() < vocab; })) {
      contexts.push_back(std::move(window));
    }
  }
}

std::vector<Free> starting_contexts(const Suffix& suffix, const AttackText& text) {
  const OneLayer::Tables& t = suffix.layer().tables();
  const std::size_t free = t.window - suffix.tokens().size();
  std::vector<Free> contexts{{}};
  for (std::size_t n = 1; n <= free; ++n) {
    for (std::size_t u = 0; u < t.vocab; ++u) {
      contexts.emplace_back(n, TokenId(u));
    }
  }
  if (free == 0) {
    return contexts;
  }
  add_text_windows(text, suffix.weights().back, free, t.vocab, contexts);
  Random random(text.seed);
  for (std::size_t i = 0; i < kMixes; ++i) {
    const TokenId pair[] = {TokenId(random.below(t.vocab)), TokenId(random.below(t.vocab))};
    Free mix;
    for (std::size_t j = 0; j < free; ++j) {
      mix.push_back(pair[random.below(2)]);
    }
    contexts.push_back(std::move(mix));
  }
  return contexts;
}

/// Indices by falling value; ties by index.
std::vector<std::size_t> hardest(const std::vector<double>& values, std::size_t count) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  order.resize(std::min(count, order.size()));
  return order;
}

}  // namespace

struct AttackPool::State {
  Suffix suffix;
  std::vector<Free> contexts;
  Values values;
};

AttackPool::AttackPool(const Suffix& suffix, const AttackText& text) {
  std::vector<Free> contexts = starting_contexts(suffix, text);
  Values values = evaluate(suffix.layer().tables(), resid_mid(suffix, contexts), true);
  state_ = std::make_shared<const State>(State{suffix, std::move(contexts), std::move(values)});
}

AttackPoint AttackPool::strongest(const Claim& claim, const Sae* sae) const {
  const Suffix& suffix = state_->suffix;
  const OneLayer::Tables& t = suffix.layer().tables();
  const bool logits = claim.kind == ClaimKind::token_out;
  const std::vector<double> start = objective(t, claim, sae, state_->values);
  const std::size_t arg = hardest(start, 1).front();
  Free best = state_->contexts[arg];
  double value = start[arg];
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    const double before = value;
    for (std::size_t j = 0; j < t.window - suffix.tokens().size() && j <= best.size(); ++j) {
      std::vector<Free> tries(t.vocab, best);
      for (std::size_t u = 0; u < t.vocab; ++u) {
        tries[u].resize(std::max(best.size(), j + 1));
        tries[u][j] = TokenId(u);
      }
      const auto v = objective(t, claim, sae, evaluate(t, resid_mid(suffix, tries), logits));
      const std::size_t top = hardest(v, 1).front();
      if (v[top] > value) {
        value = v[top];
        best = tries[top];
      }
    }
    if (!(value > before)) {
      break;
    }
  }
  AttackPoint point{{best.rbegin(), best.rend()}, value};
  point.context.insert(point.context.end(), suffix.tokens().begin(), suffix.tokens().end());
  return point;
}

std::vector<double> AttackPool::hard_probabilities(const Claim& claim) const {
  require(claim.kind == ClaimKind::token_out, "hard_probabilities: not a token-out claim");
  const OneLayer::Tables& t = state_->suffix.layer().tables();
  const auto order = hardest(objective(t, claim, nullptr, state_->values), kHard);
  std::vector<double> mean(static_cast<std::size_t>(t.W_U.cols()), 0.0);
  for (const std::size_t n : order) {
    const Row l = state_->values.logits.row(index(n));
    const Row p = (l.array() - l.maxCoeff()).exp();
    const double total = p.sum() * static_cast<double>(order.size());
    for (std::size_t y = 0; y < mean.size(); ++y) {
      mean[y] += p(index(y)) / total;
    }
  }
  return mean;
}

std::vector<double> logits_of(const OneLayer& layer, const std::vector<double>& mid) {
  const Rows row = Eigen::Map<const Rows>(mid.data(), 1, index(mid.size()));
  const Rows logits = evaluate(layer.tables(), row, true).logits;
  return {logits.data(), logits.data() + logits.size()};
}

}  // namespace assay::bounds
