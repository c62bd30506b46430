#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "assay/automata/feature_automaton.hpp"
#include "assay/model/sae.hpp"

namespace assay::automata {

/// One token's part of a causal edge.
struct CausalToken {
  TokenId token;
  double weight = 0;
};

/// Feature → token → feature ("one feature increasing the probability of tokens, which in turn cause
/// another feature to fire on the next step", Towards Monosemanticity), made exact:
///
///   K_ij = mean over contexts c in which i is on of
///            sum over tokens v of (p(v|c) − p(v|c, i ablated)) · [j is on after c·v]
///
/// p is the softmax of the logits. Ablated: the feature's own part of the output site, value_i · W_dec[i],
/// is taken away; all else, the reconstruction's error included, stays.
struct CausalEdge {
  std::size_t from = 0, to = 0;      ///< indices into CausalGraph::features
  double weight = 0;                 ///< K_ij, in [-1, 1]
  std::vector<CausalToken> through;  ///< the tokens that carry most of it, at most three
};

struct CausalGraph {
  std::vector<FeatureId> features;
  std::vector<std::size_t> contexts;  ///< [features] in which it was on
  std::vector<CausalEdge>
      edges;                ///< |K| >= kCausal, source seen kCausalContexts times; by (from, to)
  double left_out = 0;      ///< largest mean of |p − p ablated| over the tokens not looked at
  std::size_t sampled = 0;  ///< contexts looked at, one a run
  /// Shapes of the edges with a positive weight; indices into `features`.
  std::vector<std::size_t> self_loops;
  std::vector<std::pair<std::size_t, std::size_t>> two_cycles;
  std::vector<std::vector<std::size_t>> chains;  ///< along each feature's strongest edge to another
  std::vector<std::vector<std::size_t>> components;
};

inline constexpr double kCausal = 0.05;
inline constexpr std::size_t kCausalContexts = 5;
/// Tokens whose probability is below this with and without the feature are left out.
inline constexpr double kCausalToken = 0.005;

/// The dictionary writes a site that the forward pass can change: hook_resid_mid, mlp.hook_post or
/// hook_mlp_out.
[[nodiscard]] bool can_ablate(const Sae& sae);

/// Looks at one context of each of the automaton's samples, at most `most` of them, cut at a
/// position drawn with `seed`. OBSERVED: a mean over sampled contexts.
/// @pre can_ablate(sae), every feature is one of the dictionary
[[nodiscard]] CausalGraph causal_graph(const FittedAutomaton& automaton, const Transformer& model,
                                       const Sae& sae, std::vector<FeatureId> features,
                                       std::size_t most, std::uint64_t seed);

}  // namespace assay::automata
