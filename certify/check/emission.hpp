#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decoder.hpp"
#include "domain.hpp"

namespace assay_check {

enum class Kept { no, open, yes };

/// The decoder of a statement about runs, as a rule for which tokens it can emit. Ties are kept.
struct Emission {
  enum class Kind { greedy, min_p, top_k, top_p, plain } kind = Kind::greedy;
  MinP min_p;
  Interval cut;  ///< of l_t − max l: ln ρ (· T) for min-p, 0 for greedy
  std::size_t k = 1;
  Fraction top_p{1, 1}, temperature{1, 1};
  bool temperature_first = false;  ///< top-p of softmax(l/T)
  enum class Mask { none, before, after } mask = Mask::none;
  SetText allowed;    ///< of a mask
  std::string words;  ///< as the statement writes the decoder

  /// What enclosed logits say of each token: surely outside the support, surely inside, neither.
  [[nodiscard]] std::vector<Kept> support(std::span<const Interval> logits) const;
  /// The words, and what they leave open to a hasty reader.
  [[nodiscard]] std::string text() const;
  /// A rule of kind refined reads no top-p and no allow-list.
  [[nodiscard]] bool is_pairwise() const { return kind != Kind::top_p && mask == Mask::none; }

 private:
  [[nodiscard]] std::vector<Kept> unmasked(std::span<const Interval> logits) const;
};

[[nodiscard]] Emission emission_of(const MinP& min_p);
/// DECODER of docs/certificate-format.md, with its allow-list.
[[nodiscard]] Emission parse_emission(std::span<const std::string_view> words);

}  // namespace assay_check
