#pragma once

#include "session.hpp"

namespace assay::cli {

void add_spec_explain(CLI::App& spec, Session& session);  // spec explain

}  // namespace assay::cli
