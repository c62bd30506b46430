#pragma once

#include "assay/verify/exact.hpp"
#include "exact_machine.hpp"

namespace assay::verify {

/// Asks the solver whether the invariant is one, from tables of its own, `limits.chunk` pairs at a time; writes what it says
/// into the result, and the obligations as SMT-LIB2 where the input wants them. Never changes the verdict.
void ask_solver(const ExactInput& input, const WindowMachine& machine, const ExactHolds& holds,
                ExactProperty& result);

/// A property that still holds when an ap is replaced by the constant that hurts it most says nothing about that ap;
/// one whose assumption no run satisfies says nothing at all.
[[nodiscard]] std::vector<std::string> find_vacuity(const ExactInput& input, WindowMachine& machine,
                                                    const spec::Property& property);
/// The same of endless runs: ranks are there for the stronger property too.
[[nodiscard]] std::vector<std::string> find_endless_vacuity(const ExactInput& input,
                                                            WindowMachine& machine,
                                                            const spec::Property& property);

}  // namespace assay::verify
