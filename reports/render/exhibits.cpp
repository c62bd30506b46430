#include "assay/certify/exhibits.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "html.hpp"
#include "parts.hpp"
#include "watcher.hpp"

namespace assay::report {
namespace {

using certify::Claim;
using certify::Status;

constexpr std::size_t kStatesShown = 12;
constexpr std::size_t kEdgesShown = 3;

const char* const kMissing =
    "The file was not there, or not as it was signed, when this report was made.";

/// Text alternative of the picture: the most visited states and where each goes.
std::string outline_table(const certify::AutomatonOutline& automaton) {
  std::vector<std::size_t> order(automaton.states.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return automaton.states[a].count > automaton.states[b].count;
  });
  order.resize(std::min(order.size(), kStatesShown));
  std::vector<std::vector<std::string>> rows;
  for (const std::size_t state : order) {
    std::vector<certify::AutomatonOutline::Edge> out;
    for (const auto& edge : automaton.edges) {
      if (edge.from == state) {
        out.push_back(edge);
      }
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.count > b.count; });
    std::string next;
    for (std::size_t i = 0; i < std::min(out.size(), kEdgesShown); ++i) {
      next += (i == 0 ? "" : ", ") + token(automaton.states[out[i].to].name) + " (" +
              std::to_string(out[i].count) + ")";
    }
    rows.push_back(
        {token(automaton.states[state].name), std::to_string(automaton.states[state].count), next});
  }
  return table("The most visited of " + std::to_string(automaton.states.size()) + " states, " +
                   std::to_string(automaton.edges.size()) + " edges seen",
               {"State", "Visits", "Followed most often by (times)"}, rows);
}

std::string outline_html(const Page& page) {
  for (const certify::Evidence* evidence : page.evidence.with_role(certify::kAutomatonRole)) {
    const auto bytes = page.evidence.read(*evidence);
    if (!bytes) {
      return withheld(*evidence, kMissing);
    }
    try {
      return outline_table(certify::parse_automaton_outline(*bytes, evidence->name));
    } catch (const InputError&) {
      return withheld(*evidence, "The file is not of the documented form.");
    }
  }
  return "";
}

std::string picture_html(const Page& page, const certify::Evidence& evidence) {
  const auto bytes = page.evidence.read(evidence);
  if (!bytes) {
    return withheld(evidence, kMissing);
  }
  std::string reason;
  const std::string svg = clean_svg(*bytes, reason);
  if (svg.empty()) {
    return withheld(evidence, "The picture is not shown because " + esc(reason) + ".");
  }
  return "<figure><div class=\"plate\" role=\"img\" aria-label=\"Picture of the feature automaton; "
         "the "
         "table below says the same in words\">" +
         svg +
         "</div><figcaption>The feature automaton, "
         "fitted to text that the model sampled. An edge that is not drawn was not seen; that does "
         "not make it impossible.</figcaption></figure>\n";
}

std::string counterexample_html(const Page& page, const Claim& claim, std::size_t number) {
  const certify::Evidence* evidence = page.evidence.find(claim.counterexample);
  if (evidence == nullptr) {
    return "";
  }
  if (has_verdict(page, claim)) {
    return "<p><a href=\"#verdict-" + std::to_string(number) +
           "\">The run, token by token</a>, with the automaton that it violates.</p>\n";
  }
  const auto bytes = page.evidence.read(*evidence);
  if (!bytes) {
    return withheld(*evidence, kMissing);
  }
  try {
    return walk_html(certify::parse_counterexample(*bytes, evidence->name), nullptr, "");
  } catch (const InputError&) {
    return withheld(*evidence, "The file is not of the documented form.");
  }
}

bool is_erasure(const certify::Table& t) {
  return t.id.compare(0, 7, "erasure") == 0;
}

std::string table_html(const certify::Table& t) {
  std::vector<std::string> columns;
  for (const std::string& column : t.columns) {
    columns.push_back(esc(column));
  }
  std::vector<std::vector<std::string>> rows;
  for (const std::vector<std::string>& row : t.rows) {
    std::vector<std::string> cells;
    cells.reserve(row.size());
    for (const std::string& cell : row) {
      cells.push_back(esc(cell));
    }
    rows.push_back(std::move(cells));
  }
  return table(esc(t.caption), columns, rows) +
         (t.note.empty() ? "" : "<p class=\"note\">" + esc(t.note) + "</p>\n");
}

std::string card_html(const certify::FeatureCard& card) {
  std::string contexts;
  for (const certify::CardContext& c : card.contexts) {
    contexts += "<tr><td class=\"before\">" + token(c.before) + "</td><td class=\"hit\"><mark>" +
                token(c.token) + "</mark></td><td>" + token(c.after) + "</td><td class=\"num\">" +
                esc(c.value) + "</td></tr>\n";
  }
  std::string tops;
  for (const auto& [text, share] : card.top_tokens) {
    tops += "<li>" + token(text) + " <span class=\"share\">" + esc(share) + "</span></li>";
  }
  const std::string number = std::to_string(card.feature);
  return "<article class=\"card\"><h4>" + esc(card.name) + " <span class=\"fid\">feature " +
         number + "</span></h4>\n<p class=\"note\">" + esc(card.site) +
         (card.density.empty() ? "" : " · on for " + esc(card.density)) + "</p>\n" +
         (tops.empty()
              ? ""
              : "<ul class=\"tops\" aria-label=\"Tokens it fires on most\">" + tops + "</ul>\n") +
         "<table class=\"kwic\"><caption>Where feature " + number +
         " is strongest</caption><colgroup><col><col><col><col></colgroup><thead><tr><th "
         "scope=\"col\">Before</th><th scope=\"col\">Token</th>"
         "<th scope=\"col\">After</th><th scope=\"col\">Value</th></tr></thead><tbody>\n" +
         contexts + "</tbody></table></article>\n";
}

std::string cards_html(const Page& page) {
  std::string out;
  for (const certify::Evidence* evidence : page.evidence.with_role(certify::kCardsRole)) {
    const auto bytes = page.evidence.read(*evidence);
    if (!bytes) {
      out += withheld(*evidence, kMissing);
      continue;
    }
    try {
      std::string cards;
      for (const certify::FeatureCard& card :
           certify::parse_feature_cards(*bytes, evidence->name)) {
        cards += card_html(card);
      }
      out +=
          "<h3>What single features react to</h3>\n<p>OBSERVED: the strongest places on held-out "
          "text. The names are "
          "given by rule from these lists; they are descriptions, not claims.</p>\n<div "
          "class=\"cards\">" +
          cards + "</div>\n";
    } catch (const InputError&) {
      out += withheld(*evidence, "The file is not of the documented form.");
    }
  }
  return out;
}

std::string figures_html(const Page& page) {
  std::vector<std::vector<std::string>> rows;
  for (const certify::Figure& f : page.statement.figures) {
    rows.push_back({esc(f.label), esc(f.group), esc(f.value), esc(f.note)});
  }
  return rows.empty() ? "" : table("Figures", {"Figure", "About", "Value", "Definition"}, rows);
}

}  // namespace

std::string automaton_html(const Page& page) {
  std::string out;
  for (const certify::Evidence* evidence : page.evidence.with_role(certify::kPictureRole)) {
    out += picture_html(page, *evidence);
  }
  out += outline_html(page);
  return out.empty() ? "" : section("automaton", "The feature automaton", out);
}

std::string failures_html(const Page& page) {
  std::string out;
  const std::vector<Claim>& claims = page.statement.claims;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const Claim& claim = claims[i];
    if (claim.status == Status::holds) {
      continue;
    }
    out += "<article class=\"claim\"><h3>" + claim_link(i + 1) + " " + esc(claim.text) +
           "</h3>\n<p class=\"badges\">" + status_badge(claim.status) + "</p>\n" +
           (claim.reason.empty() ? "" : "<p>" + esc(claim.reason) + "</p>\n") +
           counterexample_html(page, claim, i + 1) + "</article>\n";
  }
  return section("failures", "Counterexamples, failures, unknowns",
                 out.empty() ? "<p>No claim is violated and none is undecided.</p>" : out);
}

std::string erasure_html(const Page& page) {
  std::string out;
  for (const certify::Table& t : page.statement.tables) {
    out += is_erasure(t) ? table_html(t) : "";
  }
  return out.empty()
             ? ""
             : section("erasure", "Concept erasure",
                       "<p>What a linear eraser takes away, on the data named, and what other "
                       "probes still find. Nothing here says that the model has forgotten the "
                       "concept.</p>\n" +
                           out);
}

std::string dictionary_html(const Page& page) {
  std::string out = figures_html(page);
  for (const certify::Table& t : page.statement.tables) {
    out += is_erasure(t) ? "" : table_html(t);
  }
  out += cards_html(page);
  return out.empty() ? "" : section("dictionary", "Model and dictionary in figures", out);
}

}  // namespace assay::report
