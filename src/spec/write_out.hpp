#pragma once

#include <string>

#include "assay/spec/spec.hpp"

namespace assay::spec {

/// Writes claims that use a word of the wider language out in its core, brackets everywhere,
/// and drops the lets that use one. The independent checker reads the core alone. Doing it twice is
/// doing it once. Throws UsageError "FILE:LINE:COL: …" when what is written out is too deep to read.
void write_out(Spec& spec, const std::string& file);

}  // namespace assay::spec
