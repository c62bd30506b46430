#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "assay/base/text.hpp"
#include "html.hpp"
#include "numbers.hpp"
#include "parts.hpp"

// Each claim's quantity, moved so that its own threshold lies at 0: the bar reaches from the
// largest value an attack found (below) to the bound (above); the true worst case lies in it.
namespace assay::report {
namespace {

constexpr double kWidth = 760, kLeft = 190, kRight = 600, kRow = 30, kTop = 34;
constexpr int kMaxLabel = 26;

struct Row {
  const certify::Claim* claim;
  double bound;                  ///< bound - threshold
  std::optional<double> attack;  ///< attack - threshold
};

struct Scale {
  double lo, hi;
  [[nodiscard]] double at(double value) const {
    return kLeft + (value - lo) / (hi - lo) * (kRight - kLeft);
  }
};

std::string at(double v) {
  return fixed(v, 1);
}

std::vector<Row> rows_of(const std::vector<certify::Claim>& claims, const std::string& unit) {
  std::vector<Row> rows;
  for (const certify::Claim& claim : claims) {
    const auto bound = drawing_value(claim.bound);
    const auto threshold = drawing_value(claim.threshold);
    const auto attack = drawing_value(claim.attack);
    if (claim.unit == unit && bound && threshold) {
      rows.push_back({&claim, *bound - *threshold,
                      attack ? std::optional(*attack - *threshold) : std::nullopt});
    }
  }
  return rows;
}

Scale scale_of(const std::vector<Row>& rows) {
  double lo = 0, hi = 0;
  for (const Row& row : rows) {
    lo = std::min({lo, row.bound, row.attack.value_or(row.bound)});
    hi = std::max({hi, row.bound, row.attack.value_or(row.bound)});
  }
  const double span = hi > lo ? hi - lo : 1.0;
  return {lo - 0.06 * span, hi + 0.16 * span};
}

/// A round step with about five ticks.
double tick_step(const Scale& scale) {
  const double raw = (scale.hi - scale.lo) / 5;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double lead = raw / power;
  return power * (lead > 5 ? 10 : lead > 2 ? 5 : lead > 1 ? 2 : 1);
}

std::string text_at(double x, double y, const std::string& anchor, const std::string& css,
                    const std::string& text) {
  return "<text class=\"" + css + "\" x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" +
         anchor + "\">" + text + "</text>\n";
}

std::string axis(const Scale& scale, double bottom) {
  std::string out = "<rect class=\"beyond\" x=\"" + at(scale.at(0)) + "\" y=\"" + at(kTop - 8) +
                    "\" width=\"" + at(kRight - scale.at(0)) + "\" height=\"" +
                    at(bottom - kTop + 8) + "\"/>\n";
  const double step = tick_step(scale);
  for (double i = std::ceil(scale.lo / step); i * step <= scale.hi; ++i) {
    const double x = scale.at(i * step);
    out += "<path class=\"grid\" d=\"M" + at(x) + " " + at(kTop - 8) + "V" + at(bottom) + "\"/>\n" +
           text_at(x, bottom + 15, "middle", "tick",
                   i == 0 ? "0" : (i > 0 ? "+" : "") + short_number(i * step, Towards::nearest));
  }
  return out + "<path class=\"limit\" d=\"M" + at(scale.at(0)) + " " + at(kTop - 14) + "V" +
         at(bottom) + "\"/>\n" +
         text_at(scale.at(0), kTop - 19, "middle", "limit-label", "threshold");
}

std::string short_id(const std::string& id) {
  return id.size() <= kMaxLabel ? esc(id) : esc(id.substr(0, kMaxLabel - 1)) + "…";
}

std::string row_svg(const Row& row, const Scale& scale, double y) {
  const double x = scale.at(row.bound);
  std::string out = text_at(kLeft - 12, y + 4, "end", "label", short_id(row.claim->id));
  if (row.attack) {
    const double a = scale.at(*row.attack);
    out += "<path class=\"bar\" d=\"M" + at(a) + " " + at(y) + "H" + at(x) + "\"/>\n";
    out += "<path class=\"attack\" d=\"M" + at(a) + " " + at(y - 7) + "v14\"/>\n";
  }
  out += level_shape(row.claim->level, x, y, 5);
  return out + text_at(kRight + 12, y + 4, "start", "value", bound_text(*row.claim));
}

std::string panel(const std::vector<Row>& rows, const std::string& unit, std::size_t number) {
  const Scale scale = scale_of(rows);
  const double bottom = kTop + kRow * static_cast<double>(rows.size());
  const std::string id = "plot" + std::to_string(number);
  std::string shapes = axis(scale, bottom);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    shapes += row_svg(rows[i], scale, kTop + kRow * (static_cast<double>(i) + 0.5));
  }
  return "<svg class=\"forest\" viewBox=\"0 0 " + at(kWidth) + " " + at(bottom + 40) +
         "\" role=\"img\" aria-labelledby=\"" + id + "t " + id + "d\"><title id=\"" + id +
         "t\">Bounds against thresholds, " + esc(unit) + "</title><desc id=\"" + id +
         "d\">One row a claim; the figures stand in the claim table above.</desc>\n" + shapes +
         text_at((kLeft + kRight) / 2, bottom + 33, "middle", "tick",
                 "distance from the threshold" + (unit.empty() ? "" : ", " + esc(unit))) +
         "</svg>\n";
}

std::string legend(const std::vector<certify::Claim>& claims) {
  std::string out;
  for (const certify::Level level :
       {certify::Level::proved, certify::Level::statistical, certify::Level::observed}) {
    if (std::any_of(claims.begin(), claims.end(), [&](const certify::Claim& c) {
          return c.level == level && drawing_value(c.bound) && drawing_value(c.threshold);
        })) {
      out += "<span class=\"key\"><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\">" +
             level_shape(level, 7, 7, 4.6) + "</svg>bound, " + certify::level_name(level) +
             "</span> ";
    }
  }
  return out +
         "<span class=\"key\"><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\"><path "
         "class=\"attack\" "
         "d=\"M7 1v12\"/></svg>largest value an attack found</span> <span class=\"key\"><svg "
         "viewBox=\"0 0 14 14\" aria-hidden=\"true\"><rect class=\"beyond\" width=\"14\" "
         "height=\"14\"/></svg>beyond the threshold</span>";
}

}  // namespace

std::string forest_plot(const std::vector<certify::Claim>& claims) {
  std::vector<std::pair<std::string, std::vector<Row>>> panels;  // one a unit
  for (const certify::Claim& claim : claims) {
    if (std::none_of(panels.begin(), panels.end(),
                     [&](const auto& panel) { return panel.first == claim.unit; })) {
      if (std::vector<Row> rows = rows_of(claims, claim.unit); !rows.empty()) {
        panels.emplace_back(claim.unit, std::move(rows));
      }
    }
  }
  if (panels.empty()) {
    return "";
  }
  std::stable_sort(panels.begin(), panels.end(), [](const auto& a, const auto& b) {
    return a.second.front().claim->level > b.second.front().claim->level;  // strongest first
  });
  std::string out;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    out += panel(panels[i].second, panels[i].first, i + 1);
  }
  return "<figure>\n" + out +
         "<figcaption>How far each bound stays from its threshold. The true worst case lies on the "
         "bar, between what an attack found and the bound; a claim is met when the bound stays "
         "left "
         "of the line. <span class=\"keys\">" +
         legend(claims) + "</span></figcaption></figure>\n";
}

}  // namespace assay::report
