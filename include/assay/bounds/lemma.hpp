#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/bounds/bound.hpp"

namespace assay::bounds {

/// LEMMA   sigma * quantity <= hi in every context of the box (sigma = -1: is_lower), with the numbers that prove it.
struct Lemma {
  Domain box;
  Quantity quantity;
  bool is_lower = false;
  double hi = std::numeric_limits<double>::infinity();
  std::size_t cases =
      1;  ///< tokens of one position taken one by one (HULL EACH); 1: the box as a whole

  struct Proof;
  std::shared_ptr<const Proof> proof;
};

/// Lemmas about boxes of contexts of one model with an attention window: every length from 1 on, sets of tokens at the
/// last positions, any token before them. The search over boxes is the caller's; here one box is bounded at a time.
class LemmaBounder {
 public:
  /// Keeps references; `sae` may be null. Throws as Bounder.
  LemmaBounder(const Transformer& model, const Sae* sae);
  ~LemmaBounder();
  LemmaBounder(const LemmaBounder&) = delete;
  LemmaBounder& operator=(const LemmaBounder&) = delete;

  /// Stops early below `enough`. `above`: a lemma about a box that contains this one, or null: neurons that are stable
  /// there are not bounded again. @pre the box's query set is one token.
  [[nodiscard]] Lemma bound(const Domain& box, const Quantity& quantity, bool is_lower,
                            double enough, const Lemma* above = nullptr);
  /// `token`'s lead over the mixture of other tokens that bounds it least (TOKEN-OUT): those that hard contexts prefer,
  /// moved towards the winner at the relaxed maximum. `mean`: those contexts' mean probabilities, [d_vocab].
  [[nodiscard]] Lemma refute(const Domain& box, TokenId token, const std::vector<double>& mean,
                             double enough, const Lemma* above = nullptr);
  /// The same by the tokens of the newest position that is not one token, each in its turn, where one head alone moves
  /// then (HULL EACH): nullopt when it does not show less than `enough`.
  [[nodiscard]] std::optional<Lemma> refute_each(const Domain& box, TokenId token,
                                                 const std::vector<double>& mean, double enough);
  /// Boxes that cover the lemma's box, each smaller; none when it is one context. An estimate of what needs least
  /// further work below `enough`; proves nothing.
  [[nodiscard]] std::vector<Domain> divide(const Lemma& lemma, double enough);

  /// One head alone moves over the box, so that its bounds are nearly exact (HULL).
  /// @pre the box's query set is one token
  [[nodiscard]] bool moves_one_head(const Domain& box);

  /// Adds the lemma and its proof; the id of the fact.
  std::string write(BoundCertificate& certificate, const Lemma& lemma);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay::bounds
