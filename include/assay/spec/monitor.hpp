#pragma once

#include <string>

#include "assay/spec/explain.hpp"

namespace assay::spec {

/// A C++17 header without dependencies that watches one property: `step(letter)` after every
/// token, `verdict()` (LTL3), `holds_if_over()` when the run ends. The class is `NAME_monitor` in
/// namespace assay_monitor. `origin` is a comment: the spec's name and digest.
/// Throws UsageError when the table has more than 1,048,576 entries.
[[nodiscard]] std::string monitor_header(const Property& property, const Explanation& explained,
                                         const std::string& origin);

/// "holds", "violated", "inconclusive".
[[nodiscard]] std::string outlook_name(Outlook outlook);

}  // namespace assay::spec
