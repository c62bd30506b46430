#include "assay/report/erasure_page.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "assay/report/render.hpp"
#include "html.hpp"
#include "numbers.hpp"
#include "parts.hpp"

namespace assay::report {
namespace {

using certify::Level;

/// What a kind of claim says to somebody who has never seen one.
struct Words {
  std::string_view kind, says;
};
constexpr std::array<Words, 15> kWords = {{
    {"residual",
     "The best weighted sum of the erased numbers explains at most this share of the concept on "
     "these rows: 1 is all of it, 0 nothing (R²)."},
    {"advantage",
     "On these rows no such sum of the stated size predicts the concept better, by more than this, "
     "than always giving the same answer."},
    {"covariance",
     "On the population that the units were drawn from, what a weighted sum can tell stays below "
     "this."},
    {"leakage",
     "How much readers that look at squares of the numbers may still find: a number, not an "
     "erasure."},
    {"ledger", "The chances of error of all claims about the population, added up."},
    {"interface",
     "Where nothing leaves but one symbol: no reader of it, of any kind, guesses the concept "
     "better than this."},
    {"probe",
     "How often one reader, fixed before the rows were looked at, is right on the population."},
    {"change", "How much the rows were changed, on average."},
    {"operator", "How much a single row can grow."},
    {"divergence", "How far predictions move when they are read from the erased rows."},
    {"worst", "The most that one reading can say of any input of the stated region."},
    {"unread",
     "Nothing behind the site reads the directions that were taken away, whatever the input."},
    {"site-range", "How large the numbers at the site can become, in any context."},
    {"never-fires",
     "The feature is off behind the deployed eraser, for every input in the stated range."},
    {"never-fires-real", "The feature is off behind the exact projection, for every input."},
}};

std::string plain(const std::string& kind) {
  const auto found =
      std::find_if(kWords.begin(), kWords.end(), [&](const Words& w) { return w.kind == kind; });
  return found == kWords.end() ? "" : std::string(found->says);
}

std::string in_words(Level level) {
  switch (level) {
    case Level::proved:
      return "for <b>every</b> input of its domain";
    case Level::statistical:
      return "of a population, with the stated chance of error";
    case Level::observed:
      return "seen on the listed rows, exact for them; nothing beyond them";
    default:
      return "assumed";
  }
}

std::string counted(const ErasurePage& page) {
  std::string out;
  for (const Level level : {Level::proved, Level::statistical, Level::observed}) {
    const auto n = std::count_if(page.accepted.begin(), page.accepted.end(),
                                 [&](const AcceptedErasure& a) { return a.level == level; });
    out += "<li>" + level_badge(level) + " <b>" + std::to_string(n) + "</b>: " + in_words(level) +
           "</li>\n";
  }
  return "<ul>\n" + out + "</ul>\n";
}

std::string summary(const ErasurePage& page) {
  const std::string name = page.name.empty() ? "an unnamed concept" : page.name;
  std::string out =
      "<p>An eraser is one fixed map, put at one place of the model. This one was made to take "
      "away "
      "what a weighted sum of the numbers there could tell of <b>" +
      esc(name) +
      "</b>; the claims below say how much is left. It does not make the model "
      "forget.</p>\n<dl>\n"
      "<dt>Place</dt><dd>" +
      esc(page.site) + "</dd><dt>Map</dt><dd>" + esc(page.map) + "</dd>";
  if (!page.bypass.empty()) {
    out += "<dt>What goes around the place</dt><dd>" + esc(page.bypass) + "</dd>";
  }
  out += "</dl>\n";
  return out + (page.accepted.empty()
                    ? "<p><b>Nothing about it is certified.</b> No certificate was given.</p>\n"
                    : "<p>The independent checker accepted " +
                          std::to_string(page.accepted.size()) + " claims:</p>\n" + counted(page));
}

/// Rounded away from what would flatter.
std::string figure(const AcceptedErasure& a) {
  return a.bound.empty() ? "–"
                         : (a.is_upper ? "at most " : "at least ") +
                               esc(short_number(a.bound, a.is_upper ? Towards::up : Towards::down));
}

std::string claims(const ErasurePage& page) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> words;
  for (const AcceptedErasure& a : page.accepted) {
    rows.push_back({esc(a.claim), plain(a.kind), figure(a), level_badge(a.level)});
    words.push_back("<b>" + esc(a.claim) + "</b>: " + element("code", esc(a.statement)));
  }
  return rows.empty()
             ? ""
             : section("claims", "What was shown",
                       table("Every claim that the independent checker accepted",
                             {"Claim", "In plain words", "Figure", "Level"}, rows, "claims") +
                           "<h3>In the checker's own words</h3>\n" + list(words));
}

std::string tables(const std::vector<certify::Table>& all) {
  std::string out;
  for (const certify::Table& t : all) {
    out += table_html(t);
  }
  return out;
}

std::string attacks(const ErasurePage& page) {
  std::string out = tables(page.attacks);
  for (const std::string& svg : page.attack_pictures) {
    std::string reason;
    const std::string clean = clean_svg(svg, reason);
    out += clean.empty()
               ? "<p class=\"note\">A picture is left out: " + esc(reason) + ".</p>\n"
               : "<figure class=\"picture\"><div class=\"scroll\" tabindex=\"0\">" + clean +
                     "</div><figcaption>What each kind of reader finds before and after: "
                     "1/2 is chance.</figcaption></figure>\n";
  }
  return section(
      "attacks", "What was tried against it",
      out.empty()
          ? "<p><b>Nothing was tried.</b> No attack is on this page; that says nothing "
            "about what one would find.</p>"
          : "<p>OBSERVED: readers of several kinds, trained on some documents and tested on "
            "others. A reader that finds nothing proves nothing; one that finds something "
            "shows that the concept is still there.</p>\n" +
                out);
}

/// With a capital letter and a full stop.
std::string sentence(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  return text.empty() || text.back() == '.' ? text : text + ".";
}

std::string not_claimed(const ErasurePage& page) {
  std::vector<std::string> items;
  for (const auto* lines : {&erasure_never_claims(), &page.not_claimed}) {
    for (const std::string& raw : *lines) {
      const std::string line = sentence(raw);
      if (std::find(items.begin(), items.end(), esc(line)) == items.end()) {
        items.push_back(esc(line));
      }
    }
  }
  return section("not-claimed", "Not claimed", list(items));
}

std::string again(const ErasurePage& page) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, digest] : page.files) {
    rows.push_back({esc(name), digest_html(digest)});
  }
  std::string commands;
  for (const std::string& command : page.commands) {
    commands += "<pre>" + esc(command) + "</pre>\n";
  }
  return section("verify", "Check it again",
                 "<p>The checker shares no code with the program that made the eraser.</p>\n" +
                     commands + table("The files, by sha256", {"File", "sha256"}, rows));
}

}  // namespace

const std::vector<std::string>& erasure_never_claims() {
  static const std::vector<std::string> lines = {
      "That the model has forgotten the concept, or no longer uses it.",
      "That no other reader finds it. Readers that are not weighted sums may: the layers behind "
      "the "
      "site are some.",
      "Any bound on the accuracy or the area under the curve of a probe that was not fixed before. "
      "The probes listed were tried, no more.",
      "Anything about other rows, texts or documents than those named.",
      "Anything about other places in the model, about paths around the site, or after further "
      "training.",
      "That the labels are the concept a person means: they are what the labelling rule marks."};
  return lines;
}

std::string render_erasure_page(const ErasurePage& page) {
  const std::string id8 = page.files.empty() ? "" : page.files.front().second.hex().substr(0, 8);
  const std::string title = "Erasure of " + esc(page.name.empty() ? "a concept" : page.name);
  const std::string figures = tables(page.figures);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; img-src data:\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" "
         "content=\"light dark\">\n<title>" +
         title + "</title>\n<style>\n" + style_sheet(id8) +
         "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#not-claimed\">Skip to what is not "
         "claimed</a>\n<main>\n<p class=\"kind\">Erasure report</p>\n<h1>" +
         title + "</h1>\n" + section("summary", "In short", summary(page)) + claims(page) +
         (figures.empty()
              ? ""
              : section("figures", "Figures",
                        "<p>OBSERVED, as the program that measured them wrote them; the "
                        "checker did not look at these tables.</p>\n" +
                            figures)) +
         attacks(page) + not_claimed(page) + again(page) +
         "</main>\n<footer><p>Assay erasure report; not signed. `assay certify` signs what a case "
         "claims.</p></footer>\n</body>\n</html>\n";
}

}  // namespace assay::report
