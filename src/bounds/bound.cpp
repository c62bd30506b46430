#include "assay/bounds/bound.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "assay/base/errors.hpp"
#include "assay/bounds/bound_certificate.hpp"
#include "assay/model/forward.hpp"
#include "bound_proof.hpp"
#include "firing_search.hpp"
#include "float_error.hpp"
#include "margin.hpp"
#include "text_starts.hpp"

namespace assay::bounds {
namespace {

constexpr std::size_t kMostDomains = 8;
constexpr std::uint64_t kMostEnumerated = 65536;  // ENUM (docs/certificate-format.md)

/// Contexts longer than the window read the same keys: the claim then is of every length.
Domain canonical(const Network& net, Domain domain) {
  if (!net.absolute && net.window != 0 && domain.max_length >= net.window &&
      domain.max_length > domain.min_length) {
    domain.any_length = true;
    domain.max_length = std::max(domain.min_length, net.window);
  }
  return domain;
}

std::string method_of(const BranchResult& hi, const BranchResult& lo) {
  const bool enumerated = hi.enumerated || lo.enumerated;
  if (hi.was_split || lo.was_split) {
    return enumerated ? "relaxation, splits and enumeration" : "relaxation and splits";
  }
  return enumerated ? "enumeration" : "relaxation";
}

/// An alarm when a replayed value lies outside its bound.
void check_attained(const Quantity& quantity, const BoundResult& r) {
  if (!(r.attained_hi <= r.hi) || !(r.attained_lo >= r.lo) || !(r.attained_hi >= r.lo) ||
      !(r.attained_lo <= r.hi)) {
    throw Error(ExitCode::internal, "soundness alarm: " + quantity.text() +
                                        ": a replayed value lies outside its proved bound");
  }
}

/// l_A - max_{y != A} l_y, from its rivals.
BoundResult margin(const Transformer& model, DomainWork& work, const Quantity& quantity,
                   const BoundOptions& options) {
  MarginBound found = bound_margin(work, quantity.index, options);
  BoundResult result;
  result.hi = found.hi_value;
  result.lo = found.lo_value;
  result.attained_hi = -std::numeric_limits<double>::infinity();
  result.attained_lo = -result.attained_hi;
  std::sort(found.contexts.begin(), found.contexts.end());
  found.contexts.erase(std::unique(found.contexts.begin(), found.contexts.end()),
                       found.contexts.end());
  for (const std::vector<TokenId>& context : found.contexts) {
    const double value = replay(model, nullptr, quantity, context);
    if (value > result.attained_hi) {
      result.attained_hi = value;
      result.witness_hi = context;
    }
    if (value < result.attained_lo) {
      result.attained_lo = value;
      result.witness_lo = context;
    }
  }
  result.nodes = found.nodes;
  const auto is_closed = [](double hi, double attained) {
    return hi - attained <= 1e-7 * (1 + std::fabs(attained));
  };
  result.closed =
      is_closed(result.hi, result.attained_hi) && is_closed(-result.lo, -result.attained_lo);
  result.stopped = found.stopped;
  result.exhausted = found.exhausted;
  result.method = "every rival";
  if (options.keep_proof) {
    BoundResult::Proof proof{std::move(found.hi.tree), {}, found.rival, {}};
    for (std::uint32_t y = 0; y < found.lo.size(); ++y) {
      if (y != quantity.index) {
        proof.rivals.emplace(y, std::move(found.lo[y].tree));
      }
    }
    result.proof = std::make_shared<const BoundResult::Proof>(std::move(proof));
  }
  return result;
}

}  // namespace

struct Bounder::State {
  State(const Transformer& m, const Sae* s) : model(m), sae(s), net(m) {}

  DomainWork& work(const Domain& domain) {
    const auto found = domains.find(domain);
    if (found != domains.end()) {
      return *found->second;
    }
    if (domains.size() >= kMostDomains) {
      domains.clear();
    }
    return *domains.emplace(domain, std::make_unique<DomainWork>(net, domain)).first->second;
  }

  const FloatAnswers& float_work(const Domain& domain, const FloatOptions& options) {
    const FloatKey key{domain, options.exp_ulps, options.act_ulps};
    const auto found = floats.find(key);
    if (found != floats.end()) {
      return found->second;
    }
    if (floats.size() >= kMostDomains) {
      floats.clear();
    }
    return floats.try_emplace(key, net, domain, options).first->second;
  }

  /// nullptr without documents.
  std::shared_ptr<const TextStarts> starts(const Domain& domain, DomainWork& work) {
    if (documents.empty()) {
      return nullptr;
    }
    if (texts.size() >= kMostDomains) {
      texts.clear();
    }
    std::shared_ptr<const TextStarts>& starts = texts[domain];
    if (!starts) {
      starts = std::make_shared<const TextStarts>(text_starts(work, documents));
    }
    return starts;
  }

  const Transformer& model;
  const Sae* sae;
  Network net;
  std::map<Domain, std::unique_ptr<DomainWork>> domains;
  using FloatKey = std::tuple<Domain, std::size_t, std::size_t>;
  std::map<FloatKey, FloatAnswers> floats;
  std::vector<std::vector<TokenId>> documents;
  std::map<Domain, std::shared_ptr<const TextStarts>> texts;
};

Bounder::Bounder(const Transformer& model, const Sae* sae) {
  if (model.config.n_layers != 1) {
    throw InputError("config.json", "n_layers", "1 (bounds over all contexts are of one layer)",
                     std::to_string(model.config.n_layers));
  }
  state_ = std::make_unique<State>(model, sae);
}

Bounder::~Bounder() = default;

void Bounder::attack_from(std::vector<std::vector<TokenId>> documents) {
  state_->documents = std::move(documents);
  state_->texts.clear();
}

std::string Bounder::write(BoundCertificate& certificate, const std::string& id,
                           const Domain& domain, const Quantity& quantity,
                           const BoundResult& result) {
  const Domain stated = canonical(state_->net, domain);
  return certificate.add(id, stated, quantity, result, state_->work(stated));
}

FloatError Bounder::float_error(const Domain& domain, const Quantity& quantity,
                                const FloatOptions& options) {
  check_domain(state_->model, domain);
  check_quantity(state_->model, state_->sae, quantity);
  FloatError worst;
  if (quantity.kind == QuantityKind::feature_difference) {
    worst.reason = "the difference of two features is not a float32 variable that is analysed";
    return worst;
  }
  const FloatAnswers& answers = state_->float_work(canonical(state_->net, domain), options);
  if (quantity.kind != QuantityKind::logit_margin) {
    return answers.error(state_->sae, quantity);
  }
  // Rounding is monotone, so float32's margin is the smallest of its differences: off by no more
  // than the worst of them.
  Quantity difference = quantity;
  difference.kind = QuantityKind::logit_difference;
  bool is_first = true;
  for (std::uint32_t y = 0; y < state_->model.config.d_vocab_out; ++y) {
    if (y == quantity.index) {
      continue;
    }
    difference.other = y;
    FloatError one = answers.error(state_->sae, difference);
    if (is_first || (worst.is_known() && !(one.error <= worst.error))) {
      worst = std::move(one);
    }
    is_first = false;
  }
  return worst;
}

std::string Bounder::write(BoundCertificate& certificate, const std::string& id,
                           const Domain& domain, const Quantity& quantity, const FloatError& error,
                           const FloatOptions& options) {
  return certificate.add(id, canonical(state_->net, domain), quantity, error, options);
}

FiringVerdict Bounder::firing(const Domain& domain, std::uint32_t feature, const BoundResult& own,
                              const BoundOptions& options) {
  State& s = *state_;
  return decide_firing(s.model, *s.sae, s.work(canonical(s.net, domain)), feature, own, options);
}

std::string Bounder::write(BoundCertificate& certificate, const std::string& id,
                           const Domain& domain, std::uint32_t feature,
                           const FiringVerdict& verdict) {
  const Domain stated = canonical(state_->net, domain);
  return certificate.add(id, stated, feature, verdict, state_->work(stated));
}

BoundResult Bounder::bound(const Domain& asked, const Quantity& quantity,
                           const BoundOptions& wanted) {
  BoundOptions options = wanted;
  if (options.keep_proof) {
    options.enumerate = std::min(options.enumerate, kMostEnumerated);
  }
  if (options.nodes == 0) {
    throw UsageError("bound: nodes: expected a budget of at least 1, found 0");
  }
  State& s = *state_;
  check_domain(s.model, asked);
  check_quantity(s.model, s.sae, quantity);
  const auto start = std::chrono::steady_clock::now();
  const Domain domain = canonical(s.net, asked);
  DomainWork& work = s.work(domain);
  options.text = s.starts(domain, work);
  const auto timed = [&](BoundResult r) {
    check_attained(quantity, r);
    r.text_contexts = options.text ? options.text->contexts.size() : 0;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    r.seconds = spent.count();
    return r;
  };
  if (quantity.kind == QuantityKind::logit_margin) {
    return timed(margin(s.model, work, quantity, options));
  }
  const Target target = make_target(s.net, s.sae, quantity);
  BranchResult hi = branch(work, target, options, std::max<std::size_t>(1, options.nodes / 2));
  const std::size_t left = options.nodes > hi.nodes ? options.nodes - hi.nodes : 1;
  BranchResult lo = branch(work, negated(target), options, left);
  BoundResult result;
  result.hi = hi.hi;
  result.lo = -lo.hi;
  result.witness_hi = hi.context;
  result.witness_lo = lo.context;
  result.attained_hi = replay(s.model, s.sae, quantity, hi.context);
  result.attained_lo = replay(s.model, s.sae, quantity, lo.context);
  if (result.attained_lo > result.attained_hi) {  // both are contexts of the domain
    std::swap(result.attained_lo, result.attained_hi);
    std::swap(result.witness_lo, result.witness_hi);
  }
  result.nodes = hi.nodes + lo.nodes;
  result.closed = hi.closed && lo.closed;
  result.exhausted = (hi.exhausted || hi.closed) && (lo.exhausted || lo.closed);
  result.stopped = hi.stopped || lo.stopped;
  result.method = method_of(hi, lo);
  if (options.keep_proof) {
    result.proof = std::make_shared<const BoundResult::Proof>(
        BoundResult::Proof{std::move(hi.tree), std::move(lo.tree), 0, {}});
  }
  return timed(std::move(result));
}

double replay(const Transformer& model, const Sae* sae, const Quantity& quantity,
              const std::vector<TokenId>& context) {
  const bool is_logit =
      quantity.kind == QuantityKind::logit || quantity.kind == QuantityKind::logit_difference ||
      quantity.kind == QuantityKind::logit_margin || quantity.kind == QuantityKind::logit_mixture;
  std::string hook = kHookResidMid;
  if (quantity.kind == QuantityKind::neuron) {
    hook = kHookMlpPre;
  } else if (quantity.kind == QuantityKind::feature ||
             quantity.kind == QuantityKind::feature_difference) {
    hook = sae->hook_name;
  } else if (quantity.kind == QuantityKind::readout) {
    hook = quantity.readout->hook;
  }
  const std::vector<std::string> hooks =
      is_logit ? std::vector<std::string>{} : std::vector<std::string>{hook};
  const ForwardPass pass = forward(model, context, hooks);
  if (is_logit) {
    const auto row = pass.logits.row(pass.logits.rows - 1);
    if (quantity.kind == QuantityKind::logit_margin) {
      double rival = -std::numeric_limits<double>::infinity();
      for (std::size_t y = 0; y < row.size(); ++y) {
        rival = y == quantity.index ? rival : std::max(rival, row[y]);
      }
      return row[quantity.index] - rival;
    }
    if (quantity.kind == QuantityKind::logit_mixture) {
      double rivals = 0;
      for (const auto& [y, parts] : quantity.mixture) {
        rivals += static_cast<double>(parts) / kWholeMixture * row[y];
      }
      return row[quantity.index] - rivals;
    }
    return row[quantity.index] -
           (quantity.kind == QuantityKind::logit_difference ? row[quantity.other] : 0.0);
  }
  const Matrix& value = pass.hooks.at(hook);
  const auto row = value.row(value.rows - 1);
  if (quantity.kind == QuantityKind::neuron) {
    return row[quantity.index];
  }
  if (quantity.kind == QuantityKind::feature || quantity.kind == QuantityKind::feature_difference) {
    const Matrix pre = pre_activations(*sae, {1, value.cols, {row.begin(), row.end()}});
    return quantity.kind == QuantityKind::feature
               ? pre.at(0, quantity.index)
               : pre.at(0, quantity.index) - pre.at(0, quantity.other);
  }
  const bool is_readout = quantity.kind == QuantityKind::readout;
  const std::vector<double>& weights = is_readout ? quantity.readout->weights : quantity.direction;
  double sum = is_readout ? quantity.readout->bias : 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += weights[i] * row[i];
  }
  return sum;
}

}  // namespace assay::bounds
