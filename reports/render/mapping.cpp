#include <array>

#include "html.hpp"
#include "parts.hpp"

// Which parts of the report are evidence for which provision. The table belongs to the renderer and has a version of its own: laws change
// after a certificate is signed. Nothing here says that a provision is met.
namespace assay::report {
namespace {

constexpr const char* kVersion = "2026-11";

struct Row {
  const char* part;
  const char* ai_act;
  const char* nist;
};

constexpr std::array<Row, 10> kRows = {{
    {"1 What was examined", "Annex IV 1(a), (c), 2(a): third-party and pre-trained parts",
     "MAP 4.2, MANAGE 3.2"},
    {"2 Scope and domain", "Annex IV 2(b), 3 (input specifications); Art. 13(3)(b)",
     "MAP 2.2, 2.3, 3.3"},
    {"3 Claims and bounds",
     "Annex IV 2(g), 4: metrics and their appropriateness; Art. 15: accuracy and robustness",
     "MEASURE 2.3, 2.5, 2.6, 2.7, 2.9"},
    {"Specification fixed before the run",
     "Art. 9: testing against prior defined metrics and thresholds", "MEASURE 1.1, 2.1"},
    {"4, 5 Argument, assumptions", "Annex IV 2(b), 5: risk management, Art. 9",
     "MEASURE 2.9, 2.13"},
    {"6, 7 Failures, not claimed",
     "Annex IV 3: capabilities and limitations, foreseeable unintended outcomes",
     "MEASURE 1.1 (not measured), MANAGE 1.4 (residual risk)"},
    {"8 Changes", "Annex IV 2(f), 6; substantial modification", "MEASURE 3.1, MANAGE 4.1, 4.2"},
    {"9 How it was done", "Annex IV 2(a), (c), 7: standards applied", "MEASURE 2.1, 2.13"},
    {"12 Signatures",
     "Annex IV 2(g): dated and signed by the responsible persons; Art. 18: kept for 10 years",
     "GOVERN roles, MEASURE 1.3 (independent review)"},
    {"The gate’s verdict", "Input to Art. 17, 43", "MANAGE 1.1: go or no-go"},
}};

}  // namespace

std::string mapping_html(const Page& /*page*/) {
  std::vector<std::vector<std::string>> rows;
  for (const Row& row : kRows) {
    rows.push_back({esc(row.part), "supports " + esc(row.ai_act), "supports " + esc(row.nist)});
  }
  return section("mapping", "Law and standards",
                 "<p>A part <em>supports</em> the documentation that a provision asks for: it is "
                 "evidence a person may use there. It "
                 "does not fulfil the provision, and no statement of conformity is made.</p>\n" +
                     table("Parts of this report and what they support (table of " +
                               std::string(kVersion) + ")",
                           {"Part", "EU AI Act (Regulation 2024/1689)", "NIST AI RMF 1.0"}, rows) +
                     "<p>Not covered: Annex IV 5, 8 and 9 (the risk management system, the "
                     "declaration of conformity, monitoring after placing on "
                     "the market). For general-purpose models, Annex XI section 2 asks for "
                     "evaluation strategies and results and for adversarial "
                     "testing: sections 3 and 6 support it. ISO/IEC 42001: A.6.2.4 (verification "
                     "and validation), A.6.2.7 (technical documentation), "
                     "A.6.2.8 (event logs).</p>\n" +
                     table("Dates of application, as known on the table’s date", {"What", "Date"},
                           {{"High-risk systems of Annex III", "2027-12-02"},
                            {"High-risk systems of Annex I", "2028-08-02"}}) +
                     "<p class=\"note\">The dates follow the Digital Omnibus as adopted by the "
                     "Council on 2026-06-29; look up the Official Journal before "
                     "relying on them.</p>\n");
}

}  // namespace assay::report
