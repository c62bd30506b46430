#include <set>

#include "reject.hpp"
#include "request.hpp"

namespace assay_check {
namespace {

void need(bool good, const std::string& reason) {
  if (!good) {
    throw Reject("request", reason);
  }
}

}  // namespace

/// KIND INDEX | KIND ID | KIND-difference A B
Quantity parse_quantity(std::span<const std::string_view> words) {
  using Kind = Quantity::Kind;
  static const std::map<std::string_view, Kind> kinds = {{"neuron", Kind::neuron},
                                                         {"feature", Kind::feature},
                                                         {"feature-difference", Kind::feature},
                                                         {"readout", Kind::readout},
                                                         {"residual-mid", Kind::residual_mid},
                                                         {"logit", Kind::logit},
                                                         {"logit-difference", Kind::logit},
                                                         {"logit-margin", Kind::margin}};
  const auto kind = words.empty() ? kinds.end() : kinds.find(words[0]);
  const bool difference = kind != kinds.end() && words[0].ends_with("-difference");
  need(kind != kinds.end() && words.size() == (difference ? 3 : 2), "expected a quantity");
  Quantity q;
  q.kind = kind->second;
  if (q.kind == Kind::readout || q.kind == Kind::residual_mid) {
    q.name = parse_id(words[1]);
  } else {
    q.index = parse_nat(words[1]);
  }
  if (difference) {
    q.minus = parse_nat(words[2]);
  }
  return q;
}

/// logit-mixture T r y_1 ω_1 … y_r ω_r
Quantity parse_mixture(std::span<const std::string_view> words) {
  constexpr std::size_t kOne = 65536;
  need(words.size() >= 5 && words[0] == "logit-mixture", "expected logit-mixture T r y_1 w_1 …");
  Quantity q;
  q.kind = Quantity::Kind::logit;
  q.index = parse_nat(words[1]);
  need(words.size() == 3 + 2 * parse_nat(words[2]), "expected as many rivals as stated");
  std::set<std::size_t> seen{q.index};
  std::size_t total = 0;
  for (std::size_t i = 3; i < words.size(); i += 2) {
    const std::size_t y = parse_nat(words[i]);
    const std::size_t w = parse_nat_below(words[i + 1], kOne + 1, "a weight");
    need(seen.insert(y).second, "a rival stands twice or is the token itself");
    q.mixture.emplace_back(y, static_cast<double>(w) / static_cast<double>(kOne));
    total += w;
  }
  need(total == kOne, "the weights do not add to 1");
  return q;
}

}  // namespace assay_check
