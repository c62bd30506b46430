#pragma once

#include <functional>
#include <string>

#include "assay/automata/atoms.hpp"
#include "assay/automata/closure.hpp"

namespace assay::automata {

/// One line a state, in the order of its numbers: "3 17 4: 5 9? 12", the state's token ids oldest first,
/// then its edges' tokens, open ones with a question mark; the first line counts the states.
[[nodiscard]] std::string edges_text(const ClosedGraph& graph);

/// Reads it back, `edges_text(graph)` of a graph with these codes and tokens. Throws InputError "FILE:LINE: expected …".
[[nodiscard]] ClosurePart parse_edges(const std::string& text, const std::string& file,
                                      const WindowCodes& codes, std::size_t vocabulary);

/// HOA v1 for a closed graph: every run is accepted, an edge's label says what is known of the aps at its token, and an
/// ap that is not decided there is left free. Names of states are their tokens.
/// @param letters one a token, bit i of aps[i]. @pre the graph is complete.
[[nodiscard]] std::string closure_hoa(const ClosedGraph& graph, const std::vector<std::string>& aps,
                                      const std::vector<Letter>& letters,
                                      const std::function<std::string(TokenId)>& name);

/// For Graphviz: the states met first, breadth first from the first prompt, open edges dashed. Edges to
/// states beyond the limit are left out, and their number stands at the state.
[[nodiscard]] std::string closure_dot(const ClosedGraph& graph, std::size_t limit,
                                      const std::function<std::string(TokenId)>& name);

}  // namespace assay::automata
