#include <cmath>
#include <set>

#include "linear.hpp"
#include "reject.hpp"
#include "session.hpp"

namespace assay_check {
namespace {

/// <g, x> + c of the site's output x.
struct Reading {
  std::vector<Interval> g;
  Interval c;
};

void add_logit(const Site& site, const Step& step, std::size_t token, const Interval& weight,
               Reading& r) {
  if (token >= site.tokens) {
    refuse(step, "the site has no such logit");
  }
  r.g.resize(site.d);
  for (std::size_t i = 0; i < site.d; ++i) {
    r.g[i] = r.g[i] + weight * Interval(site.W_U[i * site.tokens + token]);
  }
  r.c = r.c + weight * Interval(site.b_U[token]);
}

Reading reading_of(Session& session, const Step& step, const Site& site, const Quantity& q) {
  Reading r;
  std::string hook = site.name;
  if (q.kind == Quantity::Kind::logit) {
    add_logit(site, step, q.index, Interval(1), r);
    if (q.minus) {
      add_logit(site, step, *q.minus, Interval(-1), r);
    }
  } else if (q.kind == Quantity::Kind::feature) {
    const SaeEncoder& sae = session.sae();
    if (q.index >= sae.d_sae || q.minus) {
      refuse(step, "the SAE has no such feature, or a difference of two is not read");
    }
    r = {sae.direction(q.index), sae.offset(q.index)};
    hook = sae.hook;
  } else if (q.kind == Quantity::Kind::readout) {
    const AffineReadout& readout = session.readout(q.name);
    r = {readout.weights, readout.bias};
    hook = readout.hook;
  } else {
    refuse(step, "a site has logits, features and readouts only");
  }
  if (!site.is_read_by(hook) || r.g.size() != site.d) {
    refuse(step, "the reading is of another hook than " + site.name + ", or of another width");
  }
  return r;
}

/// [center ± radius]: what a reading can be.
struct Sphere {
  Interval center, radius;
};

// SITE-SPHERE's numbers: center = <g, b> + c, radius = √d |h|, h = w ∘ g, for LayerNorm P(w ∘ g).
Sphere sphere_of(const Site& site, const Reading& r) {
  std::vector<Interval> h;
  Interval center = r.c;
  for (std::size_t i = 0; i < site.d; ++i) {
    h.push_back(Interval(site.w[i]) * r.g[i]);
    center = center + Interval(site.b[i]) * r.g[i];
  }
  const double squares = square_sum(site.centred ? centred(h) : h).hi();
  const Interval most = Interval(static_cast<double>(site.d)) * Interval(squares);
  return {center, squares > 0 ? Interval(0, square_root(Interval(most.hi())).hi()) : Interval()};
}

const RequestClaim& claim_without_words(Session& session, const Step& step,
                                        RequestClaim::Kind kind) {
  if (!step.premises.empty() || !step.words.empty()) {
    refuse(step, "expected neither premises nor words");
  }
  return session.claim(step, step.id, kind);
}

}  // namespace

const Site& Session::site(const std::string& name) {
  const auto known = sites_.find(name);
  return known != sites_.end()
             ? known->second
             : sites_
                   .emplace(name, read_site(name, config_, inputs_.model + "/config.json", weights_,
                                            inputs_.model + "/model.safetensors"))
                   .first->second;
}

// SITE-SPHERE  x = w ∘ s + b, |s| <= √d, and <1, s> = 0 for LayerNorm
//   lo <= <g, b> + c − √d |h|      <g, b> + c + √d |h| <= hi
//   ----------------------------------------------------------
//   lo <= <g, x> + c <= hi for every input of the model
void rule_site_sphere(Session& session, const Step& step) {
  const RequestClaim& claim = claim_without_words(session, step, RequestClaim::Kind::site_bound);
  const Site& site = session.site(claim.domain);
  const Sphere s = sphere_of(site, reading_of(session, step, site, claim.quantity));
  if (!(claim.lo <= (s.center - s.radius).lo() && (s.center + s.radius).hi() <= claim.hi)) {
    refuse(step, "the bound is not shown");
  }
  session.conclusions.push_back({step.id, "PROVED",
                                 claim.words + " for every input, read from " + site.words() +
                                     session.source(claim.quantity) + " (real arithmetic)"});
}

// NULLIFIED  2 √d |h| <= width  |-  any two inputs' readings differ by at most width
void rule_nullified(Session& session, const Step& step) {
  const RequestClaim& claim = claim_without_words(session, step, RequestClaim::Kind::nullified);
  const Site& site = session.site(claim.domain);
  const Sphere s = sphere_of(site, reading_of(session, step, site, claim.quantity));
  if (!((s.radius + s.radius).hi() <= claim.hi)) {
    refuse(step, "the width is not shown");
  }
  session.conclusions.push_back({step.id, "PROVED",
                                 claim.words + " over all inputs, read from " + site.words() +
                                     session.source(claim.quantity) + " (real arithmetic)"});
}

// NEVER-ARGMAX  ω_i > 0 multiples of 2^-40, Σ ω_i = 1, y_i distinct, none is u
//   SITE-SPHERE of l_u − Σ ω_i l_{y_i} gives hi < 0
//   ------------------------------------------------
//   l_u < max_{y ≠ u} l_y for every input
void rule_never_argmax(Session& session, const Step& step) {
  const RequestClaim& claim = session.claim(step, step.id, RequestClaim::Kind::never_argmax);
  const Site& site = session.site("ln_final");
  if (!step.premises.empty() || step.words.size() < 4 || step.words[0] != "M" ||
      (step.words.size() - 2) % 2 != 0 || parse_nat(step.words[1]) != (step.words.size() - 2) / 2) {
    refuse(step, "expected NEVER-ARGMAX : M r y_1 w_1 … with r >= 1 rivals");
  }
  Reading r;
  add_logit(site, step, claim.subject, Interval(1), r);
  std::set<std::size_t> seen{claim.subject};
  double parts = 0;  // of 2^-40: integers, so that sums up to 2^40 are exact
  for (std::size_t i = 2; i < step.words.size(); i += 2) {
    const std::size_t y = parse_nat(step.words[i]);
    const double weight = parse_hex(step.words[i + 1]), part = weight * 0x1p40;
    if (!seen.insert(y).second || !(weight > 0 && weight <= 1) || part != std::floor(part)) {
      refuse(step, "a rival stands twice or is the token itself, or a weight is no part of 2^40");
    }
    parts += part;
    add_logit(site, step, y, Interval(-weight), r);
  }
  if (parts != 0x1p40) {
    refuse(step, "the weights do not add to 1");
  }
  const Sphere s = sphere_of(site, r);
  if (!((s.center + s.radius).hi() < 0)) {
    refuse(step, "the mixture is not shown to be above the token everywhere");
  }
  session.conclusions.push_back(
      {step.id, "PROVED",
       "token " + std::to_string(claim.subject) +
           " has the largest logit for no input, ties included, read from " + site.words() +
           " (real arithmetic)"});
}

}  // namespace assay_check
