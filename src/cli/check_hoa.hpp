#pragma once

#include <string>
#include <vector>

#include "session.hpp"

namespace assay::cli {

/// A file named *.hoa.
[[nodiscard]] bool is_hoa(const std::string& file);

/// `assay check --automaton FILE.hoa`: decides the properties on a machine that the user gives.
void check_hoa(const std::string& machine, const std::string& spec,
               const std::vector<std::string>& properties, Session& session);

}  // namespace assay::cli
