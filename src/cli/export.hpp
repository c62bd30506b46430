#pragma once

#include "session.hpp"

namespace assay::cli {

void add_export(CLI::App& app, Session& session);  // export

}  // namespace assay::cli
