#include <algorithm>
#include <optional>

#include "assay/base/text.hpp"
#include "assay/report/erasure_page.hpp"
#include "html.hpp"
#include "numbers.hpp"
#include "parts.hpp"

// The erasure page: what was taken away in plain words, before and after with the certified ceiling, the
// tables, and what is not claimed, in the same size as the rest.
namespace assay::report {
namespace {

constexpr const char* kResidualTable = "erasure-residual";
constexpr std::size_t kResidualColumns = 7;  ///< concept, …, R² before, R² after, noise

/// "digit, fit" and "email (planted …), fit" are about the claims erasure.digit-fit, erasure.email-fit.
const certify::Claim* claim_of(const Page& page, const std::string& label) {
  const std::size_t comma = label.rfind(", ");
  if (comma == std::string::npos) {
    return nullptr;
  }
  const std::string id =
      "erasure." + label.substr(0, label.find_first_of(" ,")) + "-" + label.substr(comma + 2);
  const auto& claims = page.statement.claims;
  const auto found = std::find_if(claims.begin(), claims.end(),
                                  [&id](const certify::Claim& c) { return c.id == id; });
  return found == claims.end() ? nullptr : &*found;
}

std::string percent(double share) {
  return fixed(100.0 * std::clamp(share, 0.0, 1.0), 2) + "%";
}

/// One bar of 0 to 1, with a mark where there is a ceiling.
std::string bar(const std::string& name, const std::string& css, double value,
                std::optional<double> ceiling, const std::string& words) {
  return "<div class=\"row\"><span class=\"what\">" + name +
         "</span><span class=\"track\"><span "
         "class=\"fill " +
         css + "\" style=\"width:" + percent(value) + "\"></span>" +
         (ceiling ? "<span class=\"ceiling\" style=\"left:" + percent(*ceiling) + "\"></span>"
                  : "") +
         "</span><span class=\"says\">" + words + "</span></div>";
}

std::string figure_html(const Page& page, const certify::Table& t) {
  std::string items;
  for (const auto& row : t.rows) {
    if (row.size() != kResidualColumns) {
      return "";
    }
    const auto before = drawing_value(row[4]), after = drawing_value(row[5]);
    if (!before || !after) {
      return "";
    }
    const certify::Claim* const claim = claim_of(page, row[0]);
    const auto ceiling = claim != nullptr ? drawing_value(claim->bound) : std::nullopt;
    items += "<li><p class=\"concept\">" + esc(row[0]) + " <span class=\"note\">" + esc(row[2]) +
             " tokens of " + esc(row[3]) + " documents, " + esc(row[1]) +
             " of them the concept; chance leaves about " + esc(row[6]) + "</span></p>" +
             bar("before", "was", *before, std::nullopt, esc(row[4])) +
             bar("after", "is", *after, ceiling,
                 claim != nullptr && ceiling
                     ? "at most " + esc(short_number(claim->bound, Towards::up)) + ", certified"
                     : esc(row[5])) +
             "</li>\n";
  }
  return items.empty()
             ? ""
             : "<figure class=\"erased\"><ol>\n" + items +
                   "</ol><figcaption>How well the best weighted sum of "
                   "the activations predicts the concept on these rows: 1 is perfectly, "
                   "0 not at all (largest R²). "
                   "The line is the certified ceiling: OBSERVED on these rows alone, exact for "
                   "the deployed bits, re-checked by the independent "
                   "checker.</figcaption></figure>\n";
}

std::string erasure_not_claimed() {
  std::vector<std::string> items;
  for (const std::string& line : erasure_never_claims()) {
    items.push_back(esc(line));
  }
  return "<h3>Not claimed</h3>\n" + list(items);
}

}  // namespace

bool is_erasure_table(const certify::Table& t) {
  return t.id.compare(0, 7, "erasure") == 0;
}

std::string erasure_html(const Page& page) {
  std::string figure, tables;
  for (const certify::Table& t : page.statement.tables) {
    if (is_erasure_table(t)) {
      figure += t.id == kResidualTable ? figure_html(page, t) : "";
      tables += table_html(t);
    }
  }
  return tables.empty()
             ? ""
             : section(
                   "erasure", "Concept erasure",
                   "<p>An eraser is one fixed map, put at one place of the model. It takes away "
                   "what a weighted sum of the activations there could tell of a concept. "
                   "Nothing here says that the model has forgotten the concept.</p>\n" +
                       figure + tables + erasure_not_claimed());
}

}  // namespace assay::report
