#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decoder.hpp"

namespace assay_check {

enum class Kept { no, open, yes };

/// The decoder of a statement about runs, as a rule for which tokens it can emit. Ties are kept.
struct Emission {
  enum class Kind { greedy, min_p, top_k, plain } kind = Kind::greedy;
  MinP min_p;
  Interval cut;  ///< of l_t − max l: ln ρ (· T) for min-p, 0 for greedy
  std::size_t k = 1;

  /// What enclosed logits say of each token: surely outside the support, surely inside, neither.
  [[nodiscard]] std::vector<Kept> support(std::span<const Interval> logits) const;
  [[nodiscard]] std::string text() const;
  /// Differences of two logits decide what is emitted; the rules about boxes read no other decoder.
  [[nodiscard]] bool is_pairwise() const { return kind != Kind::plain; }
};

[[nodiscard]] Emission emission_of(const MinP& min_p);
/// greedy | plain | top-k NAT | min-p FRAC temperature FRAC order before|after
[[nodiscard]] Emission parse_emission(std::span<const std::string_view> words);

}  // namespace assay_check
