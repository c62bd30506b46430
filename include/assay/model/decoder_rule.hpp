#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "assay/base/index.hpp"
#include "assay/base/rational.hpp"

namespace assay {

/// A decoder as a distribution over the next token, in double. What it can emit is the support of
/// automata::Emission (docs/spec-language.md has the words); of equal logits each is kept, greedy alone takes the one of
/// the smallest id. What is kept is drawn with probability proportional to e^(l/T).
struct DecoderRule {
  enum class Kind { greedy, min_p, top_k, top_p, plain };
  enum class Mask { none, before, after };

  Kind kind = Kind::greedy;
  Rational share{1, 1};        ///< rho of min-p, P of top-p
  Rational temperature{1, 1};  ///< T
  bool temperature_first = false;  ///< the cut of min-p and top-p reads softmax(l/T)
  std::size_t k = 1;               ///< of top-k
  Mask mask = Mask::none;
  std::vector<TokenId> allowed;  ///< ascending
};

/// The next token's distribution.
struct TokenLaw {
  std::vector<TokenId> tokens;        ///< ascending; empty: nothing may come, the run ends
  std::vector<double> probabilities;  ///< of those, adding to 1
  /// How far the logits, in nats, or sums of probabilities are from keeping other tokens. 0: a tie.
  double slack = 0;
};
/// Throws Error(ExitCode::malformed) when a logit is not a number.
[[nodiscard]] TokenLaw token_law(const DecoderRule& rule, std::span<const double> logits);

struct Draw {
  std::optional<TokenId> token;  ///< none: the run ends
  /// The smaller of the law's slack and of the distance of `u` from the ends of the token's share of [0, 1): a
  /// computation whose errors are below it draws the same token.
  double slack = 0;
};
/// The token whose share of [0, 1), in ascending order of ids, has u. @pre 0 <= u < 1
[[nodiscard]] Draw draw(const DecoderRule& rule, std::span<const double> logits, double u);

/// Draws of less slack are near ties: engines that round differently may part there.
inline constexpr double kNearTie = 1e-9;

}  // namespace assay
