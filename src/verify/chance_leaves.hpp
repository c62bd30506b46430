#pragma once

#include <cstdint>
#include <vector>

#include "assay/automata/interval_chain.hpp"
#include "assay/automata/window_code.hpp"
#include "assay/verify/refined.hpp"
#include "refined_letters.hpp"

namespace assay::verify {

/// A box of contexts, and what each token's probability is at most after every context of it.
struct ChanceLeaf {
  static constexpr std::uint32_t kNoFact = UINT32_MAX;
  ViewBox box;
  std::vector<automata::Grid> most;        ///< [V]
  std::vector<std::uint32_t> fact;         ///< [V] the lemma that shows it; kNoFact: 1
  std::vector<std::uint32_t> own;          ///< [V] the lemma about this very box; kNoFact: not made
  bool closed = false;                     ///< cannot be divided
  std::vector<automata::WindowCode> pool;  ///< contexts of the box, for estimates
  std::vector<float> logits;               ///< [pool, V] after them
};

/// The interval chain over pairs (leaf, state of an event's automaton). After a view of a leaf nature picks the next
/// token within `most`, its letter, and the leaf among those where the next view may lie.
///
///   CHANCE-BOXES   u_0 = 1 on B, else 0;  u_{n+1}(P, q) = max over nature of Σ_t p(t) max u_n(R, δ(q, ℓ))
///                  |-  P(event within N tokens) <= u_N(P, init) from every context of P        (min for the other side)
class LeafChain {
 public:
  /// Keeps references to the leaves, which must cover every view and not change.
  LeafChain(const std::vector<ChanceLeaf>& leaves, const RefinedLetters& letters,
            const spec::Dfa& event);

  /// [n][q][leaf], n = 0 … steps; 0 for states that are bad or settled.
  using Values = std::vector<std::vector<std::vector<automata::Grid>>>;
  [[nodiscard]] Values values(std::size_t steps, bool upper) const;
  /// Of every token after (leaf, q) when `now` is what lies ahead; `to`: the leaf that nature moves on to.
  void after(std::size_t leaf, std::size_t q, const std::vector<std::vector<automata::Grid>>& now,
             bool upper, std::vector<automata::Grid>& of_token,
             std::vector<std::pair<std::uint32_t, std::uint32_t>>* to = nullptr) const;
  [[nodiscard]] const std::vector<automata::ChainEdge>& row(std::size_t leaf) const {
    return rows_[leaf];
  }
  [[nodiscard]] bool is_open(std::size_t q) const { return !event_.bad[q] && !settled_[q]; }
  /// [q][leaf] that runs from these leaves may meet.
  [[nodiscard]] std::vector<std::vector<bool>> reached(const std::vector<bool>& initial) const;
  /// The token may complete the event.
  [[nodiscard]] bool ends(std::size_t q, std::size_t token) const;
  [[nodiscard]] std::size_t links() const { return links_.size(); }
  [[nodiscard]] std::size_t states() const { return event_.states; }

 private:
  const std::vector<ChanceLeaf>& leaves_;
  const spec::Dfa& event_;
  std::size_t V_;
  std::vector<bool> settled_;
  std::vector<std::vector<automata::ChainEdge>> rows_;  ///< `to`: the token
  std::vector<std::size_t> begin_;                      ///< [leaf, V + 1]
  std::vector<std::uint32_t> links_;
  std::vector<std::vector<std::vector<std::uint32_t>>> targets_;  ///< [q][token]
};

}  // namespace assay::verify
