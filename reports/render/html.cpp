#include "html.hpp"

#include <array>
#include <utility>

#include "assay/base/text.hpp"

namespace assay::report {
namespace {

constexpr std::size_t kShortTable = 12;  // rows that stay on one sheet of paper

/// Punctuation of ordinary prose that `visible` would show by its bytes.
bool prose_mark(std::string_view s) {
  static constexpr std::array<std::string_view, 7> kMarks = {
      "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x98", "\xe2\x80\x99",
      "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\xa6"};
  for (const std::string_view mark : kMarks) {
    if (s.substr(0, 3) == mark) {
      return true;
    }
  }
  return false;
}

/// Direction and zero-width marks outside the block that `visible` covers.
std::string hidden_mark(std::string_view s) {
  if (s.substr(0, 2) == "\xd8\x9c") {
    return "\\xd8\\x9c";
  }
  return s.substr(0, 3) == "\xef\xbb\xbf" ? "\\xef\\xbb\\xbf" : "";
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out;
  std::size_t begin = 0;
  const auto flush = [&](std::size_t end) {
    out += visible(text.substr(begin, end - begin));
    begin = end;
  };
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    const std::string mark = hidden_mark(rest);
    if (rest.front() == '\\') {
      flush(i);
      out += '\\';
      begin = ++i;
    } else if (prose_mark(rest)) {
      flush(i);
      out += rest.substr(0, 3);
      begin = i += 3;
    } else if (!mark.empty()) {
      flush(i);
      out += mark;
      begin = i += mark.size() / 4;
    } else {
      ++i;
    }
  }
  flush(text.size());
  return out;
}

std::string esc(std::string_view text) {
  std::string out;
  for (const char c : harmless(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string token(std::string_view text) {
  if (!text.empty() && text.find_first_not_of(' ') == std::string_view::npos) {
    std::string shown;
    for (std::size_t i = 0; i < text.size(); ++i) {
      shown += "\xe2\x90\xa3";  // a blank one can see
    }
    return "<bdi class=\"tok\">" + shown + "</bdi>";
  }
  return "<bdi class=\"tok\">" + esc(text) + "</bdi>";
}

std::string element(const std::string& tag, const std::string& content,
                    const std::string& attributes) {
  std::string out = "<";
  out += tag;
  if (!attributes.empty()) {
    out += " " + attributes;
  }
  return out + ">" + content + "</" + tag + ">\n";
}

std::string chapter_number(const std::string& id) {
  static constexpr std::array<std::pair<std::string_view, const char*>, 19> kNumbers = {
      {{"subject", "1"},
       {"scope", "2"},
       {"claims", "3"},
       {"erasure", "3.1"},
       {"argument", "4"},
       {"assumptions", "5"},
       {"failures", "6"},
       {"not-claimed", "7"},
       {"changes", "8"},
       {"method", "9"},
       {"verify", "10"},
       {"mapping", "11"},
       {"signatures", "12"},
       {"details", "A"},
       {"verdicts", "B"},
       {"automaton", "C"},
       {"dictionary", "D"},
       {"specifications", "E"},
       {"annex", "F"}}};
  for (const auto& [name, number] : kNumbers) {
    if (name == id) {
      return number;
    }
  }
  return "";
}

std::string section(const std::string& id, const std::string& heading, const std::string& content) {
  const std::string number = chapter_number(id);
  return "<section id=\"" + id + "\" aria-labelledby=\"" + id + "-h\">\n<h2 id=\"" + id + "-h\">" +
         (number.empty() ? "" : "<span class=\"num\">" + number + "</span> ") + heading +
         "</h2>\n" + content + "</section>\n";
}

std::string table(const std::string& caption, const std::vector<std::string>& columns,
                  const std::vector<std::vector<std::string>>& rows, const std::string& css_class) {
  std::string head;
  for (const std::string& column : columns) {
    head += "<th scope=\"col\">" + column + "</th>";
  }
  std::string body;
  for (const std::vector<std::string>& row : rows) {
    body += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      body += i == 0 ? "<th scope=\"row\">" + row[i] + "</th>" : "<td>" + row[i] + "</td>";
    }
    body += "</tr>\n";
  }
  const std::string box = rows.size() <= kShortTable ? "scroll short" : "scroll";
  return "<div class=\"" + box + "\" tabindex=\"0\" role=\"region\" aria-label=\"" + caption +
         "\"><table class=\"" + css_class + "\"><caption>" + caption + "</caption>\n<thead><tr>" +
         head + "</tr></thead>\n<tbody>\n" + body + "</tbody></table></div>\n";
}

std::string list(const std::vector<std::string>& items) {
  std::string out = "<ul>\n";
  for (const std::string& item : items) {
    out += "<li>" + item + "</li>\n";
  }
  return out + "</ul>\n";
}

std::string digest_html(const Digest& digest, bool short_form) {
  const std::string hex = digest.hex();
  std::string out = "<code class=\"hex\">";
  for (std::size_t i = 0; i < (short_form ? 16U : hex.size()); i += 8) {
    out += (i == 0 ? "" : "<wbr> ") + hex.substr(i, 8);
  }
  return out + (short_form ? " …" : "") + "</code>";
}

std::string level_shape(certify::Level level, double x, double y, double radius) {
  const auto at = [](double v) { return fixed(v, 1); };
  const double r = radius;
  switch (level) {
    case certify::Level::proved:
      return "<rect class=\"mk solid\" x=\"" + at(x - r) + "\" y=\"" + at(y - r) + "\" width=\"" +
             at(2 * r) + "\" height=\"" + at(2 * r) + "\"/>";
    case certify::Level::statistical:
      return "<path class=\"mk solid\" d=\"M" + at(x) + " " + at(y - r) + "L" + at(x + r) + " " +
             at(y + r) + "H" + at(x - r) + "Z\"/>";
    case certify::Level::observed:
      return "<circle class=\"mk open\" cx=\"" + at(x) + "\" cy=\"" + at(y) + "\" r=\"" + at(r) +
             "\"/>";
    case certify::Level::assumed:
      break;
  }
  return "<path class=\"mk open dash\" d=\"M" + at(x) + " " + at(y - r) + "L" + at(x + r) + " " +
         at(y) + "L" + at(x) + " " + at(y + r) + "L" + at(x - r) + " " + at(y) + "Z\"/>";
}

std::string claim_link(std::size_t number) {
  const std::string digits = std::to_string(number);
  return "<a href=\"#claim-" + digits + "\">C" + digits + "</a>";
}

std::string level_badge(certify::Level level) {
  const std::string word = certify::level_name(level);
  return "<span class=\"lv\"><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\">" +
         level_shape(level, 7, 7, 4.6) + "</svg><b>" + word.substr(0, 1) + "</b> " + word +
         "</span>";
}

std::string status_badge(certify::Status status) {
  static constexpr std::array<const char*, 3> kDrawings = {
      "<path d=\"M3 7.5 6 10.5 11.5 4\"/>", "<path d=\"M3.5 3.5l7 7M10.5 3.5l-7 7\"/>",
      "<path d=\"M4.6 5.2a2.4 2.4 0 1 1 3.5 2.1c-.8.4-1.1.8-1.1 1.6M7 11.3v.4\"/>"};
  static constexpr std::array<const char*, 3> kClasses = {"st holds", "st violated", "st unknown"};
  const auto i = static_cast<std::size_t>(status);
  return std::string("<span class=\"") + kClasses[i] +
         "\"><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\">" + kDrawings[i] + "</svg>" +
         certify::status_name(status) + "</span>";
}

}  // namespace assay::report
