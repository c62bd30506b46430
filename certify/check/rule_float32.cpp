#include <cmath>

#include "float32.hpp"
#include "reject.hpp"
#include "target.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMostLayers = 2;  // domains whose numbers are kept

constexpr std::size_t kMostUlps = 4096;

/// Error of the float32 sum of n + `extra` terms y_i g_i and |beta|, y as computed.
double reading_rounding(const Computed& y, const std::vector<Interval>& g, double beta,
                        std::size_t extra) {
  double sum = beta, spill = 1;
  for (std::size_t i = 0; i < g.size(); ++i) {
    sum += above(y.size[i] + y.error[i]) * magnitude(g[i]);
    spill += y.size[i] + y.error[i];
  }
  return above(rounding(g.size() + extra, above(sum)) + above(spill) * 0x1p-148);
}

/// <g, y> + β at a hook: what the sums up to the hook leave, and the reading's own.
double reading_error(Session& session, const Step& step, const RequestClaim& claim,
                     const FloatLayers& layers) {
  const Target target = claim_target(session, step, claim, true);
  const Quantity& q = claim.quantity;
  std::string hook = "blocks.0.hook_resid_mid";
  std::vector<Interval> g;
  double beta = 0;
  Sizes centre;  // b_dec, subtracted first
  if (q.kind == Quantity::Kind::residual_mid) {
    g = session.request().directions.at(q.name);
  } else if (q.kind == Quantity::Kind::readout) {
    const AffineReadout& readout = session.readout(q.name);
    hook = readout.hook;
    g = readout.weights;
    beta = magnitude(readout.bias);
  } else {
    const SaeEncoder& sae = session.sae();
    hook = sae.hook;
    g = sae.direction(q.index);
    beta = std::fabs(static_cast<double>(sae.b_enc[q.index]));
    for (std::size_t i = 0; sae.subtract_b_dec && i < sae.d_in; ++i) {
      centre.push_back(std::fabs(static_cast<double>(sae.b_dec[i])));
    }
  }
  const Sizes* own = hook == "blocks.0.hook_mlp_out"      ? &layers.mlp_out_rounding
                     : hook == "blocks.0.hook_resid_post" ? &layers.r_rounding
                                                          : nullptr;
  Computed y = own == &layers.mlp_out_rounding    ? layers.mlp_out
               : own != nullptr                   ? layers.r
               : hook == "blocks.0.mlp.hook_post" ? layers.act
                                                  : layers.m;
  double error = layers.path(target.g0, target.kappa);
  for (std::size_t i = 0; i < g.size(); ++i) {
    error += own == nullptr ? 0 : magnitude(g[i]) * (*own)[i];
    y.size[i] = above(y.size[i] + (centre.empty() ? 0 : centre[i]));
  }
  return above(error + reading_rounding(y, g, beta, 4));
}

/// l_A, or l_A − l_B of two logits computed apart.
double logit_error(Session& session, const Step& step, const RequestClaim& claim,
                   const FloatLayers& layers) {
  const Network& net = session.attention().net();
  const Quantity& q = claim.quantity;
  const Computed& y = layers.unembedded.local;
  const std::size_t d = net.d_model, V = net.d_vocab_out;
  if (q.index >= V || (q.minus && *q.minus >= V)) {
    refuse(step, "the model has no such token");
  }
  std::vector<Interval> delta = exact(&net.W_U[q.index], d, V);
  double error = 0, size = 0;
  const auto add = [&](std::size_t token) {
    const std::vector<Interval> g = exact(&net.W_U[token], d, V);
    const double b = std::fabs(static_cast<double>(net.b_U[token]));
    error += reading_rounding(y, g, b, 2);
    size += b;
    for (std::size_t i = 0; i < d; ++i) {
      size += above(y.size[i] + y.error[i]) * magnitude(g[i]);
    }
  };
  add(q.index);
  if (q.minus) {
    add(*q.minus);
    for (std::size_t i = 0; i < d; ++i) {
      delta[i] = delta[i] - Interval(net.W_U[i * V + *q.minus]);
    }
    error += kUnit * above(size + above(error));
  }
  if (net.normalised) {
    return above(layers.final_path(delta) + above(error));
  }
  const Target target = claim_target(session, step, claim, true);
  for (std::size_t i = 0; i < d; ++i) {
    error += magnitude(delta[i]) * layers.r_rounding[i];
  }
  return above(layers.path(target.g0, target.kappa) + above(error));
}

double float_error(Session& session, const Step& step, const RequestClaim& claim,
                   const FloatLayers& layers) {
  const Quantity& q = claim.quantity;
  if (q.kind == Quantity::Kind::logit) {
    return logit_error(session, step, claim, layers);
  }
  if (q.kind != Quantity::Kind::neuron) {
    return reading_error(session, step, claim, layers);
  }
  if (q.index >= session.attention().net().d_mlp) {
    refuse(step, "the model has no such neuron");
  }
  return layers.z.error[q.index];
}

/// The semantics and everything that it takes as given.
std::string assumptions(const Network& net, const RequestClaim& claim, const Domain& domain,
                        bool any_shift) {
  const std::string act = std::to_string(claim.act_ulps);
  std::string text =
      " (FLOAT32-ANY-ORDER: every evaluation in IEEE binary32 rounded to nearest even, sums in any "
      "order "
      "and bracketing with or without fused multiply-add, softmax less the largest score, "
      "streaming or not";
  text += any_shift ? ", or less any number up to the largest |score|, 0 included" : "";
  text += "; given exp within " + std::to_string(claim.exp_ulps) +
          " ulp (below 2^-126: within 2^-126), division and square root within 1 ulp";
  if (net.act != ActKind::relu && !net.attn_only()) {
    text +=
        net.act == ActKind::gelu ? ", erf within " + act + " ulp" : ", tanh within " + act + " ulp";
  }
  text += net.normalised ? ", two-pass LayerNorm" : "";
  if (net.rotary_dim != 0) {
    text += ", rotary tables within " + std::to_string(domain.hi) + " * 2^-20";
  }
  return text + ", no TF32 or bf16, no flush to zero, causal mask exact)";
}

}  // namespace

/// float32 ID QUANTITY domain ID error HEX [ulps A B]
RequestClaim parse_float32(std::span<const std::string_view> words) {
  RequestClaim claim;
  claim.kind = RequestClaim::Kind::float32;
  claim.id = parse_id(words[1]);
  std::size_t n = words.size();
  if (n >= 3 && words[n - 3] == "ulps") {
    claim.exp_ulps = parse_nat_below(words[n - 2], kMostUlps, "a number of ulps");
    claim.act_ulps = parse_nat_below(words[n - 1], kMostUlps, "a number of ulps");
    n -= 3;
  }
  if (n < 8 || words[n - 4] != "domain" || words[n - 2] != "error") {
    throw Reject("request", "expected float32 ID QUANTITY domain ID error HEX [ulps NAT NAT]");
  }
  claim.quantity = parse_quantity(words.subspan(2, n - 6));
  claim.domain = parse_id(words[n - 3]);
  claim.hi = parse_hex(words[n - 1]);
  for (std::size_t i = 2; i < n - 4; ++i) {
    claim.words += std::string(words[i]) + " ";
  }
  claim.words += "in float32 lies within " + std::string(words[n - 1]) + " of its real value";
  return claim;
}

// FLOAT32
//   E, computed here from the weights, bounds |float32 Q − Q| over the whole domain      E <= error
//   ------------------------------------------------------------------------------------------
//   every evaluation of Q in float32 lies within `error` of Q in every context of the domain
void rule_float32(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::float32);
  const Domain& domain = session.request().domains.at(claim.domain);
  if (step.premises.size() != 1 || !step.words.empty()) {
    refuse(step, "expected FLOAT32 cID : with a ROOT case of the claim's domain");
  }
  const Quantity& q = claim.quantity;
  if (q.kind == Quantity::Kind::margin || (q.kind == Quantity::Kind::feature && q.minus)) {
    refuse(step, "a margin or a difference of features is no float32 variable that is analysed");
  }
  const ContextCase& contexts = session.facts().find_case(step, step.premises[0]);
  if (contexts.domain != claim.domain) {
    refuse(step, "the case is not the whole of the claim's domain");
  }
  const Ulps ulps{claim.exp_ulps, claim.act_ulps};
  if (session.float_layers.size() >= kMostLayers) {
    session.float_layers.clear();  // claims of one domain come together
  }
  auto& layers = session.float_layers[claim.domain + " " + std::to_string(ulps.exponential) + " " +
                                      std::to_string(ulps.activation)];
  if (layers == nullptr) {
    layers = std::make_shared<const FloatLayers>(
        std::make_shared<const FloatAttention>(session.attention(), contexts, domain.hi, ulps),
        ulps);
  }
  const double error = float_error(session, step, claim, *layers);
  if (!(error <= claim.hi)) {
    refuse(step, "the error is not shown: the bound found here is " + std::to_string(error) +
                     ", the claim's is " + std::to_string(claim.hi));
  }
  session.conclusions.push_back(
      {step.id,
       "PROVED",
       {},
       session.shared(" in " + domain.words + session.source(claim.quantity) +
                      assumptions(session.attention().net(), claim, domain, layers->any_shift()))});
}

}  // namespace assay_check
