#include <algorithm>
#include <optional>

#include "assay/base/errors.hpp"
#include "html.hpp"
#include "parts.hpp"
#include "watcher.hpp"

namespace assay::report {
namespace {

using certify::Claim;
using certify::Counterexample;
using certify::PropertyExhibit;
using certify::Status;

constexpr const char* kMissing =
    "The file was not there, or not as it was signed, when this report was made.";
constexpr const char* kOdd = "The file is not of the documented form.";

const certify::Evidence* property_of(const Page& page, const Claim& claim) {
  for (const std::string& name : claim.evidence) {
    const certify::Evidence* evidence = page.evidence.find(name);
    if (evidence != nullptr && evidence->role == certify::kPropertyRole) {
      return evidence;
    }
  }
  return nullptr;
}

bool is_chance(const Claim& claim) {
  return claim.kind == "chance";
}

bool has_bad(const PropertyExhibit& p) {
  return std::find(p.states.begin(), p.states.end(), certify::kBadState) != p.states.end();
}

std::string bad_word(const Claim& claim) {
  return is_chance(claim) ? "decided" : "unsafe";
}

std::string meaning(const Claim& claim, bool by_state) {
  if (claim.status == Status::unknown) {
    return "Not decided: " + esc(claim.reason.empty() ? "no reason is given" : claim.reason) +
           " Treat as <b>not shown</b>.";
  }
  if (is_chance(claim)) {
    const std::string bound = bound_text(claim);
    return std::string("A bound on a probability, which is ") +
           (claim.status == Status::holds ? "on the right side of its threshold" : "not kept") +
           (bound.empty() ? "" : ": " + bound) + ".";
  }
  if (claim.status == Status::violated) {
    return claim.counterexample.empty() ? "The property does not hold."
           : by_state                   ? "The run below reaches an unsafe state."
                                        : "The run below does not satisfy the property.";
  }
  return by_state ? "<b>No</b> run of the domain reaches an unsafe state."
                  : "<b>Every</b> run of the domain satisfies the property.";
}

std::string caption(const Claim& claim, bool walked) {
  return std::string("<figcaption>The automaton that reads a run token by token. ") +
         (is_chance(claim) ? "Octagon: whether the event happens is decided here, whatever comes. "
                           : "Octagon: unsafe, the property is violated here whatever comes. ") +
         "Dashed: settled, nothing that comes can change it." +
         (walked ? " Thick: the way of the run below." : "") + "</figcaption>";
}

std::string edges_table(const PropertyExhibit& p) {
  std::vector<std::vector<std::string>> rows;
  for (const PropertyExhibit::Edge& e : p.edges) {
    rows.push_back({std::to_string(e.from) + " (" + p.states[e.from] + ")",
                    "<code>" + esc(e.when) + "</code>",
                    std::to_string(e.to) + " (" + p.states[e.to] + ")"});
  }
  return "<details><summary>The same as a table, " + std::to_string(p.states.size()) +
         " states</summary>\n" + table("Steps of the automaton", {"From", "When", "To"}, rows) +
         "</details>\n";
}

std::string atoms_html(const PropertyExhibit& p) {
  std::string out;
  for (const auto& [name, what] : p.atoms) {
    out += "<div><dt><code>" + esc(name) + "</code></dt><dd><code>" + esc(what) +
           "</code></dd></div>\n";
  }
  return out.empty() ? "" : "<dl class=\"atoms\">\n" + out + "</dl>\n";
}

std::optional<Counterexample> run_of(const Page& page, const Claim& claim, std::string& trouble) {
  const certify::Evidence* evidence = page.evidence.find(claim.counterexample);
  if (evidence == nullptr) {
    return std::nullopt;
  }
  const auto bytes = page.evidence.read(*evidence);
  if (!bytes) {
    trouble = withheld(*evidence, kMissing);
    return std::nullopt;
  }
  try {
    return certify::parse_counterexample(*bytes, evidence->name);
  } catch (const InputError&) {
    trouble = withheld(*evidence, kOdd);
    return std::nullopt;
  }
}

std::string property_body(const Page& page, const Claim& claim, const PropertyExhibit& p) {
  std::string trouble;
  const std::optional<Counterexample> run = run_of(page, claim, trouble);
  const std::vector<std::size_t> path =
      run && !p.states.empty() ? path_of(p, *run) : std::vector<std::size_t>();
  std::string out = (p.sentence.empty() ? "" : "<p>" + esc(p.sentence) + "</p>\n") + "<p><code>" +
                    esc(p.formula) + "</code></p>\n" + atoms_html(p);
  const std::string svg = watcher_svg(p, path, bad_word(claim));
  if (!svg.empty()) {
    out +=
        "<figure><div class=\"sheet\" tabindex=\"0\" role=\"region\" aria-label=\"Drawn "
        "automaton\">" +
        svg + "</div>" + caption(claim, path.size() > 1) + "</figure>\n";
  }
  if (p.states.empty()) {
    out += "<p class=\"note\">Its automaton has too many states to be shown.</p>\n";
  } else {
    out += edges_table(p);
  }
  return out + trouble + (run ? walk_html(*run, &p, bad_word(claim)) : "");
}

std::string verdict_html(const Page& page, const Claim& claim, std::size_t number,
                         const certify::Evidence& evidence) {
  const std::string id = "verdict-" + std::to_string(number);
  const auto bytes = page.evidence.read(evidence);
  std::string body;
  bool by_state = false;
  if (!bytes) {
    body = withheld(evidence, kMissing);
  } else {
    try {
      const PropertyExhibit p = certify::parse_property(*bytes, evidence.name);
      by_state = has_bad(p);
      body = property_body(page, claim, p);
    } catch (const InputError&) {
      body = withheld(evidence, kOdd);
    }
  }
  return "<article class=\"claim page\" id=\"" + id + "\" aria-labelledby=\"" + id +
         "-h\">\n<h3 id=\"" + id + "-h\">" + claim_link(number) + " " + esc(claim.text) +
         "</h3>\n<p class=\"badges\">" + status_badge(claim.status) +
         (claim.status == Status::unknown ? "" : " " + level_badge(claim.level)) + " <code>" +
         esc(claim.id) + "</code></p>\n<p>" + meaning(claim, by_state) +
         "</p>\n<p class=\"note\">" + "Domain: " + esc(claim.domain) + "</p>\n" + body +
         "</article>\n";
}

}  // namespace

bool has_verdict(const Page& page, const Claim& claim) {
  return property_of(page, claim) != nullptr;
}

std::string verdicts_html(const Page& page) {
  std::string out;
  const std::vector<Claim>& claims = page.statement.claims;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (const certify::Evidence* evidence = property_of(page, claims[i])) {
      out += verdict_html(page, claims[i], i + 1, *evidence);
    }
  }
  return out.empty()
             ? ""
             : section("verdicts", "Properties and their verdicts",
                       "<p>Each property of a specification as a sentence, as the formula that was "
                       "checked and as the automaton that watches a run for it; where it is "
                       "violated, the run itself.</p>\n" +
                           out);
}

}  // namespace assay::report
