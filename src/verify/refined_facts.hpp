#pragma once

#include "assay/verify/refined.hpp"

namespace assay::verify {

/// The lemmas' boxes hold the fact's box, and their bounds are strictly below what the decoder asks for:
///   OUT   l_t - sum omega_i l_{y_i} <= U < cut   |-   t is not emitted (the sum is at most max l);  top-k: K rivals, each U < 0
[[nodiscard]] bool shows_out(const automata::Emission& emission, const OutFact& fact);
/// ATOM: the atom is decided by its band at every value that the bound leaves.
[[nodiscard]] bool shows_atom(const CheckInput& input, const AtomFact& fact);
/// The atom's truth when σ·(pre-activation or readout) <= hi is all that is known; nullopt: open.
[[nodiscard]] std::optional<bool> truth_below(const CheckInput& input, std::size_t atom,
                                              bool is_lower, double hi);
/// What a lemma about the atom bounds.
[[nodiscard]] bounds::Quantity quantity_of(const CheckInput& input, std::size_t atom);
/// Of that quantity: above it (pre-activation or value) the comparison changes.
[[nodiscard]] double threshold_of(const CheckInput& input, std::size_t atom);

}  // namespace assay::verify
