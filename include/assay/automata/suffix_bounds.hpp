#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "assay/automata/emission.hpp"
#include "assay/automata/exact_forward.hpp"
#include "assay/automata/window_code.hpp"
#include "assay/model/transformer.hpp"

namespace assay::automata {

/// The tokens that may stand before the known ones. Position j = 0 is the newest unknown token.
struct FarTokens {
  std::span<const std::uint64_t> sets;  ///< [far_positions(), words()]: bit u of position j
  std::uint32_t surely = 0;             ///< positions 0 … surely−1 are there in every context

  [[nodiscard]] static std::size_t words(std::size_t vocabulary) { return (vocabulary + 63) / 64; }
};

/// What one call did; sums over calls are meaningful.
struct SuffixWork {
  std::size_t states = 0;     ///< with unknown older tokens, so bounded
  std::size_t exact = 0;      ///< without any: evaluated as they are
  std::size_t screened = 0;   ///< edges excluded by the ranges of neurons and logits alone
  std::size_t folded = 0;     ///< edges excluded by FOLD
  std::size_t witnessed = 0;  ///< edges
  std::size_t open = 0;       ///< edges
  std::size_t contexts = 0;   ///< that the attack evaluated
  SuffixWork& operator+=(const SuffixWork& other);
};

struct SuffixOptions {
  std::size_t slope_steps = 0;  ///< steps on slopes and mixture for edges still open
  bool attack = true;           ///< look for contexts that witness an edge
};

/// Edges of suffix states under one decoder. A state is the last `known` tokens of a context
/// that may be longer; a context of fewer tokens is a state of its own.
///
///   FAST-FOLD   Û + r < cut   |-   l_t − Σ ω_i l_{y_i} < cut in every context of the state
///
/// Û is TOKEN-OUT in plain double (ATTN-MAX, NEURON-RANGE and MLP-FOLD, docs/theorems.md) and r
/// one number for the model that exceeds what its roundings can do, derived a priori from the
/// weights' sizes. When r is not finite nothing is excluded.
class SuffixBounds {
 public:
  /// Tokens of a state.
  static constexpr std::size_t kKnown = 3;

  /// Throws UsageError as require_exact_family, for (V+1)^window >= 2^64, and for a decoder that
  /// cannot exclude a token from bounds (plain, …).
  SuffixBounds(const Transformer& model, Emission emission);
  ~SuffixBounds();
  SuffixBounds(const SuffixBounds&) = delete;
  SuffixBounds& operator=(const SuffixBounds&) = delete;

  [[nodiscard]] const WindowCodes& codes() const { return codes_; }
  [[nodiscard]] const Emission& emission() const { return emission_; }
  [[nodiscard]] std::size_t vocabulary() const { return vocabulary_; }
  /// Unknown positions that the window still sees: window − known, or 0.
  [[nodiscard]] std::size_t far_positions() const { return far_; }
  /// r of FAST-FOLD with every older token free.
  [[nodiscard]] double radius() const;

  struct Query {
    WindowCode state;                ///< in codes()
    const FarTokens* far = nullptr;  ///< null: every older token and every length
    const Edge* before = nullptr;    ///< [V] decided earlier, over more contexts; null: all open
  };
  /// @param out [queries, V]. Throws Error(internal), a soundness alarm, when a token is both
  /// excluded and witnessed.
  SuffixWork decide(std::span<const Query> queries, const SuffixOptions& options,
                    std::span<Edge> out) const;

  struct Tables;

 private:
  Emission emission_;
  std::size_t vocabulary_, far_;
  WindowCodes codes_;
  std::unique_ptr<const Tables> tables_;
};

}  // namespace assay::automata
