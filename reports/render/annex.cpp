#include <algorithm>

#include "assay/base/text.hpp"
#include "assay/certify/exhibits.hpp"
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

/// Text of several lines, each escaped on its own.
std::string lines_html(std::string_view text) {
  std::string out;
  for (const std::string& line : split(text, '\n')) {
    out += esc(line) + "\n";
  }
  return out;
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
  return section(
      "method", "How it was done",
      "<p>Bounds come from exact extremal attention over all contexts of a domain and from linear "
      "relaxations, evaluated with outward rounding. Every proof was written down as steps and "
      "accepted by <code>assay-check</code>, a separate program that shares no code with the one "
      "that found it.</p>\n" +
          (rows.empty() ? "" : table("Tools and settings", {"What", "Value"}, rows)) +
          "<h3>How far the tools are to be trusted</h3>\n<p>An error of the tool that searches can "
          "make it miss a "
          "proof, or write one that is none; the second is caught, because a claim is PROVED only "
          "by steps that the checker "
          "accepts from the statement and the weight files alone. In the words of ISO 26262-8: "
          "tool impact TI2, error detection "
          "TD1 by the independent checker, hence tool confidence level TCL1. Under DO-330 the "
          "searching tool would "
          "ask for TQL-5, and for TQL-4 where it replaces testing. What is left to be trusted: the "
          "checker, the "
          "compiler and standard library that it was built with, the machine it ran on, and "
          "SHA-256.</p>\n"
          "<p>Known limits: what is PROVED in real arithmetic is not a statement about float32 "
          "kernels unless a claim "
          "of its own says so; a property that is not decided within its budget is UNKNOWN, never "
          "a pass.</p>\n");
}

std::string verify_html(const Page& page) {
  const std::string manifest = esc(page.statement.subject_name);
  std::string commands;
  for (const std::string& command : page.statement.commands) {
    commands += esc(command) + "\n";
  }
  return section(
      "verify", "Reproduce and verify",
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
          manifest +
          "\")</pre>\n<p>With <code>--report FILE</code> the page you are reading is made anew "
          "from the signed bytes and "
          "compared, byte by byte.</p>\n" +
          (commands.empty() ? "" : "<h3>To do it again</h3>\n<pre>" + commands + "</pre>\n") +
          "<p class=\"note\">Certificate id " + digest_html(page.id) + "</p>\n");
}

std::string signatures_html(const Page& page) {
  std::vector<std::string> items;
  for (const std::string& id : page.input.key_ids) {
    items.push_back("<code class=\"hex\">" + esc(id) + "</code>");
  }
  return section(
      "signatures", "Signatures",
      "<p>The envelope names these Ed25519 keys. The names are hints: only <code>assay "
      "verify</code> decides whether a signature is valid; which role a key has, whether it was "
      "revoked and how many must sign is the verifier’s trust policy (<code>--trust</code>), never "
      "this "
      "page.</p>\n" +
          (items.empty() ? "<p>None.</p>\n" : list(items)));
}

std::string specifications_html(const Page& page) {
  constexpr std::size_t kShown = std::size_t{64} << 10;
  std::string out;
  for (const certify::Evidence* evidence : page.evidence.with_role(certify::kSpecRole)) {
    const auto bytes = page.evidence.read(*evidence);
    out += bytes
               ? "<details><summary><code>" + esc(evidence->name) + "</code> " +
                     digest_html(evidence->sha256, true) + "</summary><pre>" +
                     lines_html(bytes->substr(0, kShown)) + "</pre>" +
                     (bytes->size() > kShown ? "<p class=\"note\">Cut here; the file is longer.</p>"
                                             : "") +
                     "</details>\n"
               : withheld(
                     *evidence,
                     "The file was not there, or not as it was signed, when this report was made.");
  }
  return out.empty() ? ""
                     : section("specifications", "Specifications",
                               "<p>As written, and as resolved to token ids, feature numbers and "
                               "digests: the resolved "
                               "file is what the claims are about.</p>\n" +
                                   out);
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
      "annex", "Words and digests",
      table("What the words mean", {"Word", "Meaning"}, levels) +
          "<p>A claim’s level is the weakest PROVED, STATISTICAL or OBSERVED link of its "
          "chain. Assumptions do not lower it; they are printed with it.</p>\n" +
          (rows.empty() ? "" : table("Evidence files", {"File", "Role", "Bytes", "sha256"}, rows)));
}

}  // namespace assay::report
