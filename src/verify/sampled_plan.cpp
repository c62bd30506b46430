#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "assay/base/errors.hpp"
#include "assay/base/rational_sum.hpp"
#include "assay/base/text.hpp"
#include "assay/verify/sampled.hpp"

namespace assay::verify {
namespace {

Rational known(const std::optional<Rational>& share) {
  if (!share) {
    throw UsageError(
        "--alpha: expected shares whose sum has a numerator and denominator of at most 2^53");
  }
  return *share;
}

const spec::Property* find(const spec::Spec& spec, const std::string& name) {
  for (const spec::Property& p : spec.properties) {
    if (p.name == name) {
      return &p;
    }
  }
  return nullptr;
}

}  // namespace

bool is_wanted(const SampleInput& input, const std::string& property) {
  const auto& only = input.subject.properties;
  return only.empty() || std::find(only.begin(), only.end(), property) != only.end();
}

std::string beyond_sampling(const SampleInput& input, const spec::Property& property) {
  if (property.claim != spec::Property::Claim::all) {
    return "only claims `all` are counted: the event is that a run violates one";
  }
  if (const std::string why = spec::beyond_universal(*input.subject.spec, property); !why.empty()) {
    return why;
  }
  for (const std::size_t a : spec::atoms_of(property.formula)) {
    const spec::Atom& atom = input.subject.spec->atoms[a];
    const bool inside =
        atom.kind == spec::Atom::Kind::feature || atom.kind == spec::Atom::Kind::readout;
    if (inside && input.model->config.n_layers != 1) {
      return "ap " + atom.name + " reads activations, which are read at one layer only";
    }
  }
  return "";
}

std::map<std::string, Rational> alpha_ledger(const SampleInput& input) {
  if (input.alpha.num <= 0 || input.alpha.num >= input.alpha.den) {
    throw UsageError("--alpha: expected 0 < alpha < 1, found " + input.alpha.text());
  }
  for (const std::string& name : input.subject.properties) {
    if (find(*input.subject.spec, name) == nullptr) {
      throw UsageError("--prop: the spec has no property " + visible(name));
    }
  }
  std::map<std::string, Rational> out;
  Rational left = input.alpha;
  for (const auto& [name, share] : input.split) {
    const spec::Property* property = find(*input.subject.spec, name);
    if (property == nullptr || !beyond_sampling(input, *property).empty() || share.num <= 0) {
      throw UsageError("--split " + visible(name) +
                       ": expected a counted property of the spec and a share above 0");
    }
    left = known(difference(left, share));
    out[name] = share;
  }
  std::vector<std::string> others;
  for (const spec::Property& p : input.subject.spec->properties) {
    if (is_wanted(input, p.name) && !out.contains(p.name) && beyond_sampling(input, p).empty()) {
      others.push_back(p.name);
    }
  }
  if (left.num < 0 || (left.num == 0 && !others.empty())) {
    throw UsageError("--split: the ledger of alpha = " + input.alpha.text() + " is overdrawn" +
                     (left.num < 0 ? " by " + Rational{-left.num, left.den}.text()
                                   : ": nothing is left for " + visible(others.front())));
  }
  for (const std::string& name : others) {
    out[name] = known(quotient(left, static_cast<std::uint32_t>(others.size())));
  }
  if (out.empty()) {
    throw UsageError(
        "sample: expected at least one property whose rate can be counted, found none");
  }
  return out;
}

std::string sampling_plan(const SampleInput& input) {
  using nlohmann::ordered_json;
  ordered_json properties = ordered_json::array();
  for (const auto& [name, alpha] : alpha_ledger(input)) {
    properties.push_back({{"name", name},
                          {"event", "violated within " + std::to_string(input.max_new) + " tokens"},
                          {"alpha", alpha.text()}});
  }
  const ordered_json plan = {
      {"assay-sampling-plan", 1},
      {"config", input.model->config_digest.hex()},
      {"weights", input.model->weights_digest.hex()},
      {"spec", input.subject.statement.hex()},
      {"decoder", input.emission.text()},
      {"words", {{"decoder", input.decoder}, {"allow", input.allow}}},
      {"prompts", {{"sha256", input.prompts.digest().hex()}, {"law", input.prompts.words()}}},
      {"runs", input.runs},
      {"maxNew", input.max_new},
      {"seed", std::to_string(input.seed)},
      {"generator", "philox4x32-10"},
      {"alpha", input.alpha.text()},
      {"interval", "clopper-pearson two-sided, outward to millionths"},
      {"properties", properties}};
  return plan.dump(1) + "\n";
}

}  // namespace assay::verify
