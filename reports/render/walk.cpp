#include <algorithm>

#include "assay/base/text.hpp"
#include "html.hpp"
#include "numbers.hpp"
#include "watcher.hpp"

namespace assay::report {
namespace {

using certify::Counterexample;
using certify::PropertyExhibit;

std::string state_html(const PropertyExhibit& property, std::size_t state,
                       const std::string& bad_word) {
  const std::string& kind = property.states[state];
  const std::string word = kind == certify::kBadState       ? " " + esc(bad_word)
                           : kind == certify::kSettledState ? " settled"
                                                            : "";
  return "<span class=\"q " + kind + "\">state <b>" + std::to_string(state) + "</b>" + word +
         "</span>";
}

double largest_value(const Counterexample& run) {
  double largest = 0;
  for (const certify::RunStep& step : run.steps) {
    for (const auto& feature : step.features) {
      largest = std::max(largest, drawing_value(feature.second).value_or(0));
    }
  }
  return largest;
}

/// Each with a bar as long as its share of the largest value of the run.
std::string features_html(const certify::RunStep& step, double largest) {
  std::string out;
  for (const auto& [name, value] : step.features) {
    const double share =
        largest > 0 ? std::clamp(drawing_value(value).value_or(0) / largest, 0.0, 1.0) : 0;
    out += "<li style=\"--w:" + std::to_string(static_cast<int>(100 * share)) + "%\">" +
           token(name) + " <span>" + esc(value) + "</span></li>";
  }
  return out.empty() ? "" : "<ul>" + out + "</ul>";
}

}  // namespace

std::string walk_html(const Counterexample& run, const PropertyExhibit* property,
                      const std::string& bad_word) {
  const std::vector<std::size_t> path = property != nullptr && !property->states.empty()
                                            ? path_of(*property, run)
                                            : std::vector<std::size_t>();
  const auto state = [&](std::size_t i) {
    return path.empty() ? "" : state_html(*property, path[i], bad_word);
  };
  std::string text;
  for (const certify::RunStep& step : run.steps) {
    text += step.token;
  }
  std::string out = "<h4>The run</h4>\n<p class=\"run\"><span class=\"prompt\">" +
                    token(run.prompt) + "</span><span class=\"emitted\">" + token(text) +
                    "</span></p>\n<p class=\"note\">Prompt, then (underlined) what the model "
                    "emitted. " +
                    esc(run.replay) +
                    " Below, token by token: the atoms that are true, the state of the automaton "
                    "after the token, and the features that are most on, with their values.</p>\n"
                    "<ol class=\"walk\" aria-label=\"The run, token by token\">\n"
                    "<li class=\"from\"><span class=\"n\">prompt</span>" +
                    token(run.prompt) + state(0) + "</li>\n";
  const double largest = largest_value(run);
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    const certify::RunStep& step = run.steps[i];
    out += "<li><span class=\"n\">" + std::to_string(i + 1) + "</span>" + token(step.token) +
           "<span class=\"says\">" + esc(step.note) + "</span>" + state(i + 1) +
           features_html(step, largest) + "</li>\n";
  }
  return out + "</ol>\n";
}

}  // namespace assay::report
