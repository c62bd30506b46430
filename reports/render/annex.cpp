#include <algorithm>

#include "html.hpp"
#include "parts.hpp"

namespace assay::report {
namespace {

std::string claims_that_fall(const certify::Statement& s, const std::string& id) {
  std::string out;
  for (std::size_t i = 0; i < s.claims.size(); ++i) {
    const std::vector<std::string>& used = s.claims[i].assumptions;
    if (std::find(used.begin(), used.end(), id) != used.end()) {
      out += out.empty() ? "" : ", ";
      out += claim_link(i + 1);
    }
  }
  return out.empty() ? "none" : out;
}

}  // namespace

std::string assumptions_html(const Page& page) {
  std::vector<std::vector<std::string>> rows;
  for (const certify::Assumption& a : page.statement.assumptions) {
    rows.push_back({esc(a.id), esc(a.text), esc(a.kind), esc(a.breaks_if),
                    claims_that_fall(page.statement, a.id)});
  }
  return section(
      "assumptions", "Assumptions",
      "<p>Taken as true, not checked. If one is false, the claims named with it fall.</p>\n" +
          (rows.empty() ? "<p>None is listed.</p>\n"
                        : table("Assumptions and what leans on them",
                                {"Id", "Assumption", "Kind", "False if", "Claims"}, rows)));
}

std::string not_claimed_html(const Page& page) {
  std::vector<std::string> items;
  for (const std::string& text : page.statement.not_claimed) {
    items.push_back(esc(text));
  }
  return section(
      "not-claimed", "What is not claimed",
      (items.empty() ? "" : list(items)) +
          "<p>A signature shows <em>who</em> stands behind the bytes, and the checker "
          "shows that a proof is valid. Neither shows that the specification is the right "
          "one.</p>\n");
}

std::string method_html(const Page& page) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : page.statement.environment) {
    rows.push_back({esc(key), "<code>" + esc(value) + "</code>"});
  }
  std::string commands;
  for (const std::string& command : page.statement.commands) {
    commands += esc(command) + "\n";
  }
  return section(
      "method", "How it was done",
      "<p>Bounds come from exact extremal attention over all contexts of a domain and from linear "
      "relaxations, evaluated with outward rounding. Every proof was written down as steps and "
      "accepted by <code>assay-check</code>, a separate program that shares no code with the one "
      "that "
      "found it.</p>\n" +
          (rows.empty() ? "" : table("Tools and settings", {"What", "Value"}, rows)) +
          (commands.empty() ? "" : "<h3>To do it again</h3>\n<pre>" + commands + "</pre>\n"));
}

std::string verify_html(const Page& page) {
  const std::string manifest = esc(page.statement.subject_name);
  return section(
      "verify", "How to verify",
      "<p>With the certificate, its <code>evidence/</code> folder, the model directory and the "
      "signer’s public key <em>from a source you trust</em>:</p>\n<pre>" +
          esc(verify_command(page.statement)) +
          "</pre>\n<p>Exit code 0 means: the signature is by that key, the files are the signed "
          "ones, "
          "every evidence file is present and unaltered, and the independent checker accepted "
          "every "
          "proof again. It says nothing about whether the claims are the ones you need. Without "
          "any "
          "tool of ours:</p>\n<pre>jq -rj .payload CERT | base64 -d | sha256sum     # certificate "
          "id below"
          "\n(cd MODEL_DIR &amp;&amp; sha256sum --strict -c \"$OLDPWD/" +
          manifest + "\")</pre>\n" + "<p class=\"note\">Certificate id " + digest_html(page.id) +
          "</p>\n");
}

std::string signatures_html(const Page& page) {
  std::vector<std::string> items;
  for (const std::string& id : page.input.key_ids) {
    items.push_back("<code class=\"hex\">" + esc(id) + "</code>");
  }
  return section("signatures", "Signatures",
                 "<p>The envelope names these Ed25519 keys. The names are hints: only <code>assay "
                 "verify --key</code> decides whether a signature is valid.</p>\n" +
                     (items.empty() ? "<p>None.</p>\n" : list(items)));
}

std::string annex_html(const Page& page) {
  std::vector<std::vector<std::string>> rows;
  for (const certify::Evidence& e : page.statement.evidence) {
    rows.push_back({"<code>" + esc(e.name) + "</code>", esc(e.role), std::to_string(e.size),
                    digest_html(e.sha256)});
  }
  const std::vector<std::vector<std::string>> levels = {
      {level_badge(certify::Level::proved),
       "Holds for every input of the stated domain, for the stated arithmetic semantics; the proof "
       "steps can be checked again."},
      {level_badge(certify::Level::statistical),
       "Holds with stated confidence over a stated distribution; the plan was fixed before the "
       "draw."},
      {level_badge(certify::Level::observed), "Was seen on listed data; nothing beyond it."},
      {level_badge(certify::Level::assumed),
       "Taken as true, listed, and named in every claim that leans on it."},
      {status_badge(certify::Status::unknown), "Not decided within the budget. Never a pass."}};
  return section(
      "annex", "Annex: words and digests",
      table("What the words mean", {"Word", "Meaning"}, levels) +
          "<p>A claim’s level is the weakest PROVED, STATISTICAL or OBSERVED link of its "
          "chain. Assumptions do not lower it; they are printed with it.</p>\n" +
          (rows.empty() ? "" : table("Evidence files", {"File", "Role", "Bytes", "sha256"}, rows)));
}

}  // namespace assay::report
