#include "target.hpp"

#include <algorithm>

#include "reject.hpp"

namespace assay_check {
namespace {

/// <g, hook> + β; hook "" is the input of the unembedding.
struct Reading {
  std::string hook;
  std::vector<Interval> g;
  Interval beta;
};

Reading read_logit(const Network& net, const Step& step, const Quantity& q) {
  if (q.index >= net.d_vocab_out || (q.minus && *q.minus >= net.d_vocab_out)) {
    refuse(step, "the model has no such token");
  }
  Reading r{"", exact(&net.W_U[q.index], net.d_model, net.d_vocab_out), Interval(net.b_U[q.index])};
  if (q.minus) {
    r.g = r.g + -exact(&net.W_U[*q.minus], net.d_model, net.d_vocab_out);
    r.beta = r.beta - Interval(net.b_U[*q.minus]);
  }
  for (const auto& [y, weight] : q.mixture) {
    if (y >= net.d_vocab_out) {
      refuse(step, "the model has no such token");
    }
    for (std::size_t i = 0; i < net.d_model; ++i) {
      r.g[i] = r.g[i] - weight * Interval(net.W_U[i * net.d_vocab_out + y]);
    }
    r.beta = r.beta - weight * Interval(net.b_U[y]);
  }
  return r;
}

/// Every quantity but `neuron`.
Reading reading_of(Session& session, const Step& step, const Quantity& q) {
  const Network& net = session.attention().net();
  Reading r;
  if (q.kind == Quantity::Kind::logit) {
    return read_logit(net, step, q);
  }
  if (q.kind == Quantity::Kind::margin) {
    refuse(step, "a margin has no target: its facts are ENUM, JOIN and RIVAL, or of one rival");
  }
  if (q.kind == Quantity::Kind::residual_mid) {
    r = {"blocks.0.hook_resid_mid", session.request().directions.at(q.name), {}};
  } else if (q.kind == Quantity::Kind::readout) {
    const AffineReadout& readout = session.readout(q.name);
    r = {readout.hook, readout.weights, readout.bias};
  } else {
    const SaeEncoder& sae = session.sae();
    if (q.index >= sae.d_sae || (q.minus && *q.minus >= sae.d_sae)) {
      refuse(step, "the SAE has no such feature");
    }
    r = {sae.hook, sae.direction(q.index), sae.offset(q.index)};
    if (q.minus) {
      const std::vector<Interval> other = sae.direction(*q.minus);
      std::transform(r.g.begin(), r.g.end(), other.begin(), r.g.begin(),
                     [](const Interval& a, const Interval& b) { return a - b; });
      r.beta = r.beta - sae.offset(*q.minus);
    }
  }
  const bool post = r.hook == "blocks.0.mlp.hook_post", out = r.hook == "blocks.0.hook_mlp_out";
  if ((!post && !out && r.hook != "blocks.0.hook_resid_mid" &&
       r.hook != "blocks.0.hook_resid_post") ||
      ((post || out) && net.attn_only()) || r.g.size() != (post ? net.d_mlp : net.d_model)) {
    refuse(step, "the quantity reads a hook that the model does not have, or of another width");
  }
  return r;
}

void need_neuron(const Network& net, const Step& step, std::size_t j) {
  if (j >= net.d_mlp) {
    refuse(step, "the model has no such neuron");
  }
}

}  // namespace

Target residual_target(const Network& net, const std::vector<Interval>& g, const Interval& beta) {
  Target t{beta, g, {}};
  if (!net.attn_only()) {
    t.const0 = beta + dot(g, net.b_out.data(), 1);
    t.kappa = intervals(times(net.W_out.data(), net.d_mlp, Ball(g)));
  }
  return t;
}

Target claim_target(Session& session, const Step& step, const RequestClaim& claim, bool high) {
  const Network& net = session.attention().net();
  const Quantity& q = claim.quantity;
  Target t{{}, std::vector<Interval>(net.d_model), std::vector<Interval>(net.d_mlp)};
  if (net.normalised && (q.kind == Quantity::Kind::neuron || q.kind == Quantity::Kind::logit)) {
    refuse(step, "the quantity is normalised: not const0 + <g0, m> + Σ κ act(z)");
  }
  if (q.kind == Quantity::Kind::neuron) {
    need_neuron(net, step, q.index);
    t.g0 = session.facts().neuron_direction(q.index);
    t.const0 = session.facts().neuron_offset(q.index);
  } else {
    const Reading r = reading_of(session, step, q);
    if (r.hook == "blocks.0.hook_resid_mid") {
      t.g0 = r.g;
      t.const0 = r.beta;
    } else if (r.hook == "blocks.0.mlp.hook_post") {
      t.kappa = r.g;
      t.const0 = r.beta;
    } else {
      t = residual_target(net, r.g, r.beta);
      if (r.hook == "blocks.0.hook_mlp_out") {
        t.g0.assign(net.d_model, Interval());
      }
    }
  }
  if (!high) {
    t.const0 = -t.const0;
    t.g0 = -t.g0;
    t.kappa = -t.kappa;
  }
  return t;
}

Unembedding unembedding(Session& session, const Step& step, const RequestClaim& claim, bool high) {
  const Network& net = session.attention().net();
  if (!net.normalised || claim.quantity.kind != Quantity::Kind::logit) {
    refuse(step, "expected a logit or logit-difference under LNfinal");
  }
  const Reading r = read_logit(net, step, claim.quantity);
  Unembedding u{dot(r.g, net.ln_final_b.data(), 1) + r.beta, centred(r.g * net.ln_final_w)};
  if (!high) {
    u.constant = -u.constant;
    u.h = -u.h;
  }
  return u;
}

Interval quantity_value(Session& session, const Step& step, const RequestClaim& claim,
                        const Position& at) {
  const Quantity& q = claim.quantity;
  if (q.kind == Quantity::Kind::neuron) {
    need_neuron(session.attention().net(), step, q.index);
    return at.pre[q.index];
  }
  if (q.kind == Quantity::Kind::margin) {
    return margin_value(session, step, q.index, at);
  }
  const Reading r = reading_of(session, step, q);
  return dot(r.g, r.hook.empty() ? at.unembedded : at.hook(r.hook)) + r.beta;
}

}  // namespace assay_check
