#include <algorithm>
#include <string_view>

#include "assay/certify/statement.hpp"
#include "assay/report/export.hpp"
#include "families.hpp"
#include "html.hpp"
#include "numbers.hpp"
#include "parts.hpp"

// The report as CommonMark. Text of the payload can open no markup, no link, no mention, no workflow command and no raw HTML.
namespace assay::report {
namespace {

using certify::Claim;
using certify::Statement;
using certify::Status;

std::string md(std::string_view text) {
  static constexpr std::string_view kMarkup = "\\`*_[]|#~$^!{}";
  const std::string plain = harmless(text);
  std::string out;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i], next = i + 1 < plain.size() ? plain[i + 1] : ' ';
    const bool command = c == ':' && (next == ':' || next == '/' || (i > 0 && plain[i - 1] == ':'));
    const bool address = c == '.' && i >= 3 && plain.compare(i - 3, 3, "www") == 0;
    const bool target = c == '(' && i > 0 && plain[i - 1] == ']';
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<' || c == '>') {
      out += c == '<' ? "&lt;" : "&gt;";
    } else if (target) {
      out += "\\(";
    } else if (c == '@') {  // a mention, or an address of mail
      out += "&#64;";
    } else if (command) {  // a workflow command, or a scheme
      out += "&#58;";
    } else if (address) {
      out += "&#46;";
    } else {
      out += kMarkup.find(c) == std::string_view::npos ? "" : "\\";
      out += c;
    }
  }
  return out;
}

std::string rounded(const std::string& text, Towards towards) {
  return md(short_number(text, towards));
}

std::string level_cell(const Claim& c) {
  return c.status == Status::unknown ? "–" : certify::level_name(c.level);
}

std::string bound_cell(const Claim& c) {
  if (c.bound.empty() && c.threshold.empty()) {
    return "";
  }
  return (c.bound.empty() ? "" : rounded(c.bound, Towards::up)) +
         (c.threshold.empty() ? "" : " vs " + rounded(c.threshold, Towards::nearest)) +
         (c.unit.empty() ? "" : " " + md(c.unit));
}

std::string claims_table(const Statement& s) {
  std::string out =
      "| No. | Claim | Status | Level | Bound vs threshold |\n|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < s.claims.size(); ++i) {
    const Claim& c = s.claims[i];
    out += "| C" + std::to_string(i + 1) + " | " + md(c.text) + " | " +
           certify::status_name(c.status) + " | " + level_cell(c) + " | " + bound_cell(c) + " |\n";
  }
  return out;
}

std::string verdict_words(const certify::Verdict& v) {
  return "**" + certify::status_name(v.result) + "**: " + std::to_string(v.holds) + " hold (" +
         std::to_string(v.proved) + " PROVED, " + std::to_string(v.statistical) + " STATISTICAL, " +
         std::to_string(v.observed) + " OBSERVED, " + std::to_string(v.assumed) + " ASSUMED), " +
         std::to_string(v.violated) + " violated, " + std::to_string(v.unknown) +
         " not decided. Not decided means not shown.\n";
}

std::string facts(const Statement& s, const Digest& id, const ReportInput& input) {
  std::string out = "| | |\n|---|---|\n";
  const auto row = [&out](const std::string& name, const std::string& value) {
    out += "| " + name + " | " + value + " |\n";
  };
  row("Resource", md(s.certificate.resource_uri));
  row("Serial", md(s.certificate.serial));
  row("Issued", s.certificate.issued_at.empty() ? "date not stated" : md(s.certificate.issued_at));
  row("Valid until",
      s.certificate.not_after.empty() ? "no expiry stated" : md(s.certificate.not_after));
  row("Model files (manifest sha256)", "`" + s.subject_sha256.hex() + "`");
  row("Certificate id (payload sha256)", "`" + id.hex() + "`");
  for (const std::string& key : input.key_ids) {
    row("Signature by key", md(key));
  }
  return out;
}

/// A line inside a code fence: nothing there can end the fence.
std::string fenced(const std::string& line) {
  std::string out = harmless(line);
  std::replace(out.begin(), out.end(), '`', '\'');
  return out;
}

std::string bullets(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) {
    out += "- " + item + "\n";
  }
  return out.empty() ? "None is listed.\n" : out;
}

std::string assumptions(const Statement& s) {
  std::vector<std::string> items;
  for (const certify::Assumption& a : s.assumptions) {
    std::string falls;
    for (std::size_t i = 0; i < s.claims.size(); ++i) {
      const auto& used = s.claims[i].assumptions;
      falls += std::find(used.begin(), used.end(), a.id) == used.end()
                   ? ""
                   : (falls.empty() ? "C" : ", C") + std::to_string(i + 1);
    }
    items.push_back("**" + md(a.id) + "** " + md(a.text) +
                    " If false, these fall: " + (falls.empty() ? "none" : falls) + ".");
  }
  return bullets(items);
}

std::string failures(const Statement& s) {
  std::vector<std::string> items;
  for (std::size_t i = 0; i < s.claims.size(); ++i) {
    const Claim& c = s.claims[i];
    if (c.status != Status::holds) {
      items.push_back("**C" + std::to_string(i + 1) + "** " + certify::status_name(c.status) +
                      ": " + md(c.text) + (c.reason.empty() ? "" : " " + md(c.reason)) +
                      (c.counterexample.empty() ? "" : " Counterexample: " + md(c.counterexample)));
    }
  }
  return items.empty() ? "No claim is violated and none is undecided.\n" : bullets(items);
}

std::string argument(const Statement& s) {
  std::string out;
  for (const Family& f : families_of(s.claims)) {
    out += "- " + f.name + ": " + counts_text(f) + "\n";
    for (const std::size_t i : f.members) {
      out += "  - C" + std::to_string(i + 1);
      for (const certify::Link& link : s.claims[i].chain) {
        out += "; " + certify::level_name(link.level) + ": " + md(link.text);
      }
      for (const certify::Defeater& d : s.claims[i].defeaters) {
        out += "; doubt (" + md(d.state) + "): " + md(d.text);
      }
      out += "\n";
    }
  }
  return out.empty() ? "Nothing is argued.\n" : out;
}

std::string not_claimed(const Statement& s) {
  std::vector<std::string> items;
  for (const std::string& text : s.not_claimed) {
    items.push_back(md(text));
  }
  return bullets(items) +
         "\nA signature shows who stands behind the bytes, and the checker shows that a proof is "
         "valid. Neither shows that the "
         "specification is the right one.\n";
}

}  // namespace

std::string render_markdown(const ReportInput& input) {
  const Statement s = certify::parse_statement(input.payload, "payload");
  const Digest id = sha256(input.payload);
  std::string files;
  for (const certify::ManifestEntry& f : s.subject_files) {
    files += "| " + md(f.name) + " | " + std::to_string(f.size) + " | `" + f.sha256.hex() + "` |\n";
  }
  return "# Certification report: " + md(s.certificate.name) + "\n\n" +
         (s.certificate.scope.empty() ? "" : md(s.certificate.scope) + "\n\n") +
         verdict_words(certify::verdict_of(s.claims)) + "\n" + facts(s, id, input) +
         "\n## 1 What was examined\n\n| File | Bytes | sha256 |\n|---|---|---|\n" + files +
         "\n## 3 Claims\n\n" + claims_table(s) + "\n## 4 Argument\n\n" + argument(s) +
         "\n## 5 Assumptions\n\n" + assumptions(s) + "\n## 6 Failures and unknowns\n\n" +
         failures(s) + "\n## 7 What is not claimed\n\n" + not_claimed(s) +
         "\n## 10 Verify\n\n```\n" + fenced(verify_command(s)) +
         "\n```\n\nThe page of this report with its figures is made by `assay report CERT --out "
         "report.html`.\n";
}

std::string payload_json(const ReportInput& input) {
  (void)certify::parse_statement(input.payload, "payload");
  return input.payload;
}

std::string model_card_section(const ReportInput& input) {
  const Statement s = certify::parse_statement(input.payload, "payload");
  return "## Certification\n\n" + verdict_words(certify::verdict_of(s.claims)) + "\n" +
         facts(s, sha256(input.payload), input) + "\n### Claims\n\n" + claims_table(s) +
         "\n### Assumptions\n\n" + assumptions(s) + "\n### Limitations: what is not claimed\n\n" +
         not_claimed(s) + "\n### Check it yourself\n\n```\n" + fenced(verify_command(s)) +
         "\n```\n";
}

}  // namespace assay::report
