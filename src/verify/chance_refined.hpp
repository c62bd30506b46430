#pragma once

#include "assay/verify/refined.hpp"
#include "atoms.hpp"
#include "chance_event.hpp"

namespace assay::verify {

/// Decides Pmax <= p [φ] and Pmin >= p [φ] (< and > alike) within a horizon, for every prompt of the statement and every
/// choice of nature (CHANCE-BOXES). Fills verdict, chance and counts of `result`. Throws Error(internal), a soundness
/// alarm, when sampled runs contradict the bound.
void decide_refined_chance(const RefinedInput& input, const spec::Property& property,
                           const Atoms& atoms, bounds::LemmaBounder& bounder,
                           RefinedProperty& result);

}  // namespace assay::verify
