#include "chance_search.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/base/errors.hpp"
#include "chance_bound.hpp"
#include "refined_box.hpp"

namespace assay::verify {
namespace {

using automata::Grid;
using automata::kGridOne;
using automata::WindowCode;

constexpr std::size_t kPool = 12,
                      kBest = 3;      ///< contexts of a leaf; of them, those a mixture is made of
constexpr std::size_t kBoxes = 4000;  ///< of a chain that is solved at every step of the search
constexpr std::size_t kBatch = 8;     ///< steps of the search between two solutions, at least
constexpr double kNear = 0.5;         ///< leaves this near the worst are refined along with it
constexpr double kSlack = 0.2, kLess = 0.7;  ///< nats

bool has_cut(const automata::Emission& emission) {
  return emission.kind() == automata::Emission::Kind::greedy ||
         emission.kind() == automata::Emission::Kind::min_p;
}

double share(Grid value) {
  return static_cast<double>(value) * 0x1p-40;
}

/// Shares as weights of 2^-16 that add to 1.
bounds::Quantity as_mixture(std::uint32_t token,
                            const std::vector<std::pair<double, std::uint32_t>>& rivals,
                            std::size_t count) {
  bounds::Quantity out;
  out.kind = bounds::QuantityKind::logit_mixture;
  out.index = token;
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    total += rivals[i].first;
  }
  std::uint32_t given = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double part = total > 0 ? rivals[i].first / total : 1.0 / static_cast<double>(count);
    const auto w = std::min(static_cast<std::uint32_t>(part * bounds::kWholeMixture),
                            bounds::kWholeMixture - given);
    if (w > 0) {
      out.mixture.emplace_back(rivals[i].second, w);
      given += w;
    }
  }
  if (out.mixture.empty()) {
    out.mixture.emplace_back(rivals[0].second, 0);
  }
  out.mixture.front().second += bounds::kWholeMixture - given;
  return out;
}

}  // namespace

ChanceSearch::ChanceSearch(const RefinedInput& input, const RefinedLetters& letters,
                           const spec::Dfa& event, std::size_t horizon, ChanceThreshold threshold,
                           bounds::LemmaBounder& bounder, RefinedProperty& result)
    : input_(input),
      letters_(letters),
      event_(event),
      horizon_(horizon),
      threshold_(threshold),
      upper_(threshold.wants_upper()),
      bounder_(bounder),
      result_(result),
      forward_(input),
      prompts_(prompt_boxes(input.runs.prompts, letters.vocabulary(), forward_.codes().window())),
      progress_("lemmas", input.limits.lemmas) {
  for (std::uint32_t t = 0; t < letters.vocabulary(); ++t) {
    ViewBox box = every_view(letters.vocabulary(), forward_.codes().window());
    box.back[0] = TokenBits(letters.vocabulary());
    box.back[0].set(t);
    add_leaf(box, nullptr);
  }
}

WindowCode ChanceSearch::random_context(const ViewBox& box) {
  const std::size_t n =
      random_.below(4) == 0 ? box.lo + random_.below(box.hi - box.lo + 1) : box.hi;
  std::vector<TokenId> context(n);
  for (std::size_t j = 0; j < n; ++j) {
    const std::vector<TokenId> set = box.back[j].tokens();
    context[n - 1 - j] = set[random_.below(set.size())];
  }
  return forward_.codes().encode(context);
}

void ChanceSearch::fill_pool(ChanceLeaf& leaf, const ChanceLeaf* parent) {
  const std::size_t V = letters_.vocabulary();
  for (std::size_t i = 0; parent != nullptr && i < parent->pool.size(); ++i) {
    if (holds(leaf.box, forward_.codes().decode(parent->pool[i]))) {
      leaf.pool.push_back(parent->pool[i]);
      leaf.logits.insert(leaf.logits.end(),
                         parent->logits.begin() + static_cast<std::ptrdiff_t>(i * V),
                         parent->logits.begin() + static_cast<std::ptrdiff_t>((i + 1) * V));
    }
  }
  std::vector<WindowCode> fresh;
  for (std::size_t i = leaf.pool.size(); i < kPool; ++i) {
    fresh.push_back(random_context(leaf.box));
  }
  const std::vector<double> logits = forward_.logits(fresh);
  leaf.pool.insert(leaf.pool.end(), fresh.begin(), fresh.end());
  leaf.logits.insert(leaf.logits.end(), logits.begin(), logits.end());
}

void ChanceSearch::add_leaf(const ViewBox& box, const ChanceLeaf* parent) {
  const std::size_t V = letters_.vocabulary();
  ChanceLeaf leaf;
  leaf.box = box;
  if (parent != nullptr) {
    leaf.most = parent->most;
    leaf.fact = parent->fact;
  } else {
    leaf.most.assign(V, kGridOne);
    leaf.fact.assign(V, ChanceLeaf::kNoFact);
  }
  leaf.own.assign(V, ChanceLeaf::kNoFact);
  fill_pool(leaf, parent);
  std::vector<double> mean(V, 0), p, row(V);
  for (std::size_t i = 0; i < leaf.pool.size(); ++i) {
    std::copy_n(leaf.logits.begin() + static_cast<std::ptrdiff_t>(i * V), V, row.begin());
    forward_.distribution(row.data(), p);
    for (std::size_t t = 0; t < V; ++t) {
      mean[t] += p[t] / static_cast<double>(leaf.pool.size());
    }
  }
  typical_.push_back(std::move(mean));
  leaves_.push_back(std::move(leaf));
}

bool ChanceSearch::is_initial(const ChanceLeaf& leaf) const {
  return std::any_of(prompts_.begin(), prompts_.end(),
                     [&](const ViewBox& prompt) { return meets(leaf.box, prompt); });
}

Grid ChanceSearch::worst(const std::vector<Grid>& values, bool upper) const {
  Grid out = upper ? 0 : kGridOne;
  for (std::size_t l = 0; l < leaves_.size(); ++l) {
    if (is_initial(leaves_[l])) {
      out = upper ? std::max(out, values[l]) : std::min(out, values[l]);
    }
  }
  return out;
}

Grid ChanceSearch::bound(bool upper) const {
  const LeafChain chain(leaves_, letters_, event_);
  return worst(chain.values(horizon_, upper).back()[0], upper);
}

std::vector<WindowCode> ChanceSearch::worst_pool() const {
  std::size_t best = 0;
  bool any = false;
  for (std::size_t l = 0; l < leaves_.size() && l < initial_.size(); ++l) {
    if (is_initial(leaves_[l]) &&
        (!any || (upper_ ? initial_[l] > initial_[best] : initial_[l] < initial_[best]))) {
      best = l;
      any = true;
    }
  }
  return any ? leaves_[best].pool : std::vector<WindowCode>{};
}

std::size_t ChanceSearch::newest_set(const ViewBox& box) {
  std::size_t slot = 1;
  while (slot < box.back.size() && box.back[slot].count() == 1 && box.lo > slot) {
    ++slot;
  }
  return slot;
}

/// By contexts of the first token.
std::size_t ChanceSearch::near_positions(std::uint32_t token) {
  const auto [found, is_new] = near_.try_emplace(token, 0);
  const std::size_t w = forward_.codes().window();
  for (std::size_t n = 1; is_new && n < w && found->second == 0; ++n) {
    ViewBox known = every_view(letters_.vocabulary(), w);
    known.lo = n;
    for (std::size_t j = 0; j < n; ++j) {
      known.back[j] = TokenBits(letters_.vocabulary());
      known.back[j].set(j == 0 ? token : 0);
    }
    found->second = bounder_.moves_one_head(domain_of(known)) ? n : 0;
  }
  return found->second;
}

/// Bounds over the box are not worth their time before its newest tokens are known.
bool ChanceSearch::is_far(const ViewBox& box) {
  return box.hi > newest_set(box) &&
         newest_set(box) < near_positions(box.back[0].tokens().front().value);
}

/// One part for every token at the newest position that is not known, and one of the contexts that lack it.
std::vector<ViewBox> ChanceSearch::singles(const ViewBox& box) const {
  const std::size_t slot = newest_set(box);
  std::vector<ViewBox> out;
  if (box.lo <= slot) {
    out.push_back(box);
    out.back().hi = slot;
    for (std::size_t j = slot; j < box.back.size(); ++j) {
      out.back().back[j] = every_view(letters_.vocabulary(), box.back.size()).back[j];
    }
  }
  for (const TokenId t : box.back[slot].tokens()) {
    ViewBox part = box;
    part.lo = std::max<std::size_t>(box.lo, slot + 1);
    part.back[slot] = TokenBits(letters_.vocabulary());
    part.back[slot].set(t.at());
    out.push_back(std::move(part));
  }
  return out;
}

/// A lemma for every token that may complete the event where a run may be: without one no bound is below 1. Whether
/// there was any to make.
bool ChanceSearch::bound_ends(const LeafChain& chain) {
  std::vector<bool> initial;
  for (const ChanceLeaf& leaf : leaves_) {
    initial.push_back(is_initial(leaf));
  }
  const std::vector<std::vector<bool>> reached = chain.reached(initial);
  std::vector<std::pair<std::size_t, std::uint32_t>> ends;
  for (std::size_t l = 0; l < initial.size(); ++l) {
    for (std::uint32_t t = 0; t < letters_.vocabulary(); ++t) {
      for (std::size_t q = 0; q < chain.states(); ++q) {
        if (reached[q][l] && chain.ends(q, t) && leaves_[l].own[t] == ChanceLeaf::kNoFact) {
          ends.emplace_back(l, t);
          break;
        }
      }
    }
  }
  bool any = false;
  std::size_t last = leaves_.size();
  for (const auto& [l, t] : ends) {
    if (result_.bounded >= input_.limits.lemmas || interrupted() || leaves_.size() > kBoxes) {
      return any;  // the chain is made anew before it is used
    }
    if (l != last && is_far(leaves_[l].box)) {  // divide() leaves another box at l: a part
      last = l;
      any = divide(l, t) || any;
    } else if (l != last) {
      bound_token(l, t);
      any = true;
    }
    progress_.update(std::min(result_.bounded, input_.limits.lemmas),
                     std::to_string(leaves_.size()) + " boxes, first lemmas");
  }
  return any;
}

void ChanceSearch::run() {
  while (true) {
    const LeafChain chain(leaves_, letters_, event_);
    if (bound_ends(chain)) {
      continue;
    }
    links_ = chain.links();
    const LeafChain::Values values = chain.values(horizon_, upper_);
    initial_ = values.back()[0];
    const Grid now = worst(initial_, upper_);
    progress_.update(std::min(result_.bounded, input_.limits.lemmas),
                     std::to_string(leaves_.size()) + " boxes, bound " +
                         automata::grid_text(now, automata::Rounding::up));
    if (threshold_.holds_of(now) || interrupted()) {
      return;
    }
    std::vector<Gain> order = gains(chain, values);
    const std::size_t batch = std::min(order.size(), std::max(kBatch, leaves_.size() / 4));
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(batch),
                      order.end(), [](const Gain& a, const Gain& b) {
                        return std::tuple(-a.score, a.leaf, a.token) <
                               std::tuple(-b.score, b.leaf, b.token);
                      });
    std::size_t done = 0;
    bool has_parted = false;  // into as many boxes as there are tokens: one at a time
    for (std::size_t i = 0; i < batch && result_.bounded < input_.limits.lemmas; ++i) {
      if (!order[i].divides) {
        bound_token(order[i].leaf, order[i].token);
        ++done;
      } else if (const bool far = is_far(leaves_[order[i].leaf].box); !far || !has_parted) {
        has_parted = has_parted || far;
        done += divide(order[i].leaf, order[i].token) ? 1 : 0;
      }
    }
    if (done == 0 || leaves_.size() > std::min(input_.limits.boxes, kBoxes)) {
      return;
    }
  }
}

/// What nature wins over the typical distribution by each token's share, leaf by leaf: weight · p(t) · (value − typical).
void ChanceSearch::spread(const LeafChain& chain, const std::vector<std::vector<Grid>>& ahead,
                          const std::vector<std::vector<double>>& weight,
                          std::vector<std::vector<double>>& next,
                          std::vector<std::vector<double>>& of_token) {
  const std::size_t V = letters_.vocabulary();
  std::vector<Grid> value(V, 0);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> to(V);
  for (std::size_t q = 0; q < chain.states(); ++q) {
    for (std::size_t l = 0; l < leaves_.size() && chain.is_open(q); ++l) {
      if (weight[q][l] <= 0) {
        continue;
      }
      chain.after(l, q, ahead, upper_, value, &to);
      std::vector<automata::ChainEdge> row = chain.row(l);
      std::stable_sort(row.begin(), row.end(), [&](const auto& a, const auto& b) {
        return upper_ ? value[a.to] > value[b.to] : value[a.to] < value[b.to];
      });
      double typical = 0;
      for (const automata::ChainEdge& e : row) {
        typical += typical_[l][e.to] * share(value[e.to]);
      }
      double left = 1;
      for (const automata::ChainEdge& e : row) {
        const double p = std::min(left, share(e.hi));
        left -= p;
        const double excess = (upper_ ? 1 : -1) * (share(value[e.to]) - typical);
        const double lean = p - typical_[l][e.to];  // more than it usually gets
        if (p > 0 && excess > 0 && lean > 0) {
          of_token[l][e.to] += weight[q][l] * lean * excess;
        }
        if (p > 0 && chain.is_open(to[e.to].first)) {
          next[to[e.to].first][to[e.to].second] += weight[q][l] * p;
        }
      }
    }
  }
}

std::vector<ChanceSearch::Gain> ChanceSearch::gains(const LeafChain& chain,
                                                    const LeafChain::Values& values) {
  const std::size_t V = letters_.vocabulary();
  std::vector<std::vector<double>> weight(chain.states(), std::vector<double>(leaves_.size(), 0));
  std::vector<std::vector<double>> of_token(leaves_.size(), std::vector<double>(V, 0));
  const double top = share(worst(initial_, upper_));
  for (std::size_t l = 0; l < leaves_.size(); ++l) {
    const double value = share(initial_[l]);
    const bool near = upper_ ? value >= kNear * top : 1 - value >= kNear * (1 - top);
    if (near && is_initial(leaves_[l])) {
      const double part = upper_ ? value / top : (1 - value) / (1 - top);
      weight[0][l] = std::pow(part, 8);
    }
  }
  for (std::size_t n = horizon_; n > 0; --n) {
    std::vector<std::vector<double>> next(chain.states(), std::vector<double>(leaves_.size(), 0));
    spread(chain, values[n - 1], weight, next, of_token);
    weight.swap(next);
  }
  std::vector<Gain> out;
  for (std::size_t l = 0; l < leaves_.size(); ++l) {
    Gain whole{0, l, 0, true};
    const bool far = is_far(leaves_[l].box);
    double largest = 0;
    for (std::uint32_t t = 0; t < V; ++t) {
      const double g = of_token[l][t];
      if (g <= 0) {
        continue;
      }
      if (leaves_[l].own[t] == ChanceLeaf::kNoFact && !far) {
        out.push_back({g, l, t, false});
        continue;
      }
      whole.score += g;
      if (g > largest) {
        largest = g;
        whole.token = t;
      }
    }
    if (whole.score > 0 && !leaves_[l].closed) {
      out.push_back(whole);
    }
  }
  return out;
}

/// The mixture that promises most at the contexts of the pool where the token is likeliest: their mean distribution,
/// cut after as many rivals as the decoder rewards. `expected`: the lead over it there.
bounds::Quantity ChanceSearch::mixture(const ChanceLeaf& leaf, std::uint32_t token,
                                       double& expected) const {
  const std::size_t V = letters_.vocabulary();
  const double temperature = input_.runs.emission.rule().temperature.nearest();
  std::vector<std::pair<double, std::size_t>> order;
  std::vector<std::vector<double>> p(leaf.pool.size(), std::vector<double>(V));
  for (std::size_t i = 0; i < leaf.pool.size(); ++i) {
    const float* l = leaf.logits.data() + i * V;
    const double top = *std::max_element(l, l + V);
    double sum = 0;
    for (std::size_t t = 0; t < V; ++t) {
      sum += p[i][t] = std::exp((l[t] - top) / temperature);
    }
    for (double& x : p[i]) {
      x /= sum;
    }
    order.emplace_back(-p[i][token], i);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::pair<double, std::uint32_t>> rivals;
  for (std::uint32_t y = 0; y < V; ++y) {
    double mean = 0;
    for (std::size_t k = 0; k < std::min(kBest, order.size()); ++k) {
      mean += p[order[k].second][y];
    }
    if (y != token) {
      rivals.emplace_back(mean, y);
    }
  }
  std::stable_sort(rivals.begin(), rivals.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  bounds::Quantity best;
  Grid least = kGridOne;
  for (std::size_t r = 1; r <= std::min(rivals.size(), bounds::kMostRivals); ++r) {
    const bounds::Quantity next = as_mixture(token, rivals, r);
    double lead = -1e300;
    for (std::size_t k = 0; k < std::min(kBest, order.size()); ++k) {
      const float* l = leaf.logits.data() + order[k].second * V;
      double at = l[token];
      for (const auto& [y, w] : next.mixture) {
        at -= static_cast<double>(w) / bounds::kWholeMixture * l[y];
      }
      lead = std::max(lead, at);
    }
    const Grid most = most_after(input_.runs.emission, next, lead + kSlack);
    if (r == 1 || most < least) {
      best = next;
      least = most;
      expected = lead;
    }
  }
  return best;
}

void ChanceSearch::take(ChanceLeaf& leaf, bounds::Lemma lemma) {
  ++result_.bounded;
  const auto token = static_cast<std::uint32_t>(lemma.quantity.index);
  const Grid most = most_after(input_.runs.emission, lemma.quantity, lemma.hi);
  if (leaf.own[token] == ChanceLeaf::kNoFact || most < leaf.most[token]) {
    leaf.own[token] = static_cast<std::uint32_t>(facts_.size());
  }
  if (most < leaf.most[token]) {
    leaf.most[token] = most;
    leaf.fact[token] = static_cast<std::uint32_t>(facts_.size());
  }
  facts_.push_back(std::move(lemma));
}

void ChanceSearch::bound_token(std::size_t at, std::uint32_t token) {
  ChanceLeaf& leaf = leaves_[at];
  const bounds::Domain domain = domain_of(leaf.box);
  const automata::Emission& emission = input_.runs.emission;
  if (has_cut(emission) && typical_[at][token] == 0) {  // perhaps never emitted
    take(leaf, bounder_.refute(domain, TokenId(token), typical_[at], emission.cut().lo));
    if (leaf.most[token] == 0) {
      return;
    }
  }
  double expected = 0;
  const bounds::Quantity quantity = mixture(leaf, token, expected);
  take(leaf, bounder_.bound(domain, quantity, false, expected + kSlack, nullptr));
}

bool ChanceSearch::divide(std::size_t at, std::uint32_t token) {
  std::vector<ViewBox> parts;
  if (is_far(leaves_[at].box)) {
    parts = singles(leaves_[at].box);
  } else {
    const bounds::Lemma& lemma = facts_[leaves_[at].own[token]];
    for (const bounds::Domain& part : bounder_.divide(lemma, lemma.hi - kLess)) {
      parts.push_back(box_of(part, letters_.vocabulary(), leaves_[at].box.back.size()));
    }
  }
  if (parts.size() < 2) {
    leaves_[at].closed = true;
    return false;
  }
  ++result_.refinements;
  const ChanceLeaf parent = std::move(leaves_[at]);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    add_leaf(parts[i], &parent);
  }
  leaves_[at] = std::move(leaves_.back());
  typical_[at] = std::move(typical_.back());
  leaves_.pop_back();
  typical_.pop_back();
  return true;
}

}  // namespace assay::verify
