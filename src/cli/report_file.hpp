#pragma once

#include <filesystem>
#include <string>

#include "assay/report/render.hpp"

namespace assay::cli {

/// What a report of this certificate is made from; `evidence` empty: evidence/ beside it.
[[nodiscard]] report::ReportInput report_input(const std::filesystem::path& certificate,
                                               const std::filesystem::path& evidence);

/// The bytes of a report file by its suffix: .html (or .htm), .md, .json. Throws UsageError on another.
[[nodiscard]] std::string report_bytes(const report::ReportInput& input,
                                       const std::filesystem::path& file);

}  // namespace assay::cli
