#include "assay/bounds/domain.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"

namespace assay::bounds {
namespace {

TokenSet to_set(const std::vector<std::uint32_t>& ids) {
  TokenSet set;
  for (const std::uint32_t id : ids) {
    set.emplace_back(static_cast<std::size_t>(id));
  }
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  return set;
}

void check_set(const TokenSet& set, const std::string& field, std::size_t vocabulary) {
  if (set.empty()) {
    throw InputError("request", field, "at least one allowed token (an empty set is vacuous)",
                     "none");
  }
  if (set.back().at() >= vocabulary) {
    throw InputError("request", field, "token ids below d_vocab = " + std::to_string(vocabulary),
                     std::to_string(set.back().at()));
  }
}

}  // namespace

Domain fixed_domain(const std::vector<std::vector<std::uint32_t>>& sets) {
  Domain domain;
  for (const auto& ids : sets) {
    domain.last.push_back(to_set(ids));
  }
  domain.min_length = domain.max_length = sets.size();
  return domain;
}

Domain suffix_domain(const Transformer& model, const std::vector<std::uint32_t>& suffix,
                     std::size_t max_length) {
  Domain domain;
  for (const std::uint32_t id : suffix) {
    domain.last.push_back({TokenId(static_cast<std::size_t>(id))});
  }
  for (std::size_t u = 0; u < model.config.d_vocab; ++u) {
    domain.rest.emplace_back(u);
  }
  domain.min_length = suffix.size();
  domain.max_length = max_length;
  return domain;
}

Domain any_length_domain(const Transformer& model, const std::vector<std::uint32_t>& suffix) {
  const auto& c = model.config;
  if (c.attention_window == 0 || c.positions == PosKind::standard) {
    throw InputError("request", "max_length",
                     "a number (the model has absolute positions or no attention window)", "none");
  }
  Domain domain = suffix_domain(model, suffix, std::max(suffix.size(), c.attention_window));
  domain.any_length = true;
  return domain;
}

std::size_t longest_context(const Transformer& model) {
  const auto& c = model.config;
  return c.positions == PosKind::standard || c.attention_window == 0 ? c.n_ctx : 0;
}

void check_domain(const Transformer& model, const Domain& domain) {
  const bool fixed = domain.min_length == domain.last.size() &&
                     domain.max_length == domain.min_length && !domain.any_length;
  const char* field = fixed ? "tokens" : "suffix";
  if (domain.last.empty()) {
    throw InputError("request", field, "at least one position", "none");
  }
  if (domain.min_length < domain.last.size() || domain.max_length < domain.min_length) {
    throw InputError("request", "max_length",
                     "at least the suffix's length " + std::to_string(domain.last.size()),
                     std::to_string(domain.max_length));
  }
  for (std::size_t i = 0; i < domain.last.size(); ++i) {
    check_set(domain.last[i], std::string(field) + "[" + std::to_string(i) + "]",
              model.config.d_vocab);
  }
  if (domain.max_length > domain.last.size()) {
    check_set(domain.rest, "rest", model.config.d_vocab);
  }
  const std::size_t longest = longest_context(model);
  if (longest != 0 && domain.max_length > longest) {
    throw InputError("request", fixed ? "tokens" : "max_length",
                     "at most n_ctx = " + std::to_string(longest) + " positions",
                     std::to_string(domain.max_length));
  }
  constexpr std::size_t kMostKeys = 4096;
  if (model.keys_seen(domain.max_length - 1) > kMostKeys) {
    throw InputError("request", "max_length",
                     "at most " + std::to_string(kMostKeys) + " keys in view",
                     std::to_string(domain.max_length));
  }
}

std::string set_text(const TokenSet& set, std::size_t vocabulary) {
  if (set.size() == vocabulary) {
    return "*";
  }
  std::string out;
  for (std::size_t i = 0; i < set.size();) {
    std::size_t end = i;
    while (end + 1 < set.size() && set[end + 1].value == set[end].value + 1) {
      ++end;
    }
    out += (out.empty() ? "" : ",") + std::to_string(set[i].value);
    out += end > i ? "-" + std::to_string(set[end].value) : "";
    i = end + 1;
  }
  return out;
}

}  // namespace assay::bounds
