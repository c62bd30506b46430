#pragma once

#include "session.hpp"

namespace assay::cli {

/// erase feature: features of a dictionary, projected out, ablated or clamped.
void add_erase_feature(CLI::App& erase, Session& session);

}  // namespace assay::cli
