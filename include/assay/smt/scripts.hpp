#pragma once

#include <string>
#include <utility>
#include <vector>

#include "assay/smt/invariant.hpp"

namespace assay::smt {

/// Name and SMT-LIB2 text.
using Script = std::pair<std::string, std::string>;

/// Asks Z3, in a child process, whether every script is unsatisfiable; a fresh context each. `detail` names the first that is
/// not known to be.
[[nodiscard]] SecondOpinion check_scripts_apart(const std::vector<Script>& scripts,
                                                const Limits& limits = {});

}  // namespace assay::smt
