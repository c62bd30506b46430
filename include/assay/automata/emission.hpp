#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/base/rational.hpp"
#include "assay/model/decoder_rule.hpp"
#include "assay/num/interval.hpp"

namespace assay::spec {
struct Spec;
}

namespace assay::automata {

/// What a decoder may do with one token, given enclosed logits.
enum class Edge : std::uint8_t { absent, open, witnessed };

/// A decoder as a hypothesis: which tokens it can emit, given the logits. Ties are kept: of
/// equal logits each may be emitted.
///
///   greedy        t is emitted only if l_t = max l
///   min-p ρ, T    iff l_t − max l >= ln ρ   (T ln ρ when the temperature comes before the cut)
///   top-k K       only if fewer than K tokens have a greater logit
///   top-p P, T    only if the tokens of greater logit have together less than P of the probability, softmax(l)
///                 (softmax(l/T) when the temperature comes before the cut); so the one that crosses P is kept
///   plain         every token
/// A temperature elsewhere does not change what can be emitted. An allow-list comes before the decoder (it reads
/// the logits of the allowed tokens alone) or after it (what it keeps and is not allowed is dropped; where
/// nothing is left the run ends).
class Emission {
 public:
  enum class Kind { greedy, min_p, top_k, top_p, plain };
  enum class Mask { none, before, after };

  /// "greedy[:T]", "min-p:RHO[:T[:before|after]]", "top-k:K[:T]", "top-p:P[:T[:before|after]]", "plain[:T]".
  /// Throws UsageError; what cannot be certified (repetition penalties, …) is named with the reason.
  [[nodiscard]] static Emission parse(const std::string& words);
  /// Adds an allow-list: "[before:|after:]CLASS" of a resolved spec, or ids "3,5-9"; `before` when not said. Throws
  /// UsageError for an empty one, an unknown class and a token that the model does not have.
  void allow(const std::string& words, const spec::Spec& spec, std::size_t vocabulary);

  /// The same decoder with another min-p. @pre kind min_p; 0 < min_p <= 1
  [[nodiscard]] Emission at_min_p(const Rational& min_p) const;

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] Mask mask() const { return mask_; }
  /// The allowed tokens, ascending; empty without a mask.
  [[nodiscard]] const std::vector<TokenId>& allowed() const { return allowed_; }
  /// "min-p 1/10 temperature 1 order after", "top-k 5 allow before 3-9": a statement's words.
  [[nodiscard]] std::string text() const;

  /// ln ρ, T ln ρ or 0: a token is not emitted when l_t - l_y is below it for some y. @pre greedy or min-p
  [[nodiscard]] Interval cut() const { return kind_ == Kind::greedy ? Interval(0.0) : cut_; }
  [[nodiscard]] std::size_t k() const { return k_; }  ///< of top-k

  /// Differences of two logits alone decide what is emitted: greedy, min-p, top-k, no allow-list.
  [[nodiscard]] bool is_pairwise() const {
    return kind_ != Kind::plain && kind_ != Kind::top_p && mask_ == Mask::none;
  }
  /// The distribution that it draws from.
  [[nodiscard]] DecoderRule rule() const;
  /// A temperature other than 1 is named, and does not change what can be emitted.
  [[nodiscard]] bool has_idle_temperature() const;

  /// EDGE: absent when the token is outside the support for all logits within [lo, hi], witnessed
  /// when it is inside for all of them, else open. A NaN among the logits that are read leaves every token open.
  void decide(std::span<const double> lo, std::span<const double> hi, std::span<Edge> out) const;

 private:
  static Emission parse_known(const std::vector<std::string>& parts, const std::string& words);
  void set_temperature(const std::vector<std::string>& parts, std::size_t from, bool ordered,
                       const std::string& words);
  void set_cut();
  void decide_support(std::span<const double> lo, std::span<const double> hi,
                      std::span<Edge> out) const;
  void decide_by_cut(std::span<const double> lo, std::span<const double> hi,
                     std::span<Edge> out) const;
  void decide_top_k(std::span<const double> lo, std::span<const double> hi,
                    std::span<Edge> out) const;
  void decide_top_p(std::span<const double> lo, std::span<const double> hi,
                    std::span<Edge> out) const;

  Kind kind_ = Kind::greedy;
  Rational share_{1, 1};  ///< ρ of min-p, P of top-p
  std::optional<Rational> temperature_;
  bool temperature_first_ = false;
  std::size_t k_ = 1;
  Interval cut_;  ///< ln ρ or T ln ρ; 0 for greedy
  Mask mask_ = Mask::none;
  std::vector<TokenId> allowed_;
};

}  // namespace assay::automata
