#pragma once

#include <CLI/CLI.hpp>

#include "session.hpp"

namespace assay::cli {

void add_erase_worst(CLI::App& erase, Session& session);  // erase worst

}  // namespace assay::cli
