#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "assay/certify/exhibits.hpp"

namespace assay::report {

/// The automaton that watches a property, drawn in one row: states in order of distance from the start, unsafe ones last; loops and
/// jumps forward above the row, ways back below it. `path` is the states that a run visits, the first one included; its edges are drawn
/// thick. `bad_word` stands under an unsafe state. Empty when there are no states or too many to read.
[[nodiscard]] std::string watcher_svg(const certify::PropertyExhibit& property,
                                      const std::vector<std::size_t>& path,
                                      const std::string& bad_word);

/// The states a run visits, one more than its steps; empty when a step names none of the property's states.
[[nodiscard]] std::vector<std::size_t> path_of(const certify::PropertyExhibit& property,
                                               const certify::Counterexample& run);

/// A run as a row of cards: token, true atoms, state of the automaton, features. `property` may be null.
[[nodiscard]] std::string walk_html(const certify::Counterexample& run,
                                    const certify::PropertyExhibit* property,
                                    const std::string& bad_word);

}  // namespace assay::report
