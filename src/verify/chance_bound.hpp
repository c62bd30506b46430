#pragma once

#include "assay/automata/emission.hpp"
#include "assay/automata/interval_chain.hpp"
#include "assay/bounds/lemma.hpp"

namespace assay::verify {

/// MOST   l_T - Σ ω_i l_{y_i} <= U in every context of a box, r rivals, H = -Σ ω_i ln ω_i, τ the temperature
///        |-  p(T) = 0 where greedy or min-p cut it off (U < cut), else
///            p(T) <= (1 + r e^{cut/τ}) / (1 + e^{H - U/τ})      plain, top-k K with r < K: 1 in place of the first factor
/// For Σ e^{l_y/τ} over the rivals is at least e^{H + Σ ω l_y/τ} (Gibbs), and what min-p drops of them is, term by term,
/// below e^{cut/τ} times the largest term, which is kept. kGridOne where nothing follows.
[[nodiscard]] automata::Grid most_after(const automata::Emission& emission,
                                        const bounds::Quantity& quantity, double U);

/// A decoder of which MOST speaks.
[[nodiscard]] bool has_most(const automata::Emission& emission);

}  // namespace assay::verify
