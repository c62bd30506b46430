#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "assay/automata/closure.hpp"

namespace assay::automata {

/// Runs sampled from the model under the graph's decoder, looked for in the graph.
struct Containment {
  std::size_t runs = 0, steps = 0;
  std::size_t states = 0, edges = 0;  ///< different ones that the runs took
  std::size_t undecided = 0;          ///< missing edges whose token is on the decoder's cut
  /// A token that the model surely emits after this context and that the graph excludes; or a
  /// context that the graph's predecessor sets exclude.
  struct Alarm {
    std::vector<TokenId> context;
    TokenId token;
  };
  std::optional<Alarm> alarm;
};

struct ContainmentOptions {
  std::size_t runs = 200;
  std::size_t max_new = 64;
  std::uint64_t seed = 1;
};

/// Every other run draws by the model's probabilities (temperature 1), every other one each
/// possible token alike. A missing edge is evaluated again with enclosed logits before it is an
/// alarm; the first alarm ends the search. @pre the graph is complete.
[[nodiscard]] Containment contains_samples(const Transformer& model, const Emission& emission,
                                           const ClosedGraph& graph,
                                           const std::vector<PromptEnd>& prompts,
                                           const ContainmentOptions& options);

}  // namespace assay::automata
