#pragma once

#include <string>
#include <vector>

#include "session.hpp"

namespace assay::cli {

/// A file named *.hoa.
[[nodiscard]] bool is_hoa(const std::string& file);

/// Where files are written, "" for nowhere: obligations about levels; machines beside their properties.
struct HoaFolders {
  std::string smt, machines;
};

/// `assay check --automaton FILE.hoa`: decides the properties on a machine that the user gives; of those
/// about levels that hold a certificate is written where a path is given.
void check_hoa(const std::string& machine, const std::string& spec,
               const std::vector<std::string>& properties, const std::string& certificate,
               const HoaFolders& folders, Session& session);

}  // namespace assay::cli
