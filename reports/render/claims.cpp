#include "assay/certify/checker.hpp"
#include "html.hpp"
#include "numbers.hpp"
#include "parts.hpp"

namespace assay::report {
namespace {

using certify::Claim;
using certify::Status;

std::string term(const std::string& name, const std::string& html) {
  return html.empty() ? "" : "<dt>" + name + "</dt><dd>" + html + "</dd>\n";
}

std::string code(const std::string& text) {
  return text.empty() ? "" : "<code>" + esc(text) + "</code>";
}

/// Short form with the exact one behind it.
std::string number_html(const std::string& text, Towards direction, const std::string& unit) {
  if (text.empty()) {
    return "";
  }
  const std::string shown = short_number(text, direction);
  return esc(shown) + (unit.empty() ? "" : " " + esc(unit)) +
         (shown == text || shown == "0"
              ? ""
              : " <span class=\"exact\">exactly " + code(text) + "</span>");
}

std::string chain_html(const Claim& claim) {
  std::string out;
  for (const certify::Link& link : claim.chain) {
    out += "<li>" + level_badge(link.level) + " " + esc(link.text) + "</li>";
  }
  return out.empty() ? "" : chain_figure(claim) + "<ol class=\"chain\">" + out + "</ol>";
}

std::string assumptions_of(const Claim& claim) {
  std::string out;
  for (const std::string& id : claim.assumptions) {
    out += (out.empty() ? "" : ", ") + ("<b>" + esc(id) + "</b>");
  }
  return out.empty() ? "none beyond the arithmetic semantics stated" : out + " (see Assumptions)";
}

std::string defeaters_of(const Claim& claim) {
  std::string out;
  for (const certify::Defeater& d : claim.defeaters) {
    out += "<li>" + esc(d.text) + " <i>(" + esc(d.state) + ")</i></li>";
  }
  return out.empty() ? "" : "<ul>" + out + "</ul>";
}

std::string evidence_of(const Page& page, const Claim& claim) {
  std::string out;
  for (const std::string& name : claim.evidence) {
    if (const certify::Evidence* evidence = page.evidence.find(name)) {
      out += (out.empty() ? "" : "<br>") + code(name) + " " + digest_html(evidence->sha256, true);
    }
  }
  return out;
}

std::string recheck_of(const Claim& claim) {
  if (!claim.recheck) {
    return claim.status == Status::unknown
               ? ""
               : "Evidence is bound by digest; there is no proof to run again for this claim.";
  }
  std::string command = "assay-check evidence/" + claim.recheck->certificate + " --model MODEL";
  for (const certify::CheckInput& input : claim.recheck->inputs) {
    const std::string file = certify::evidence_name(input);
    command += " --" + input.option + " " + input.name.substr(0, input.name.size() - file.size()) +
               "evidence/" + file;
  }
  return code(command) + "<br>must print " +
         code("ACCEPT " + claim.recheck->accepts + " … " + claim.recheck->statement);
}

std::string detail(const Page& page, const Claim& claim, std::size_t number) {
  const std::string id = "claim-" + std::to_string(number);
  return "<article class=\"claim\" id=\"" + id + "\" aria-labelledby=\"" + id + "-h\">\n<h3 id=\"" +
         id + "-h\"><span class=\"no\">C" + std::to_string(number) + "</span> " + esc(claim.text) +
         "</h3>\n<p class=\"badges\">" + status_badge(claim.status) +
         (claim.status == Status::unknown ? "" : " " + level_badge(claim.level)) + " <code>" +
         esc(claim.id) + "</code></p>\n<p>" + level_sentence(page, claim) + "</p>\n<dl>\n" +
         term("Domain", esc(claim.domain)) +
         term("Drawn", has_verdict(page, claim) ? "<a href=\"#verdict-" + std::to_string(number) +
                                                      "\">its automaton and verdict</a>"
                                                : "") +
         term("Formally", code(claim.formal)) + term("Written in", code(claim.spec_ref)) +
         term("Bound", number_html(claim.bound, Towards::up, claim.unit)) +
         term("Threshold", number_html(claim.threshold, Towards::nearest, claim.unit)) +
         term("Attack found", number_html(claim.attack, Towards::down, claim.unit)) +
         term("Level chain", chain_html(claim)) + term("Given", assumptions_of(claim)) +
         term("Doubts", defeaters_of(claim)) + term("Evidence", evidence_of(page, claim)) +
         term("Check again", recheck_of(claim)) + "</dl>\n</article>\n";
}

}  // namespace

std::string bound_text(const Claim& claim) {
  if (claim.bound.empty()) {
    return claim.threshold.empty()
               ? ""
               : "limit " + esc(short_number(claim.threshold, Towards::nearest));
  }
  const std::string bound = esc(short_number(claim.bound, Towards::up));
  return claim.threshold.empty()
             ? bound
             : bound + " vs " + esc(short_number(claim.threshold, Towards::nearest));
}

std::string claims_html(const Page& page) {
  const std::vector<Claim>& claims = page.statement.claims;
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const Claim& claim = claims[i];
    const bool decided = claim.status != Status::unknown;
    rows.push_back({claim_link(i + 1), esc(claim.text), status_badge(claim.status),
                    decided ? level_badge(claim.level) : "–", bound_text(claim),
                    esc(short_number(claim.attack, Towards::down)), esc(claim.unit)});
  }
  if (claims.empty()) {
    return section("claims", "Claims", "<p>This certificate makes no claim.</p>");
  }
  return section(
      "claims", "Claims",
      table("Every claim, with its level and its figures; the number leads to it in full",
            {"No.", "Claim", "Status", "Level", "Bound vs threshold", "Attack found", "Unit"}, rows,
            "claims") +
          forest_plot(claims));
}

std::string details_html(const Page& page) {
  std::string out;
  for (std::size_t i = 0; i < page.statement.claims.size(); ++i) {
    out += detail(page, page.statement.claims[i], i + 1);
  }
  return out.empty() ? "" : section("details", "Every claim in full", out);
}

}  // namespace assay::report
