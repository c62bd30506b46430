#pragma once

#include <string>
#include <vector>

#include "session.hpp"

namespace assay::cli {

/// A file named *.hoa.
[[nodiscard]] bool is_hoa(const std::string& file);

/// `assay check --automaton FILE.hoa`: decides the properties on a machine that the user gives; of those
/// about levels that hold a certificate is written where a path is given, and the obligations into the folder `smt`.
void check_hoa(const std::string& machine, const std::string& spec,
               const std::vector<std::string>& properties, const std::string& certificate,
               const std::string& smt, Session& session);

}  // namespace assay::cli
