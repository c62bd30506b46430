#pragma once

#include <CLI/CLI.hpp>

#include "assay/certify/verify.hpp"

namespace assay::cli {

/// CERT, --model and whatever else `verify` and `gate` share. @pre `options` outlives the parsing.
void add_verify_options(CLI::App& sub, certify::VerifyOptions& options);

}  // namespace assay::cli
