#include <algorithm>

#include "assay/base/text.hpp"
#include "families.hpp"
#include "html.hpp"
#include "parts.hpp"

// The argument in the shapes of the Goal Structuring Notation: goals (boxes), a strategy (slanted), contexts (rounded), assumptions
// (ovals marked A), solutions (circles), and a diamond under what is not developed to its end. The list below says the same.
namespace assay::report {
namespace {

using certify::Claim;
using certify::Status;

constexpr double kWidth = 760, kBoxWidth = 136, kBoxGap = 14, kBoxHeight = 76, kRowHeight = 178;
constexpr double kFirstRow = 202;
constexpr std::size_t kPerRow = 5;
constexpr double kLineHeight = 14;
constexpr std::size_t kBoxLetters = 22;  ///< of a line that fits a family's box

std::string at(double v) {
  return fixed(v, 1);
}

/// Lines of at most `letters`, broken at blanks; what does not fit `most` lines ends in "…".
std::vector<std::string> wrapped(const std::string& text, std::size_t letters, std::size_t most) {
  std::vector<std::string> lines;
  for (const std::string& word : split(text, ' ')) {
    if (lines.empty() || lines.back().size() + 1 + word.size() > letters) {
      if (lines.size() == most) {
        lines.back() += " \xe2\x80\xa6";
        return lines;
      }
      lines.push_back(word);
    } else {
      lines.back() += " " + word;
    }
  }
  return lines;
}

/// Centred lines about (x, y); the first one bold.
std::string words_at(double x, double y, const std::vector<std::string>& lines) {
  std::string out;
  double line = y - kLineHeight * (static_cast<double>(lines.size()) - 1) / 2 + 4;
  for (std::size_t i = 0; i < lines.size(); ++i, line += kLineHeight) {
    out += "<text x=\"" + at(x) + "\" y=\"" + at(line) + "\"" +
           (i == 0 ? " class=\"head\">" : ">") + esc(lines[i]) + "</text>";
  }
  return out;
}

std::string arrow(double x1, double y1, double x2, double y2, bool hollow = false) {
  return "<path class=\"" + std::string(hollow ? "in" : "by") + "\" d=\"M" + at(x1) + " " + at(y1) +
         "L" + at(x2) + " " + at(y2) + "\" marker-end=\"url(#" + (hollow ? "open" : "full") +
         "-tip)\"/>";
}

std::string top_of(const Page& page, std::size_t families) {
  const double middle = kWidth / 2;
  const std::size_t assumed = page.statement.assumptions.size();
  std::string out = "<rect class=\"goal\" x=\"230\" y=\"10\" width=\"300\" height=\"58\"/>" +
                    words_at(middle, 39,
                             {"G1", "Each claim is at the level stated,",
                              "for exactly the listed files and domains"});
  out += "<rect class=\"context\" x=\"590\" y=\"14\" width=\"160\" height=\"50\" rx=\"25\"/>" +
         words_at(670, 39,
                  {"C1",
                   "files of \xc2\xa7"
                   "1, scope of \xc2\xa7"
                   "2"}) +
         arrow(530, 39, 588, 39, true);
  out += "<ellipse class=\"context\" cx=\"90\" cy=\"39\" rx=\"80\" ry=\"26\"/>" +
         words_at(90, 39,
                  {"A", std::to_string(assumed) + " assumption" + (assumed == 1 ? "" : "s") +
                            " (\xc2\xa7"
                            "5)"}) +
         arrow(230, 39, 172, 39, true);
  out += arrow(middle, 68, middle, 96);
  out += "<path class=\"goal\" d=\"M232 98H548L528 148H212Z\"/>" +
         words_at(middle, 123,
                  {"S1",
                   "by " + std::to_string(families) + " kind" + (families == 1 ? "" : "s") +
                       " of evidence; a claim is as",
                   "strong as its weakest link"});
  return out;
}

std::string family_box(const Family& f, std::size_t number, double x, double y) {
  const double middle = x + kBoxWidth / 2;
  std::vector<std::string> lines = wrapped(f.name, kBoxLetters, 2);
  lines.insert(lines.begin(), "G" + std::to_string(number + 2));
  const std::string css = f.violated > 0 ? " violated" : f.unknown > 0 ? " unknown" : "";
  std::string out = "<rect class=\"goal" + css + "\" x=\"" + at(x) + "\" y=\"" + at(y) +
                    "\" width=\"" + at(kBoxWidth) + "\" height=\"" + at(kBoxHeight) + "\"/>" +
                    words_at(middle, y + kBoxHeight / 2 - 8, lines) + "<text class=\"count\" x=\"" +
                    at(middle) + "\" y=\"" + at(y + kBoxHeight - 8) + "\">\xe2\x9c\x93 " +
                    std::to_string(f.holds) +
                    (f.violated > 0 ? "  \xe2\x9c\x97 " + std::to_string(f.violated) : "") +
                    (f.unknown > 0 ? "  ? " + std::to_string(f.unknown) : "") + "</text>";
  const double low = y + kBoxHeight, circle = low + 62;
  const bool open = f.unknown > 0;
  const double left = open ? middle - 26 : middle;
  out += arrow(left, low, left, circle - 33) + "<circle class=\"goal\" cx=\"" + at(left) +
         "\" cy=\"" + at(circle) + "\" r=\"31\"/>" +
         words_at(left, circle,
                  {"E" + std::to_string(number + 1),
                   f.proofs > 0 ? std::to_string(f.proofs) + " proofs" : "records"});
  if (open) {
    const double d = middle + 38;
    out += "<path class=\"by\" d=\"M" + at(d) + " " + at(low) + "V" + at(low + 10) +
           "\"/><path class=\"goal unknown\" d=\"M" + at(d) + " " + at(low + 10) +
           "l14 14l-14 14l-14 -14Z\"/>";
  }
  return out;
}

std::string figure(const Page& page, const std::vector<Family>& families) {
  const std::size_t rows = (families.size() + kPerRow - 1) / kPerRow;
  const double height = kFirstRow + kRowHeight * static_cast<double>(rows);
  std::string boxes;
  for (std::size_t i = 0; i < families.size(); ++i) {
    const std::size_t row = i / kPerRow;
    const std::size_t in_row = std::min(kPerRow, families.size() - row * kPerRow);
    const double span = static_cast<double>(in_row) * (kBoxWidth + kBoxGap) - kBoxGap;
    const double x = (kWidth - span) / 2 + static_cast<double>(i % kPerRow) * (kBoxWidth + kBoxGap);
    const double y = kFirstRow + kRowHeight * static_cast<double>(row);
    boxes += arrow(kWidth / 2, 148, x + kBoxWidth / 2, y - 2) + family_box(families[i], i, x, y);
  }
  return "<figure><div class=\"sheet\" tabindex=\"0\" role=\"region\" aria-label=\"The argument, "
         "drawn\"><svg class=\"gsn\" viewBox=\"0 0 " +
         at(kWidth) + " " + at(height) +
         "\" role=\"img\" aria-labelledby=\"gsn-t gsn-d\"><title id=\"gsn-t\">The "
         "argument</title><desc "
         "id=\"gsn-d\">The goal G1, split by kinds of evidence into goals, each with its evidence; "
         "the list "
         "below says the same in words.</desc><defs><marker id=\"full-tip\" viewBox=\"0 0 8 8\" "
         "refX=\"7\" refY=\"4\" "
         "markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path class=\"tip\" d=\"M0 0 8 4 0 "
         "8Z\"/></marker><marker "
         "id=\"open-tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" "
         "markerHeight=\"8\" "
         "orient=\"auto\"><path class=\"tip open\" d=\"M.5 .5 7.5 4 .5 7.5Z\"/></marker></defs>" +
         top_of(page, families.size()) + boxes +
         "</svg></div><figcaption>Goals are boxes, evidence circles, context rounded, assumptions "
         "oval, as in the Goal Structuring "
         "Notation. A diamond hangs under a goal with claims that are not decided; a goal with a "
         "violated claim is "
         "outlined twice.</figcaption></figure>\n";
}

std::string claim_line(const Page& page, std::size_t index) {
  const Claim& claim = page.statement.claims[index];
  return claim_link(index + 1) + " " + status_badge(claim.status) + " " +
         (claim.status == Status::unknown ? "" : level_badge(claim.level) + " ") + esc(claim.text);
}

/// What a claim rests on and what is doubted of it.
std::string below_claim(const Claim& claim) {
  std::string below;
  for (const certify::Link& link : claim.chain) {
    below += "<li>because " + level_badge(link.level) + " " + esc(link.text) + "</li>";
  }
  if (claim.status == Status::unknown) {
    below += "<li>not developed: " + esc(claim.reason) + "</li>";
  }
  for (const certify::Defeater& d : claim.defeaters) {
    below += "<li>doubt, <b>" + esc(d.state) + "</b>: " + esc(d.text) + "</li>";
  }
  return below.empty() ? "" : "<ul>" + below + "</ul>";
}

/// Neighbours that rest on the same stand together, and what they rest on once below them.
std::string members_list(const Page& page, const Family& family) {
  std::string out, lines, below;
  for (std::size_t i = 0; i < family.members.size(); ++i) {
    const std::size_t index = family.members[i];
    lines += (lines.empty() ? "" : "<br>") + claim_line(page, index);
    below = below_claim(page.statement.claims[index]);
    const bool last = i + 1 == family.members.size();
    if (last || below_claim(page.statement.claims[family.members[i + 1]]) != below) {
      out += "<li>" + lines + below + "</li>\n";
      lines.clear();
    }
  }
  return out;
}

std::string nested_list(const Page& page, const std::vector<Family>& families) {
  std::string out;
  for (std::size_t i = 0; i < families.size(); ++i) {
    out += "<li><b>G" + std::to_string(i + 2) + "</b> " + esc(families[i].name) + ": " +
           counts_text(families[i]) + "<details open><summary>Its " +
           std::to_string(families[i].members.size()) + " claims, link by link</summary><ul>" +
           members_list(page, families[i]) + "</ul></details></li>\n";
  }
  return "<ul class=\"argument\"><li><b>G1</b> Each claim is at the level stated, for exactly the "
         "files of "
         "<a href=\"#subject\">\xc2\xa7"
         "1</a> and the domain named with it, given the <a "
         "href=\"#assumptions\">assumptions</a>. <b>S1</b> By kinds of evidence; a claim is as "
         "strong as its "
         "weakest link.\n<ul>" +
         out + "</ul></li></ul>\n";
}

std::string doubts(const std::vector<Claim>& claims) {
  std::size_t open = 0, accepted = 0, resolved = 0;
  for (const Claim& claim : claims) {
    for (const certify::Defeater& d : claim.defeaters) {
      ++(d.state == "resolved" ? resolved : d.state == "accepted" ? accepted : open);
    }
  }
  return "<p>Doubts on record: " + std::to_string(open) + " open, " + std::to_string(accepted) +
         " accepted, " + std::to_string(resolved) +
         " resolved. What stays in doubt whatever the evidence says: that the specification asks "
         "the right "
         "questions, that the assumptions are true, and that the checker, the compiler and the "
         "machine that ran it are "
         "free of error.</p>\n";
}

}  // namespace

std::vector<Family> families_of(const std::vector<Claim>& claims) {
  static const std::vector<std::pair<std::vector<std::string>, std::string>> kFamilies = {
      {{"feature-off", "feature-on", "token-out", "bound", "float32"}, "Bounds over every context"},
      {{"site-bound", "nullified", "never-argmax"}, "One normalised site, every input"},
      {{"exact", "refined", "live"}, "Runs of the model"},
      {{"chance"}, "Probabilities of runs"},
      {{"spec"}, "The automaton fitted to samples"},
      {{"rate"}, "Rates over drawn runs"},
      {{"residual", "advantage", "covariance", "leakage", "interface", "probe", "change",
        "operator", "divergence", "worst", "unread", "site-range", "never-fires",
        "never-fires-real", "ledger"},
       "What an erasure left"}};
  std::vector<Family> out;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const Claim& claim = claims[i];
    std::string name = "Other claims";
    for (const auto& [kinds, family] : kFamilies) {
      if (std::find(kinds.begin(), kinds.end(), claim.kind) != kinds.end()) {
        name = family;
      }
    }
    auto found =
        std::find_if(out.begin(), out.end(), [&](const Family& f) { return f.name == name; });
    if (found == out.end()) {
      out.push_back({name, {}, 0, 0, 0, 0});
      found = out.end() - 1;
    }
    found->members.push_back(i);
    found->proofs += claim.recheck ? 1 : 0;
    ++(claim.status == Status::holds      ? found->holds
       : claim.status == Status::violated ? found->violated
                                          : found->unknown);
  }
  return out;
}

std::string counts_text(const Family& f) {
  std::string out;
  const auto add = [&out](std::size_t n, const char* one, const char* many) {
    if (n > 0) {
      out += (out.empty() ? "" : ", ") + std::to_string(n) + " " + (n == 1 ? one : many);
    }
  };
  add(f.holds, "holds", "hold");
  add(f.violated, "is violated", "are violated");
  add(f.unknown, "is not decided", "are not decided");
  return out;
}

std::string argument_html(const Page& page) {
  const std::vector<Family> families = families_of(page.statement.claims);
  if (families.empty()) {
    return section("argument", "Argument",
                   "<p>Nothing is argued: this certificate makes no claim.</p>");
  }
  return section("argument", "Argument",
                 figure(page, families) + "<h3>The same as a list</h3>\n" +
                     nested_list(page, families) + doubts(page.statement.claims));
}

}  // namespace assay::report
