#include "assay/bounds/lemma.hpp"

#include <algorithm>
#include <cmath>

#include "activation.hpp"
#include "assay/base/errors.hpp"
#include "assay/bounds/bound_certificate.hpp"
#include "lemma_proof.hpp"
#include "prover.hpp"
#include "split_choice.hpp"

namespace assay::bounds {
namespace {

constexpr std::uint64_t kEnumerated = 256;  ///< contexts of a box that are listed
constexpr std::size_t kQuickSteps = 8;
constexpr std::size_t kSteps = 64;
constexpr int kRounds = 4;
constexpr double kFar = 4,
                 kNear = 1.5;  ///< nats too many: no other mixture, no finer slopes would do
constexpr std::size_t kMostCases = 1U << 20U;

TokenSet every_token(const Transformer& model) {
  TokenSet all;
  for (std::size_t t = 0; t < model.config.d_vocab; ++t) {
    all.emplace_back(t);
  }
  return all;
}

Domain every_context(const Transformer& model) {
  require(model.config.attention_window > 0, "LemmaBounder: no attention window");
  Domain all;
  all.rest = every_token(model);
  all.last = {all.rest};
  all.min_length = 1;
  all.max_length = model.config.attention_window;
  all.any_length = true;
  return all;
}

bool contains(const Box& outer, const Box& inner) {
  if (inner.min_length < outer.min_length || inner.max_length > outer.max_length) {
    return false;
  }
  for (std::size_t j = 0; j < inner.back.size(); ++j) {
    if (!std::includes(outer.back[j]->begin(), outer.back[j]->end(), inner.back[j]->begin(),
                       inner.back[j]->end())) {
      return false;
    }
  }
  return true;
}

/// By more steps of its slopes' search.
bool can_improve(CaseRule rule) {
  return rule == CaseRule::fold || rule == CaseRule::hull;
}

Quantity against(TokenId token, const Mixture& mixture) {
  Quantity quantity;
  quantity.kind = QuantityKind::logit_mixture;
  quantity.index = token.value;
  for (std::size_t i = 0; i < mixture.rivals.size(); ++i) {
    quantity.mixture.emplace_back(mixture.rivals[i], mixture.weights[i]);
  }
  return quantity;
}

}  // namespace

struct LemmaBounder::State {
  State(const Transformer& m, const Sae* s)
      : model(m), sae(s), net(m), all(every_context(m)), work(net, all) {}

  Box boxed(const Domain& domain) {
    Box box = root_box(net, domain);
    for (SetRef& set : box.back) {
      set = work.intern(*set);
    }
    return box;
  }

  /// The box as a domain; sets of positions that a context may lack are the whole vocabulary.
  Domain domain_of(const Box& box) const {
    Domain out;
    out.min_length = box.min_length;
    out.max_length = box.max_length;
    out.any_length = box.max_length >= net.window;
    out.rest = all.rest;
    std::size_t known = 1;
    for (std::size_t j = 0; j < box.back.size(); ++j) {
      known = box.back[j]->size() < all.rest.size() ? j + 1 : known;
    }
    for (std::size_t j = known; j-- > 0;) {
      out.last.push_back(*box.back[j]);
    }
    return out;
  }

  /// ENUM for few contexts, else LINEAR, HULL or FOLD. `worst`: the context where an enumeration, or a vertex, has the
  /// largest value.
  CaseBound bound(const Box& box, const Target& target, std::size_t steps, const Lemma* above,
                  std::vector<TokenId>& worst) {
    worst.clear();
    if (box.contexts(net) <= kEnumerated) {
      if (const auto listed = work.enumeration(box)) {
        Enumeration::Best best = listed->best(net, target);
        CaseBound out;
        out.rule = CaseRule::enumeration;
        out.hi = best.hi;
        worst = std::move(best.back);
        return out;
      }
    }
    const bool is_above = above != nullptr && above->proof->work != nullptr &&
                          contains(above->proof->tree.front().box, box);
    CaseBound out = bound_case(*work.work(box, is_above ? above->proof->work : nullptr), target, {},
                               {steps, nullptr});
    if (out.rule == CaseRule::hull) {
      worst = out.maxima.back().back;
    }
    return out;
  }

  /// HULL EACH: the tokens of a slot in their turns; nullopt at the first that does not stay below `enough`.
  std::optional<CaseBound> each(const Box& box, std::size_t slot, const Target& target,
                                double enough) {
    CaseBound out;
    out.rule = CaseRule::each;
    out.slot = slot;
    out.hi = -std::numeric_limits<double>::infinity();
    for (const TokenId u : *box.back[slot]) {
      Box part = box;
      part.back[slot] = work.intern({u});
      const CaseVertices* at = work.work(part)->vertices();
      if (at == nullptr || at->head() >= net.heads) {
        return std::nullopt;
      }
      const bool is_first = out.hi < 0 && std::isinf(out.hi);
      out.head = is_first ? at->head() : out.head;
      out.hi = std::max(out.hi, at->proved_by_either(target.fold));
      if (at->head() != out.head || !(out.hi < enough)) {
        return std::nullopt;
      }
    }
    return out;
  }

  /// The rival with the largest logit where every head has its own maximiser, or at the worst context.
  std::uint32_t winner(const Box& box, const CaseBound& bound, const std::vector<TokenId>& worst,
                       std::uint32_t token) {
    const ReadyCase& ready = work.work(box)->ready();
    std::vector<const std::vector<TokenId>*> backs(net.heads, &worst);
    for (std::size_t h = 0; worst.empty() && h < net.heads; ++h) {
      backs[h] = &bound.maxima[h].back;
    }
    const Row m = nearest_mid(ready, backs);
    Row r = m;
    if (net.f != 0) {
      Rows z = nearest_neurons(net, m);
      z = z.unaryExpr([this](double x) { return nearest_activation(net.act, x); });
      r += Row(z * net.W_out) + net.b_out;
    }
    Row logits = r * net.W_U + net.b_U;
    logits(index(token)) = -std::numeric_limits<double>::infinity();
    Eigen::Index at = 0;
    logits.maxCoeff(&at);
    return static_cast<std::uint32_t>(at);
  }

  Lemma::Proof proof_of(const Box& box, CaseBound bound) {
    Lemma::Proof proof;
    const double hi = bound.hi;
    proof.work = bound.rule == CaseRule::enumeration ? nullptr : work.work(box);
    proof.tree.push_back({box, {}, std::move(bound), hi, {}, {}});
    return proof;
  }

  const Transformer& model;
  const Sae* sae;
  Network net;
  Domain all;
  DomainWork work;
};

LemmaBounder::LemmaBounder(const Transformer& model, const Sae* sae) {
  if (model.config.n_layers != 1) {
    throw InputError("config.json", "n_layers", "1 (bounds over all contexts are of one layer)",
                     std::to_string(model.config.n_layers));
  }
  state_ = std::make_unique<State>(model, sae);
}

LemmaBounder::~LemmaBounder() = default;

Lemma LemmaBounder::bound(const Domain& domain, const Quantity& quantity, bool is_lower,
                          double enough, const Lemma* above) {
  State& s = *state_;
  check_quantity(s.model, s.sae, quantity);
  const Box box = s.boxed(domain);
  require(s.work.is_ready(box), "LemmaBounder: a box with more than one query token");
  Target target = make_target(s.net, s.sae, quantity);
  target = is_lower ? negated(std::move(target)) : std::move(target);
  std::vector<TokenId> worst;
  CaseBound bound = s.bound(box, target, kQuickSteps, above, worst);
  if (!(bound.hi < enough) && can_improve(bound.rule)) {
    CaseBound more = s.bound(box, target, kSteps, above, worst);
    if (more.hi < bound.hi) {
      bound = std::move(more);
    }
  }
  require(!std::isnan(bound.hi), "LemmaBounder: not a number");
  Lemma lemma{s.domain_of(box), quantity, is_lower, bound.hi, 1, nullptr};
  lemma.proof = std::make_shared<const Lemma::Proof>(s.proof_of(box, std::move(bound)));
  return lemma;
}

Lemma LemmaBounder::refute(const Domain& domain, TokenId token, const std::vector<double>& mean,
                           double enough, const Lemma* above) {
  State& s = *state_;
  const Box box = s.boxed(domain);
  require(s.work.is_ready(box), "LemmaBounder: a box with more than one query token");
  Lemma lemma;
  lemma.box = s.domain_of(box);
  std::optional<Mixture> best;
  CaseBound bound;
  std::vector<TokenId> best_worst;
  const auto consider = [&](const Mixture& mixture, std::size_t steps) {
    const Quantity quantity = against(token, mixture);
    check_quantity(s.model, s.sae, quantity);
    std::vector<TokenId> worst;
    CaseBound next = s.bound(box, make_target(s.net, s.sae, quantity), steps, above, worst);
    require(!std::isnan(next.hi), "LemmaBounder: not a number");
    if (best && !(next.hi < lemma.hi)) {
      return false;
    }
    best = mixture;
    best_worst = std::move(worst);
    lemma.hi = next.hi;
    lemma.quantity = quantity;
    bound = std::move(next);
    return true;
  };
  for (const Mixture& mixture : first_mixtures(mean, token.value)) {
    if (consider(mixture, kQuickSteps); lemma.hi < enough) {
      break;
    }
  }
  require(best.has_value(), "LemmaBounder: a vocabulary of one token");
  double step = 0.5;
  for (int round = 0; round < kRounds && !(lemma.hi < enough) && lemma.hi < enough + kFar;
       ++round) {
    const std::uint32_t winner = s.winner(box, bound, best_worst, token.value);
    if (!consider(moved_towards(*best, winner, step), kQuickSteps)) {
      step /= 2;
    }
  }
  if (!(lemma.hi < enough) && lemma.hi < enough + kNear && can_improve(bound.rule)) {
    consider(Mixture(*best), kSteps);
  }
  lemma.proof = std::make_shared<const Lemma::Proof>(s.proof_of(box, std::move(bound)));
  return lemma;
}

std::optional<Lemma> LemmaBounder::refute_each(const Domain& domain, TokenId token,
                                               const std::vector<double>& mean, double enough) {
  State& s = *state_;
  const Box box = s.boxed(domain);
  require(s.work.is_ready(box), "LemmaBounder: a box with more than one query token");
  std::size_t slot = 0;
  while (slot < box.back.size() && box.back[slot]->size() == 1) {
    ++slot;
  }
  if (slot >= std::min(box.min_length, s.net.window)) {
    return std::nullopt;
  }
  for (const Mixture& mixture : first_mixtures(mean, token.value)) {
    const Quantity quantity = against(token, mixture);
    check_quantity(s.model, s.sae, quantity);
    const Target target = make_target(s.net, s.sae, quantity);
    std::optional<CaseBound> bound = s.each(box, slot, target, enough);
    if (bound) {
      Lemma lemma{s.domain_of(box), quantity, false, bound->hi, box.back[slot]->size(), nullptr};
      lemma.proof = std::make_shared<const Lemma::Proof>(s.proof_of(box, std::move(*bound)));
      return lemma;
    }
  }
  return std::nullopt;
}

std::vector<Domain> LemmaBounder::divide(const Lemma& lemma, double enough) {
  State& s = *state_;
  const BranchNode& node = lemma.proof->tree.front();
  Target target = make_target(s.net, s.sae, lemma.quantity);
  target = lemma.is_lower ? negated(std::move(target)) : std::move(target);
  Split split;
  if (node.bound->rule != CaseRule::enumeration && !node.bound->maxima.empty()) {
    SplitChoice choice(s.work, target, false);
    split = choice.choose(node, enough, kMostCases);
  }
  std::vector<Domain> out;
  const auto add_lengths = [&](std::size_t lo, std::size_t hi) {
    Box part = node.box;
    part.min_length = lo;
    part.max_length = hi;
    part.back.resize(s.net.keys(hi));
    out.push_back(s.domain_of(part));
  };
  if (split.by == Split::By::length) {
    add_lengths(node.box.min_length, split.slot);
    add_lengths(split.slot + 1, node.box.max_length);
    return out;
  }
  if (split.by != Split::By::token) {  // the newest position that is not one token yet, in halves
    std::size_t slot = 1;
    while (slot < node.box.back.size() && node.box.back[slot]->size() == 1) {
      ++slot;
    }
    if (slot >= node.box.back.size()) {
      return out;
    }
    if (slot >= node.box.min_length) {
      add_lengths(node.box.min_length, slot);
      add_lengths(slot + 1, node.box.max_length);
      return out;
    }
    const TokenSet& set = *node.box.back[slot];
    const auto half = set.begin() + static_cast<std::ptrdiff_t>(set.size() / 2);
    split = {Split::By::token, slot, {{set.begin(), half}, {half, set.end()}}, 0, {}};
  }
  for (const TokenSet& set : split.sets) {
    Box part = node.box;
    part.back[split.slot] = s.work.intern(set);
    out.push_back(s.domain_of(part));
  }
  return out;
}

bool LemmaBounder::moves_one_head(const Domain& domain) {
  const CaseVertices* vertices = state_->work.work(state_->boxed(domain))->vertices();
  return vertices != nullptr && vertices->head() < state_->net.heads;
}

std::string LemmaBounder::write(BoundCertificate& certificate, const Lemma& lemma) {
  return certificate.lemma(lemma, state_->work);
}

}  // namespace assay::bounds
