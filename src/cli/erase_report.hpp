#pragma once

#include <CLI/CLI.hpp>

#include "session.hpp"

namespace assay::cli {

void add_erase_report(CLI::App& erase, Session& session);  // erase report

}  // namespace assay::cli
