#pragma once

#include <functional>
#include <string>

#include "assay/automata/closure.hpp"

namespace assay::automata {

/// One line a state, in the order of its numbers: "3 17 4: 5 9? 12", the state's token ids oldest first,
/// then its edges' tokens, open ones with a question mark; the first line counts the states.
[[nodiscard]] std::string edges_text(const ClosedGraph& graph);

/// For Graphviz: the states met first, breadth first from the first prompt, open edges dashed. Edges to
/// states beyond the limit are left out, and their number stands at the state.
[[nodiscard]] std::string closure_dot(const ClosedGraph& graph, std::size_t limit,
                                      const std::function<std::string(TokenId)>& name);

}  // namespace assay::automata
