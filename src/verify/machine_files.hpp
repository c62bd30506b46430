#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "assay/automata/hoa.hpp"
#include "assay/spec/spec.hpp"

namespace assay::verify {

/// One property `all φ` or `some φ` beside its machine, for other people's checkers: FOLDER/P.hoa, P.dot, P.smv and, where
/// a bad prefix decides it, P.aig; `some φ` is written as `all !φ`, whose verdict is the opposite one. The names of the files
/// that were written, and after them sentences about those that were not.
/// @pre every run of the machine is accepted, and from every state one goes on.
[[nodiscard]] std::vector<std::string> write_machine(const std::filesystem::path& folder,
                                                     const spec::Spec& spec,
                                                     const spec::Property& property,
                                                     const automata::Hoa& machine);

}  // namespace assay::verify
