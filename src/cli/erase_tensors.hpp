#pragma once

#include "session.hpp"

namespace assay::cli {

/// erase fit | apply | certify: on activations and labels given as tensors.
void add_erase_tensors(CLI::App& erase, Session& session);

}  // namespace assay::cli
