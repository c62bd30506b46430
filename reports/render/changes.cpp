#include <algorithm>
#include <map>

#include "assay/base/errors.hpp"
#include "assay/certify/envelope.hpp"
#include "assay/certify/exhibits.hpp"
#include "html.hpp"
#include "numbers.hpp"
#include "parts.hpp"

// This certificate beside earlier ones that it names among its evidence: claim by claim, then a table of releases.
namespace assay::report {
namespace {

using certify::Claim;
using certify::Statement;
using certify::Status;

struct Earlier {
  Statement statement;
  Digest id;
};

std::vector<Earlier> earlier_of(const Page& page, std::string& trouble) {
  std::vector<Earlier> out;
  for (const certify::Evidence* evidence : page.evidence.with_role(certify::kPreviousRole)) {
    const auto bytes = page.evidence.read(*evidence);
    if (!bytes) {
      trouble += withheld(
          *evidence, "The file was not there, or not as it was signed, when this report was made.");
      continue;
    }
    try {
      const certify::Envelope envelope = certify::parse_envelope(*bytes, evidence->name);
      out.push_back(
          {certify::parse_statement(envelope.payload, evidence->name), sha256(envelope.payload)});
    } catch (const Error&) {
      trouble += withheld(*evidence, "The file is no certificate.");
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Earlier& a, const Earlier& b) {
    return a.statement.certificate.issued_at < b.statement.certificate.issued_at;
  });
  return out;
}

const Claim* find(const Statement& s, const std::string& id) {
  const auto found =
      std::find_if(s.claims.begin(), s.claims.end(), [&](const Claim& c) { return c.id == id; });
  return found == s.claims.end() ? nullptr : &*found;
}

/// In words; "" when nothing changed. What is said otherwise counts as weakened: no implication is looked for here.
std::string change_of(const Claim& old, const Claim& now) {
  std::string out;
  const auto add = [&out](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  if (old.status != now.status) {
    add((now.status == Status::holds ? "strengthened: " : "weakened: ") +
        certify::status_name(old.status) + " → " + certify::status_name(now.status));
  } else if (old.status == Status::holds && old.level != now.level) {
    add((now.level > old.level ? "strengthened: " : "weakened: ") + certify::level_name(old.level) +
        " → " + certify::level_name(now.level));
  }
  if (old.formal != now.formal || old.domain != now.domain) {
    add("another statement or domain (counts as weakened until <code>assay diff</code> shows "
        "otherwise)");
  }
  const auto before = drawing_value(old.bound), after = drawing_value(now.bound);
  if (old.bound != now.bound) {
    add(before && after ? std::string(*after < *before ? "lower" : "higher") +
                              " bound: " + esc(short_number(old.bound, Towards::up)) + " → " +
                              esc(short_number(now.bound, Towards::up))
                        : "another bound");
  }
  for (const std::string& a : now.assumptions) {
    if (std::find(old.assumptions.begin(), old.assumptions.end(), a) == old.assumptions.end()) {
      add("weakened: assumes " + esc(a) + " too");
    }
  }
  return out;
}

std::string differences(const Statement& old, const Statement& now) {
  std::vector<std::vector<std::string>> rows;
  std::size_t same = 0;
  for (std::size_t i = 0; i < now.claims.size(); ++i) {
    const Claim* before = find(old, now.claims[i].id);
    const std::string change = before == nullptr ? "added" : change_of(*before, now.claims[i]);
    if (change.empty()) {
      ++same;
    } else {
      rows.push_back({claim_link(i + 1), esc(now.claims[i].text), change});
    }
  }
  for (const Claim& claim : old.claims) {
    if (find(now, claim.id) == nullptr) {
      rows.push_back({"–", esc(claim.text), "<b>removed</b>"});
    }
  }
  const std::string rest = "<p>" + std::to_string(same) +
                           (same == 1 ? " claim is" : " claims are") + " as before.</p>\n";
  return rows.empty()
             ? rest
             : table("Claims that changed", {"No.", "Claim", "Change"}, rows, "claims") + rest;
}

std::string letter(const Claim* claim) {
  if (claim == nullptr) {
    return "<span class=\"cell none\">–</span>";
  }
  if (claim->status == Status::violated) {
    return "<span class=\"cell violated\" title=\"VIOLATED\">\xe2\x9c\x97</span>";
  }
  if (claim->status == Status::unknown) {
    return "<span class=\"cell unknown\" title=\"UNKNOWN\">?</span>";
  }
  const std::string name = certify::level_name(claim->level);
  return "<span class=\"cell holds\" title=\"HOLDS, " + name + "\">" + name.substr(0, 1) +
         "</span>";
}

std::string release_table(const std::vector<Earlier>& earlier, const Page& page) {
  std::vector<std::string> columns = {"Claim"};
  const auto heading = [&columns](const Statement& s, const Digest& id) {
    columns.push_back(
        esc(s.certificate.issued_at.empty() ? "no date" : s.certificate.issued_at.substr(0, 10)) +
        "<br><code>" + id.hex().substr(0, 8) + "</code>");
  };
  std::vector<std::string> ids;
  const auto collect = [&ids](const Statement& s) {
    for (const Claim& c : s.claims) {
      if (std::find(ids.begin(), ids.end(), c.id) == ids.end()) {
        ids.push_back(c.id);
      }
    }
  };
  collect(page.statement);
  for (const Earlier& e : earlier) {
    heading(e.statement, e.id);
    collect(e.statement);
  }
  heading(page.statement, page.id);
  std::vector<std::vector<std::string>> rows;
  for (const std::string& id : ids) {
    std::vector<std::string> row = {"<code>" + esc(id) + "</code>"};
    for (const Earlier& e : earlier) {
      row.push_back(letter(find(e.statement, id)));
    }
    row.push_back(letter(find(page.statement, id)));
    rows.push_back(std::move(row));
  }
  return table(
      "Releases and claims: P, S, O, A hold at that level; ✗ violated; ? not decided; – not made",
      columns, rows, "releases");
}

}  // namespace

std::string changes_html(const Page& page) {
  std::string trouble;
  const std::vector<Earlier> earlier = earlier_of(page, trouble);
  if (earlier.empty()) {
    return section("changes", "Changes since the last certificate",
                   "<p>No earlier certificate is named among the evidence: nothing is compared. "
                   "<code>assay diff OLD "
                   "NEW</code> compares any two.</p>\n" +
                       trouble);
  }
  const Earlier& last = earlier.back();
  const bool same_files = last.statement.subject_sha256 == page.statement.subject_sha256;
  return section("changes", "Changes since the last certificate",
                 "<p>Compared with certificate " + digest_html(last.id, true) +
                     (last.statement.certificate.issued_at.empty()
                          ? ""
                          : " of " + esc(last.statement.certificate.issued_at.substr(0, 10))) +
                     ", which is about " +
                     (same_files ? "the same model files" : "other model files") +
                     ". Its own signature is not checked here.</p>\n" + trouble +
                     differences(last.statement, page.statement) + release_table(earlier, page));
}

std::string change_line(const Page& page) {
  std::string trouble;
  const std::vector<Earlier> earlier = earlier_of(page, trouble);
  if (earlier.empty()) {
    return trouble.empty() ? "no earlier certificate is named"
                           : "the earlier certificate could not be read";
  }
  std::size_t changed = 0, removed = 0, added = 0;
  for (const Claim& claim : page.statement.claims) {
    const Claim* before = find(earlier.back().statement, claim.id);
    added += before == nullptr ? 1 : 0;
    changed += before != nullptr && !change_of(*before, claim).empty() ? 1 : 0;
  }
  for (const Claim& claim : earlier.back().statement.claims) {
    removed += find(page.statement, claim.id) == nullptr ? 1 : 0;
  }
  return std::to_string(changed) + " claims changed, " + std::to_string(added) + " added, " +
         std::to_string(removed) + " removed since " +
         esc(earlier.back().statement.certificate.issued_at.substr(0, 10));
}

}  // namespace assay::report
