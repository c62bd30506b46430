#include "target.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "activation.hpp"
#include "assay/base/errors.hpp"
#include "prover.hpp"

namespace assay::bounds {
namespace {

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

FoldTarget zero_target(const Network& net) {
  return {std::vector<Interval>(net.f, Interval(0.0)), std::vector<Interval>(net.d, Interval(0.0)),
          Interval(0.0)};
}

/// <g, act(z) W_out + b_out>
void add_mlp_out(const Network& net, const std::vector<Interval>& g, FoldTarget& target) {
  if (net.f == 0) {
    return;
  }
  for (std::size_t i = 0; i < net.d; ++i) {
    target.const0 += Interval(net.b_out(index(i))) * g[i];
  }
  for (std::size_t j = 0; j < net.f; ++j) {
    for (std::size_t i = 0; i < net.d; ++i) {
      target.kappa[j] += Interval(net.W_out(index(j), index(i))) * g[i];
    }
  }
}

/// <g, y> + beta for the hook's y.
FoldTarget at_hook(const Network& net, const std::string& hook, const std::vector<Interval>& g,
                   Interval beta) {
  FoldTarget target = zero_target(net);
  target.const0 = beta;
  if (hook == kHookMlpPost) {
    target.kappa = g;
    return target;
  }
  if (hook != kHookMlpOut) {
    target.g0 = g;
  }
  if (hook != kHookResidMid) {
    add_mlp_out(net, g, target);
  }
  return target;
}

/// pre_I - pre_Y, entry by entry; b_dec cancels only in exact arithmetic, so it is kept.
FoldTarget feature_difference_target(const Network& net, const Sae& sae, const Quantity& q) {
  std::vector<Interval> g;
  Interval beta = feature_offset(sae, q.index) - feature_offset(sae, q.other);
  for (std::size_t i = 0; i < sae.d_in; ++i) {
    g.push_back(Interval(static_cast<double>(sae.W_enc.at(i, q.index))) -
                Interval(static_cast<double>(sae.W_enc.at(i, q.other))));
  }
  return at_hook(net, sae.hook_name, g, beta);
}

FoldTarget feature_target(const Network& net, const Sae& sae, std::size_t feature) {
  std::vector<Interval> g;
  for (std::size_t i = 0; i < sae.d_in; ++i) {
    g.emplace_back(static_cast<double>(sae.W_enc.at(i, feature)));
  }
  const Interval beta = feature_offset(sae, feature);
  return at_hook(net, sae.hook_name, g, beta);
}

/// Logits after LNfinal: h = P(w_f o delta), const = <b_f, delta> + offset.
Target normed_logits(const Network& net, std::vector<Interval> delta, Interval offset) {
  const Transformer& m = *net.model;
  Target target;
  target.kind = Target::Kind::normed_logits;
  Interval sum(0.0);
  for (std::size_t i = 0; i < net.d; ++i) {
    if (!m.ln_final_w.data.empty()) {
      offset += Interval(static_cast<double>(m.ln_final_b.data[i])) * delta[i];
      delta[i] = Interval(static_cast<double>(m.ln_final_w.data[i])) * delta[i];
    }
    sum += delta[i];
  }
  const Interval mean = sum / Interval(static_cast<double>(net.d));
  Interval squares(0.0);
  for (Interval& v : delta) {
    v = v - mean;
    const Interval square = v * v;
    squares += Interval(std::max(square.lo, 0.0), square.hi);
  }
  target.fold = at_hook(net, kHookResidPost, delta, Interval(0.0));
  target.final_const = offset;
  target.final_size = sqrt(Interval(std::max(squares.lo, 0.0), squares.hi));
  return target;
}

Target logits_target(const Network& net, const Quantity& q) {
  std::vector<Interval> delta;
  Interval offset(net.b_U(index(q.index)));
  for (std::size_t i = 0; i < net.d; ++i) {
    delta.emplace_back(net.W_U(index(i), index(q.index)));
  }
  const auto subtract = [&](Interval weight, std::uint32_t y) {
    offset = offset - weight * Interval(net.b_U(index(y)));
    for (std::size_t i = 0; i < net.d; ++i) {
      delta[i] = delta[i] - weight * Interval(net.W_U(index(i), index(y)));
    }
  };
  if (q.kind == QuantityKind::logit_difference) {
    subtract(Interval(1.0), q.other);
  } else if (q.kind == QuantityKind::logit_mixture) {
    for (const auto& [y, parts] : q.mixture) {
      subtract(Interval(static_cast<double>(parts) / kWholeMixture), y);
    }
  }
  if (net.norm) {
    return normed_logits(net, std::move(delta), offset);
  }
  Target target;
  target.fold = at_hook(net, kHookResidPost, delta, offset);
  return target;
}

void check_index(std::size_t value, std::size_t limit, const char* field) {
  if (value >= limit) {
    throw InputError("request", std::string("quantity.") + field,
                     "an index below " + std::to_string(limit), std::to_string(value));
  }
}

void check_distinct(const Quantity& q, const char* field) {
  if (q.index == q.other) {
    throw InputError("request", std::string("quantity.") + field, "two different ids",
                     std::to_string(q.index) + " twice");
  }
}

void check_mixture(const Transformer& model, const Quantity& q) {
  std::uint64_t sum = 0;
  std::set<std::uint32_t> seen = {q.index};
  for (const auto& [y, parts] : q.mixture) {
    check_index(y, model.config.d_vocab_out, "logit_mixture");
    if (!seen.insert(y).second) {
      throw InputError("request", "quantity.logit_mixture", "different tokens",
                       std::to_string(y) + " twice");
    }
    sum += parts;
  }
  if (q.mixture.empty() || q.mixture.size() > kMostRivals || sum != kWholeMixture) {
    throw InputError("request", "quantity.logit_mixture",
                     "1 to 16 rivals whose weights add up to 2^16",
                     std::to_string(q.mixture.size()) + " with " + std::to_string(sum));
  }
}

void check_hook_fits(const Transformer& model, const std::string& hook, std::size_t width,
                     const char* field) {
  const auto& c = model.config;
  const bool of_mlp = hook == kHookMlpPost || hook == kHookMlpOut;
  if ((hook != kHookResidMid && hook != kHookResidPost && !of_mlp) || (of_mlp && c.attn_only)) {
    throw InputError("request", field,
                     std::string("a reader of ") + kHookResidMid + ", " + kHookMlpPost + ", " +
                         kHookMlpOut + " or " + kHookResidPost,
                     hook);
  }
  const std::size_t expected = hook == kHookMlpPost ? c.d_mlp : c.d_model;
  if (width != expected) {
    throw InputError("request", field, "width " + std::to_string(expected) + " at " + hook,
                     std::to_string(width));
  }
}

}  // namespace

std::string Quantity::text() const {
  switch (kind) {
    case QuantityKind::neuron:
      return "neuron " + std::to_string(index);
    case QuantityKind::feature:
      return "feature " + std::to_string(index);
    case QuantityKind::feature_difference:
      return "feature-difference " + std::to_string(index) + " " + std::to_string(other);
    case QuantityKind::logit:
      return "logit " + std::to_string(index);
    case QuantityKind::logit_difference:
      return "logit-difference " + std::to_string(index) + " " + std::to_string(other);
    case QuantityKind::logit_margin:
      return "logit-margin " + std::to_string(index);
    case QuantityKind::logit_mixture: {
      std::string out =
          "logit-mixture " + std::to_string(index) + " " + std::to_string(mixture.size());
      for (const auto& [y, parts] : mixture) {
        out += " " + std::to_string(y) + " " + std::to_string(parts);
      }
      return out;
    }
    case QuantityKind::residual_mid:
      return "residual-mid";
    case QuantityKind::readout:
      break;
  }
  return "readout";
}

void check_quantity(const Transformer& model, const Sae* sae, const Quantity& q) {
  const auto& c = model.config;
  switch (q.kind) {
    case QuantityKind::neuron:
      if (c.attn_only) {
        throw InputError("request", "quantity.neuron", "a model with an MLP", "attn_only");
      }
      return check_index(q.index, c.d_mlp, "neuron");
    case QuantityKind::feature:
    case QuantityKind::feature_difference:
      if (sae == nullptr) {
        throw InputError("request", "quantity.feature", "an SAE (--sae DIR)", "none");
      }
      check_hook_fits(model, sae->hook_name, sae->d_in, "quantity.feature");
      check_index(q.index, sae->d_sae, "feature");
      if (q.kind == QuantityKind::feature) {
        return;
      }
      check_index(q.other, sae->d_sae, "feature_difference");
      return check_distinct(q, "feature_difference");
    case QuantityKind::logit:
      return check_index(q.index, c.d_vocab_out, "logit");
    case QuantityKind::logit_difference:
      check_index(q.index, c.d_vocab_out, "logit_difference");
      check_index(q.other, c.d_vocab_out, "logit_difference");
      return check_distinct(q, "logit_difference");
    case QuantityKind::logit_mixture:
      check_index(q.index, c.d_vocab_out, "logit_mixture");
      return check_mixture(model, q);
    case QuantityKind::logit_margin:
      check_index(q.index, c.d_vocab_out, "logit_margin");
      if (c.d_vocab_out < 2) {
        throw InputError("request", "quantity.logit_margin", "a vocabulary of at least two tokens",
                         "one");
      }
      return;
    case QuantityKind::residual_mid:
      if (q.direction.size() != c.d_model ||
          !std::all_of(q.direction.begin(), q.direction.end(),
                       [](double x) { return std::fabs(x) <= 0x1p500; })) {
        throw InputError("request", "quantity.residual_mid",
                         std::to_string(c.d_model) + " finite numbers of at most 2^500",
                         std::to_string(q.direction.size()) + " numbers");
      }
      return;
    case QuantityKind::readout:
      require(q.readout.has_value(), "check_quantity: a readout quantity without a readout");
      return check_hook_fits(model, q.readout->hook, q.readout->weights.size(), "quantity.readout");
  }
}

bool Target::uses_mlp() const {
  return kind == Kind::normed_neuron ||
         std::any_of(fold.kappa.begin(), fold.kappa.end(),
                     [](Interval k) { return k.lo != 0 || k.hi != 0; });
}

Target make_target(const Network& net, const Sae* sae, const Quantity& q) {
  Target target;
  target.fold = zero_target(net);
  switch (q.kind) {
    case QuantityKind::neuron:
      target.neuron = q.index;
      if (net.norm) {
        target.kind = Target::Kind::normed_neuron;
        return target;
      }
      for (std::size_t i = 0; i < net.d; ++i) {
        target.fold.g0[i] = Interval(net.W_in(index(i), index(q.index)));
      }
      target.fold.const0 = Interval(net.neuron_offsets.mid(0, index(q.index)));
      return target;
    case QuantityKind::feature:
      target.fold = feature_target(net, *sae, q.index);
      return target;
    case QuantityKind::feature_difference:
      target.fold = feature_difference_target(net, *sae, q);
      return target;
    case QuantityKind::logit:
    case QuantityKind::logit_difference:
    case QuantityKind::logit_mixture:
      return logits_target(net, q);
    case QuantityKind::logit_margin:
      break;
    case QuantityKind::residual_mid:
      for (std::size_t i = 0; i < net.d; ++i) {
        target.fold.g0[i] = Interval(q.direction[i]);
      }
      return target;
    case QuantityKind::readout:
      break;
  }
  require(q.readout.has_value(), "make_target: a margin is bounded rival by rival");
  std::vector<Interval> g;
  for (const double w : q.readout->weights) {
    g.emplace_back(w);
  }
  target.fold = at_hook(net, q.readout->hook, g, Interval(q.readout->bias));
  return target;
}

Target negated(Target target) {
  target.fold.const0 = -target.fold.const0;
  for (Interval& v : target.fold.g0) {
    v = -v;
  }
  for (Interval& v : target.fold.kappa) {
    v = -v;
  }
  target.final_const = -target.final_const;
  target.sign = -target.sign;
  return target;
}

namespace {

/// 1/sqrt(|P y|^2/d + eps) of every row.
Eigen::VectorXd inverse_deviations(const Network& net, const Rows& y) {
  const Rows centred = y.colwise() - Eigen::VectorXd(y.rowwise().mean());
  return ((centred.rowwise().squaredNorm() / static_cast<double>(net.d)).array() + middle(net.eps))
      .rsqrt();
}

Row middles(const std::vector<Interval>& box) {
  Row out(index(box.size()));
  for (std::size_t i = 0; i < box.size(); ++i) {
    out(index(i)) = middle(box[i]);
  }
  return out;
}

}  // namespace

Rows nearest_neurons(const Network& net, const Rows& m) {
  Rows z = m * net.neuron_directions.mid;
  if (net.norm) {
    z = inverse_deviations(net, m).asDiagonal() * z;
  }
  return z.rowwise() + Row(net.neuron_offsets.mid.row(0));
}

std::vector<double> nearest_values(const Network& net, const Target& target, const Rows& m) {
  Eigen::VectorXd value =
      (m * middles(target.fold.g0).transpose()).array() + middle(target.fold.const0);
  Rows post;
  const bool is_normed = target.kind == Target::Kind::normed_logits;
  if (net.f != 0 && (target.uses_mlp() || is_normed)) {
    post = nearest_neurons(net, m);
    if (target.kind == Target::Kind::normed_neuron) {
      value = target.sign * post.col(index(target.neuron));
      return {value.data(), value.data() + value.size()};
    }
    post = post.unaryExpr([&](double z) { return nearest_activation(net.act, z); });
    value += post * middles(target.fold.kappa).transpose();
  }
  if (is_normed) {
    Rows r = m;
    if (net.f != 0) {
      r += (post * net.W_out).rowwise() + net.b_out;
    }
    value = value.cwiseProduct(inverse_deviations(net, r)).array() + middle(target.final_const);
  }
  return {value.data(), value.data() + value.size()};
}

}  // namespace assay::bounds
