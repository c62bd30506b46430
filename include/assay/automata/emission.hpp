#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/base/rational.hpp"
#include "assay/num/interval.hpp"

namespace assay::automata {

/// What a decoder may do with one token, given enclosed logits.
enum class Edge : std::uint8_t { absent, open, witnessed };

/// A decoder as a hypothesis: which tokens it can emit, given the logits. Ties are kept: of
/// equal logits each may be emitted.
///
///   greedy        t is emitted only if l_t = max l
///   min-p ρ, T    iff l_t − max l >= ln ρ   (T ln ρ when the temperature comes before the cut)
///   top-k K       only if fewer than K tokens have a greater logit
///   plain         every token, at any temperature
class Emission {
 public:
  enum class Kind { greedy, min_p, top_k, plain };

  /// "greedy", "min-p:RHO[:T[:before|after]]", "top-k:K", "plain". Throws UsageError, naming what
  /// is refused (top-p, repetition penalties, …).
  [[nodiscard]] static Emission parse(const std::string& words);

  [[nodiscard]] Kind kind() const { return kind_; }
  /// Of greedy and min-p: ln ρ, T ln ρ or 0.
  [[nodiscard]] Interval cut() const { return cut_; }
  [[nodiscard]] std::size_t k() const { return k_; }  ///< of top-k
  /// "min-p 1/10 temperature 1 order after", "greedy", "top-k 5", "plain": a statement's words.
  [[nodiscard]] std::string text() const;

  /// EDGE: absent when the token is outside the support for all logits within [lo, hi], witnessed
  /// when it is inside for all of them, else open. A NaN leaves every token open.
  void decide(std::span<const double> lo, std::span<const double> hi, std::span<Edge> out) const;

 private:
  void decide_top_k(std::span<const double> lo, std::span<const double> hi,
                    std::span<Edge> out) const;

  Kind kind_ = Kind::greedy;
  Rational min_p_{1, 1}, temperature_{1, 1};
  bool temperature_first_ = false;
  std::size_t k_ = 1;
  Interval cut_;  ///< ln ρ or T ln ρ; 0 for greedy
};

}  // namespace assay::automata
