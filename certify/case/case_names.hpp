#pragma once

#include <string>

#include "assay/certify/case.hpp"

namespace assay::certify {

/// Names that one part of the case uses and another declares, and names that must differ; `where` is the case file.
/// Throws InputError.
void need_names(const CaseFile& c, const std::string& where);

}  // namespace assay::certify
