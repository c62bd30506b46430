#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/certify/claim.hpp"

namespace assay::report {

/// `visible`, but a backslash stays as it is: evidence files carry text made visible before.
[[nodiscard]] std::string harmless(std::string_view text);
/// Text for an element or a quoted attribute: markup characters escaped, control characters,
/// invalid UTF-8 and direction marks shown by their bytes.
[[nodiscard]] std::string esc(std::string_view text);
/// A token or other text that may run in any direction, set apart from its surroundings.
[[nodiscard]] std::string token(std::string_view text);
[[nodiscard]] std::string element(const std::string& tag, const std::string& content,
                                  const std::string& attributes = "");
/// The number of a chapter in the fixed order of the report, "3.1"; "" for an id that has none.
[[nodiscard]] std::string chapter_number(const std::string& id);
/// `content` is HTML already.
[[nodiscard]] std::string section(const std::string& id, const std::string& heading,
                                  const std::string& content);
/// Header cells and rows are HTML already; the first column heads its row.
[[nodiscard]] std::string table(const std::string& caption, const std::vector<std::string>& columns,
                                const std::vector<std::vector<std::string>>& rows,
                                const std::string& css_class = "");
[[nodiscard]] std::string list(const std::vector<std::string>& items);  ///< items are HTML
/// 64 hex digits in groups of eight; `short_form` shows the first two groups.
[[nodiscard]] std::string digest_html(const Digest& digest, bool short_form = false);

/// "C1", a link to the first claim's article; `number` counts from 1.
[[nodiscard]] std::string claim_link(std::size_t number);

/// Word, letter and shape; never colour alone.
[[nodiscard]] std::string level_badge(certify::Level level);
[[nodiscard]] std::string status_badge(certify::Status status);
/// The shape alone, centred at (x, y), for use inside a drawing.
[[nodiscard]] std::string level_shape(certify::Level level, double x, double y, double radius);

}  // namespace assay::report
