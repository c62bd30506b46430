#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay::report {

/// The letters of a text that anybody may have written. Bytes that are no UTF-8, and letters that hide or turn what stands
/// around them (zero-width and directional marks, line and paragraph separators), become U+FFFD; controls stay for the format to escape.
[[nodiscard]] std::vector<char32_t> letters(std::string_view text);
[[nodiscard]] std::string utf8(char32_t letter);
/// `letters` again as UTF-8, controls as their pictures (U+2400…).
[[nodiscard]] std::string clean(std::string_view text);

/// One line of Markdown that shows the text and nothing else; cut after 2,000 letters.
[[nodiscard]] std::string markdown(std::string_view text);
/// Text or attribute of XML 1.0.
[[nodiscard]] std::string xml(std::string_view text);
/// Message, or property, of a GitHub workflow command.
[[nodiscard]] std::string workflow_message(std::string_view text);
[[nodiscard]] std::string workflow_property(std::string_view text);
/// A path as a relative URI reference.
[[nodiscard]] std::string uri_path(std::string_view path);

}  // namespace assay::report
