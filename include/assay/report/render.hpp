#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace assay::report {

/// Everything a report may depend on: signed payload, the evidence files it names by digest,
/// and the key ids the envelope carries (hints; the report says so).
struct ReportInput {
  std::string payload;
  std::vector<std::string> key_ids;
  std::filesystem::path evidence_dir;  ///< a missing or altered file is shown as withheld
};

/// One self-contained HTML page: no script, nothing fetched, for screen (light and dark) and for
/// A4 or Letter paper. Same input, same bytes. All text of the payload and of the evidence is
/// taken as hostile and escaped. Throws InputError when the payload is not a valid statement.
[[nodiscard]] std::string render_html(const ReportInput& input);

/// An SVG picture reduced to shapes and text, fit to stand inside the page. Elements, attributes
/// and values outside a fixed list make the whole picture refused: returns "" and says why.
[[nodiscard]] std::string clean_svg(std::string_view svg, std::string& reason);

}  // namespace assay::report
