#include "facts.hpp"

#include <cstdint>
#include <utility>

#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxHeld = std::size_t{1} << 25;  // numbers kept for later steps

}  // namespace

void refuse(const Step& step, const std::string& reason) {
  throw Reject(std::string(step.rule), reason);
}

void Facts::need_block_in_place(const Step& step) const {
  const bool fits = open.empty() ? !step.rule.ends_with("-RANGE")
                                 : step.rule == ranges.at(open).line && !step.premises.empty() &&
                                       step.premises[0] == open;
  if (!fits) {
    refuse(step, "the lines after NEURONS, BOX … are their range lines, one a number");
  }
}

void Facts::add(const Step& step, const BoundFact& fact, bool part) {
  (part ? parts_ : bounds_).emplace(step.id, fact);
  of_claim_[fact.claim->id].push_back(step.id);
}

const BoundFact* Facts::find(std::string_view id, bool part) const {
  const auto& all = part ? parts_ : bounds_;
  const auto found = all.find(id);
  return found == all.end() ? nullptr : &found->second;
}

void Facts::forget(const std::string& claim) {
  for (const std::string& id : of_claim_[claim]) {
    bounds_.erase(id);
    parts_.erase(id);
  }
  of_claim_.erase(claim);
  against.erase(against.lower_bound({claim, 0}), against.upper_bound({claim, SIZE_MAX}));
}

const ContextCase& Facts::find_case(const Step& step, std::string_view id) const {
  const auto found = cases.find(std::string(id));
  if (found == cases.end()) {
    refuse(step, "no earlier case " + std::string(id));
  }
  return found->second;
}

std::shared_ptr<const ReadyCase> Facts::ready(const Step& step, std::string_view id) {
  const ContextCase& contexts = find_case(step, id);
  if (contexts.split == ContextCase::Split::neuron) {
    return ready(step, contexts.parent);  // the same sets and lengths
  }
  if (!contexts.is_ready(attention_.net())) {
    refuse(step, "the case is not ready: more than one query token, or length under `standard`");
  }
  auto& slot = ready_[std::string(id)];
  if (slot == nullptr) {
    auto made = std::make_shared<const ReadyCase>(attention_, contexts);
    ready_numbers_ += made->size();
    if (ready_numbers_ > kMaxHeld) {
      ready_numbers_ = made->size();
      ready_.clear();
    }
    return ready_[std::string(id)] = std::move(made);
  }
  return slot;
}

bool Facts::is_within(const std::string& id, const std::string& ancestor) const {
  for (std::string at = id; !at.empty(); at = cases.at(at).parent) {
    if (at == ancestor) {
      return true;
    }
  }
  return false;
}

const RangeFact& Facts::complete(const Step& step, std::string_view id, bool box) const {
  const auto found = ranges.find(std::string(id));
  if (found == ranges.end() || (found->second.opener == "BOX") != box ||
      found->second.ranges.size() != found->second.expected) {
    refuse(step, "no complete ranges " + std::string(id) + " of this kind");
  }
  return found->second;
}

const RangeFact& Facts::neurons(const Step& step, std::string_view id,
                                const std::string& case_id) const {
  const RangeFact& fact = complete(step, id, false);
  if (!is_within(case_id, fact.case_id)) {
    refuse(step, "the neuron ranges are of another case");
  }
  return fact;
}

std::vector<Interval> Facts::ranges_on(const std::string& case_id, const RangeFact& fact) const {
  std::vector<Interval> out = fact.ranges;
  for (std::string at = case_id; !at.empty(); at = cases.at(at).parent) {
    const ContextCase& part = cases.at(at);
    if (part.split == ContextCase::Split::neuron) {
      Interval& z = out[part.index];
      z = part.positive ? positive_part(z) : -positive_part(-z);
    }
  }
  return out;
}

std::optional<double> Facts::neuron_sign(const std::string& case_id, std::size_t J) const {
  for (std::string at = case_id; !at.empty(); at = cases.at(at).parent) {
    const ContextCase& part = cases.at(at);
    if (part.split == ContextCase::Split::neuron && part.index == J) {
      return part.positive ? 1 : -1;
    }
  }
  return std::nullopt;
}

const RangeFact& Facts::box(const Step& step, std::string_view id) const {
  return complete(step, id, true);
}

const SetPointer& Facts::every_token() {
  if (every_token_ == nullptr) {
    SetText all;
    all.all = true;
    every_token_ = std::make_shared<const TokenSet>(all.tokens(attention_.net().d_vocab));
  }
  return every_token_;
}

std::vector<Interval> Facts::neuron_direction(std::size_t j) const {
  const Network& net = attention_.net();
  const std::vector<Interval> g = exact(&net.W_in[j], net.d_model, net.d_mlp);
  return net.normalised ? centred(g * net.ln2_w) : g;
}

Interval Facts::neuron_offset(std::size_t j) const {
  const Network& net = attention_.net();
  const Interval b(net.b_in[j]);
  return net.normalised ? b + dot(exact(&net.W_in[j], net.d_model, net.d_mlp), net.ln2_b.data(), 1)
                        : b;
}

std::vector<Interval> Facts::coordinate_direction(std::size_t i) const {
  std::vector<Interval> g(attention_.net().d_model);
  g[i] = Interval(1);
  return centred(g);
}

std::shared_ptr<const Projection> Facts::projection(Projections& known, std::size_t key,
                                                    const std::vector<Interval>& g) {
  auto made = std::make_shared<const Projection>(attention_.project(g));
  projection_numbers_ += made->size() * made->front().value.size();
  if (projection_numbers_ <= kMaxHeld) {
    known.emplace(key, made);
  }
  return made;
}

std::shared_ptr<const Projection> Facts::neuron_projection(std::size_t j) {
  const auto known = neurons_.find(j);
  return known != neurons_.end() ? known->second : projection(neurons_, j, neuron_direction(j));
}

std::shared_ptr<const Projection> Facts::coordinate_projection(std::size_t i) {
  const auto known = coordinates_.find(i);
  return known != coordinates_.end() ? known->second
                                     : projection(coordinates_, i, coordinate_direction(i));
}

}  // namespace assay_check
