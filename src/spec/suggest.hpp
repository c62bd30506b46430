#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay::spec {

/// "did you mean 'word'?" for the candidate with the fewest letters inserted, deleted, replaced or
/// swapped (at most two, and fewer than the word has); empty when none is near.
[[nodiscard]] std::string nearest_name(const std::string& word,
                                       const std::vector<std::string>& candidates);

/// The fix for a habit from another language: `&&`, `=>`, `[0..3]`, `not`, … `before` and
/// `rest` are the text of the line before and from the place of the error. Empty when none fits.
[[nodiscard]] std::string habit_fix(std::string_view before, std::string_view rest);

/// The line with a caret under `column` (1-based), as two indented lines, cut to 100 bytes round it.
[[nodiscard]] std::string caret_lines(std::string_view line, std::size_t column);

}  // namespace assay::spec
