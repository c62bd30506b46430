#pragma once

#include <string>

#include "assay/report/render.hpp"

namespace assay::cli {

/// The page printed by a Chromium without a window: ASSAY_CHROMIUM, else the first of chromium, chromium-browser, google-chrome on
/// PATH. Dates inside the file are those of the certificate. Throws UsageError when there is none or it fails.
[[nodiscard]] std::string print_pdf(const std::string& html, const report::ReportInput& input);

}  // namespace assay::cli
