#pragma once

#include "chance_event.hpp"
#include "exact_machine.hpp"

namespace assay::verify {

/// CHANCE: decides Pmax <= p [φ] and Pmin >= p [φ] (< and > alike) on the interval chain over pairs of
/// a window and a state of φ's event. The claim holds when the bound over every prompt and every
/// choice of nature shows it, and is violated when one prompt's opposite bound does.
/// Fills verdict, chance and the counts of `result`; true when a budget was used up.
[[nodiscard]] bool decide_chance(const ExactInput& input, WindowMachine& machine,
                                 const spec::Property& property, ExactProperty& result);

}  // namespace assay::verify
