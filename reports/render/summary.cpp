#include <algorithm>

#include "assay/base/text.hpp"
#include "html.hpp"
#include "parts.hpp"

namespace assay::report {
namespace {

using certify::Claim;
using certify::Status;
using certify::Verdict;

constexpr std::size_t kSummaryRows = 7;
constexpr std::size_t kSummaryItems = 3;

/// Three punches on one bar: the marks an assay office leaves.
constexpr const char* kHallmark =
    "<svg class=\"mark\" viewBox=\"0 0 72 24\" aria-hidden=\"true\"><path d=\"M2 2h20v20h-20z\"/>"
    "<path d=\"M7.5 17 12 7l4.5 10M9 14h6\"/><path d=\"M36 1.5 46.5 12 36 22.5 25.5 12z\"/>"
    "<path d=\"M31.5 12.5l3 3 6-6.5\"/><path d=\"M60 2c6 0 10 4.5 10 10s-4 10-10 10-10-4.5-10-10"
    " 4-10 10-10z\"/><path d=\"M55.5 9h9M55.5 12h9M55.5 15h9\"/></svg>";

std::string plural(std::size_t n, const std::string& one, const std::string& many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string verdict_sentence(const Verdict& v) {
  const std::size_t all = v.holds + v.violated + v.unknown;
  if (all == 0) {
    return "No claim was checked. Nothing is shown.";
  }
  if (v.result == Status::holds) {
    return all == 1
               ? "The one claim holds, at the level stated with it."
               : "All " + std::to_string(all) + " claims hold, each at the level stated with it.";
  }
  std::string out = std::to_string(v.holds) + " of " + plural(all, "claim holds", "claims hold");
  if (v.violated > 0) {
    out += ", " + plural(v.violated, "is violated", "are violated");
  }
  if (v.unknown > 0) {
    out += ", " + plural(v.unknown, "is not decided", "are not decided") +
           ". Not decided means not shown";
  }
  out += ".";
  return out;
}

std::string count_cell(std::size_t n, const std::string& what) {
  return "<div><dt>" + what + "</dt><dd>" + std::to_string(n) + "</dd></div>\n";
}

std::string verdict_box(const Verdict& v) {
  static constexpr const char* kClasses[] = {"holds", "violated", "unknown"};
  const std::string css = kClasses[static_cast<std::size_t>(v.result)];
  std::string levels = count_cell(v.proved, level_badge(certify::Level::proved)) +
                       count_cell(v.statistical, level_badge(certify::Level::statistical)) +
                       count_cell(v.observed, level_badge(certify::Level::observed));
  if (v.assumed > 0) {
    levels += count_cell(v.assumed, level_badge(certify::Level::assumed));
  }
  return "<div class=\"verdict " + css + "\">\n<p class=\"word\">" + status_badge(v.result) +
         "</p>\n<p class=\"says\">" + verdict_sentence(v) +
         "</p>\n<dl class=\"counts\" "
         "aria-label=\"Claims by level and status\">\n<div class=\"group\"><dt>Claims that hold, "
         "by "
         "level</dt><dd><dl>" +
         levels + "</dl></dd></div><div class=\"group\"><dt>Others</dt><dd><dl>" +
         count_cell(v.violated, status_badge(Status::violated)) +
         count_cell(v.unknown, status_badge(Status::unknown)) + "</dl></dd></div></dl>\n</div>\n";
}

/// Violated first, then unknown, then those that hold, the strongest level first: the worst must
/// not fall off the page.
std::vector<std::size_t> worst_first(const std::vector<Claim>& claims) {
  std::vector<std::size_t> order(claims.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  const auto rank = [&](std::size_t i) {
    const Status s = claims[i].status;
    return s == Status::violated  ? 0
           : s == Status::unknown ? 1
                                  : 5 - static_cast<int>(claims[i].level);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  return order;
}

std::string summary_table(const std::vector<Claim>& claims) {
  std::vector<std::vector<std::string>> rows;
  for (const std::size_t i : worst_first(claims)) {
    if (rows.size() == kSummaryRows) {
      break;
    }
    const Claim& c = claims[i];
    rows.push_back({claim_link(i + 1), esc(c.text), status_badge(c.status),
                    c.status == Status::unknown ? "–" : level_badge(c.level), bound_text(c)});
  }
  const std::string more =
      claims.size() > rows.size()
          ? "<p class=\"more\">" + std::to_string(claims.size() - rows.size()) +
                " further claims in <a href=\"#claims\">the full table</a>.</p>\n"
          : "";
  return table("The claims", {"No.", "Claim", "Status", "Level", "Bound vs threshold"}, rows,
               "claims") +
         more;
}

std::string first_items(const std::string& heading, const std::string& link,
                        std::vector<std::string> items) {
  const std::size_t left = items.size() > kSummaryItems ? items.size() - kSummaryItems : 0;
  items.resize(items.size() - left);
  return "<div><h3>" + heading + "</h3>" +
         (items.empty() ? "<p>None is listed.</p>" : list(items)) +
         (left == 0 ? ""
                    : "<p class=\"more\"><a href=\"#" + link + "\">" + std::to_string(left) +
                          " more</a></p>") +
         "</div>\n";
}

std::string two_lists(const Page& page) {
  std::vector<std::string> assumptions, not_claimed;
  for (const certify::Assumption& a : page.statement.assumptions) {
    assumptions.push_back("<b>" + esc(a.id) + "</b> " + esc(a.text));
  }
  for (const std::string& text : page.statement.not_claimed) {
    not_claimed.push_back(esc(text));
  }
  return "<div class=\"two\">\n" + first_items("Assumptions", "assumptions", assumptions) +
         first_items("Not claimed", "not-claimed", not_claimed) + "</div>\n";
}

std::string day(const std::string& time) {
  return esc(time.substr(0, 10));
}

}  // namespace

std::string verify_command(const certify::Statement& s) {
  const std::string name = s.subject_name.substr(0, s.subject_name.rfind(".model.sha256"));
  return "assay verify " + name + ".cert.dsse.json --model MODEL_DIR --key PUBLIC.pem";
}

std::string summary_html(const Page& page) {
  const certify::CertificateInfo& info = page.statement.certificate;
  std::string signer;
  for (const std::string& id : page.input.key_ids) {
    signer += (signer.empty() ? "" : "<br>") + ("<code class=\"hex\">" + esc(id) + "</code>");
  }
  const auto fact = [](const std::string& name, const std::string& html) {
    return "<div><dt>" + name + "</dt><dd>" + html + "</dd></div>\n";
  };
  return "<header class=\"top\">" + std::string(kHallmark) +
         "<p class=\"kind\">Certification report</p>\n<h1>" + esc(info.name) + "</h1>\n" +
         (info.scope.empty() ? "" : "<p class=\"scope\">" + esc(info.scope) + "</p>\n") +
         "<dl class=\"facts\">\n" +
         fact("Issued", info.issued_at.empty() ? "date not stated" : day(info.issued_at)) +
         fact("Valid until", info.not_after.empty() ? "no expiry stated" : day(info.not_after)) +
         fact("Model files", digest_html(page.statement.subject_sha256, true)) +
         fact("Certificate", digest_html(page.id, true)) +
         "</dl></header>\n<section id=\"summary\" "
         "aria-label=\"Summary\">\n" +
         verdict_box(certify::verdict_of(page.statement.claims)) +
         summary_table(page.statement.claims) + two_lists(page) +
         "<div class=\"signed\"><p><b>Since the last certificate</b> " + change_line(page) +
         "</p><p><b>Signature by key</b> " + (signer.empty() ? "none" : signer) +
         "</p><p><b>Check it yourself</b> <code>" + esc(verify_command(page.statement)) +
         "</code></p></div>\n</section>\n";
}

std::string subject_html(const Page& page) {
  const certify::Statement& s = page.statement;
  std::vector<std::vector<std::string>> files, materials;
  for (const certify::ManifestEntry& entry : s.subject_files) {
    files.push_back({"<code>" + esc(entry.name) + "</code>", std::to_string(entry.size),
                     digest_html(entry.sha256)});
  }
  for (const certify::Material& m : s.materials) {
    materials.push_back({esc(m.name), esc(m.role), digest_html(m.sha256)});
  }
  std::string excluded;
  for (const std::string& name : s.exclusions) {
    excluded += (excluded.empty() ? "" : ", ") + ("<code>" + esc(name) + "</code>");
  }
  return section(
      "subject", "What was examined",
      "<p>Resource <code>" + esc(s.certificate.resource_uri) +
          "</code>, certificate serial <code>" + esc(s.certificate.serial) +
          "</code>. Every statement below is about exactly these files.</p>\n" +
          table("The model: the subject of this certificate", {"File", "Bytes", "sha256"}, files) +
          (excluded.empty()
               ? ""
               : "<p class=\"note\">Not part of the subject: " + excluded + ".</p>\n") +
          (materials.empty()
               ? ""
               : table("What else went in", {"Material", "Role", "sha256"}, materials)));
}

std::string scope_html(const Page& page) {
  const certify::Statement& s = page.statement;
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < s.claims.size(); ++i) {
    const std::string& domain = s.claims[i].domain;
    const std::string cell = domain.empty() ? "not stated" : esc(domain);
    auto found = std::find_if(rows.begin(), rows.end(),
                              [&](const std::vector<std::string>& row) { return row[0] == cell; });
    if (found == rows.end()) {
      rows.push_back({cell, ""});
      found = rows.end() - 1;
    }
    (*found)[1] += ((*found)[1].empty() ? "" : ", ") + claim_link(i + 1);
  }
  return section("scope", "Scope, intended use, input domains",
                 (s.certificate.scope.empty() ? "" : "<p>" + esc(s.certificate.scope) + "</p>\n") +
                     "<p>The intended use is the one of the party that signs; this report speaks "
                     "of the listed files alone. A claim holds "
                     "inside its domain and says nothing beyond it. Against inputs in the domain "
                     "it stands whoever chooses them: the words "
                     "“every input” take in inputs made to break the claim. It does not stand "
                     "against other weights, another tokenizer or "
                     "decoder, or an eraser that is listed and not applied.</p>\n" +
                     (rows.empty() ? ""
                                   : table("Input domains, and the claims about each",
                                           {"Domain", "Claims"}, rows, "domains")));
}

}  // namespace assay::report
