#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/verify/refined.hpp"

namespace assay::verify {

/// Every view of a window of w tokens.
[[nodiscard]] ViewBox every_view(std::size_t vocabulary, std::size_t window);
/// No view at all: no length, or a position that every view has and that has no token.
[[nodiscard]] bool is_empty(const ViewBox& box);
[[nodiscard]] bool contains(const ViewBox& outer, const ViewBox& inner);
[[nodiscard]] bool meets(const ViewBox& a, const ViewBox& b);
/// The context's view lies in the box. @pre no longer than the window
[[nodiscard]] bool holds(const ViewBox& box, const std::vector<TokenId>& context);
/// The views of `box` that are not in `taken`, as disjoint boxes.
[[nodiscard]] std::vector<ViewBox> without(const ViewBox& box, const ViewBox& taken);
[[nodiscard]] ViewBox both(const ViewBox& a, const ViewBox& b);
/// A box that holds both.
[[nodiscard]] ViewBox hull(const ViewBox& a, const ViewBox& b);

/// R-(t): the views u with the view of u·t in the box; nullopt when there is none.
[[nodiscard]] std::optional<ViewBox> predecessor(const ViewBox& box, std::uint32_t token);
/// The views of u·t for u in the box and t in the set.
[[nodiscard]] ViewBox successor(const ViewBox& box, const TokenBits& tokens);

/// The part of the box that no box of the list holds, as disjoint boxes. `work` counts down; nullopt when it is used up.
[[nodiscard]] std::optional<std::vector<ViewBox>> uncovered(const ViewBox& box,
                                                            const std::vector<const ViewBox*>& list,
                                                            std::size_t& work);

/// The prompts' views. @pre the window is that of the model
[[nodiscard]] std::vector<ViewBox> prompt_boxes(const PromptSet& prompts, std::size_t vocabulary,
                                                std::size_t window);

/// BOX of docs/certificate-format.md: `lengths A B|any sets K SET … rest *`.
[[nodiscard]] std::string box_text(const ViewBox& box);
[[nodiscard]] bounds::Domain domain_of(const ViewBox& box);
[[nodiscard]] ViewBox box_of(const bounds::Domain& domain, std::size_t vocabulary,
                             std::size_t window);

}  // namespace assay::verify
