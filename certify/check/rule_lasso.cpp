#include <map>

#include "reject.hpp"
#include "tableau.hpp"
#include "windows.hpp"
#include "witness.hpp"

namespace assay_check {
namespace {

/// The window after the prompt and the first n tokens.
std::uint64_t window_after(const Windows& windows, const Run& run, std::size_t n) {
  std::uint64_t window = 0;
  for (const std::size_t t : run.prompt) {
    window = windows.append(window, t);
  }
  for (std::size_t i = 0; i < n; ++i) {
    window = windows.append(window, run.tokens[i]);
  }
  return window;
}

constexpr std::size_t kMaxNodes = 20'000;

/// The tableau of f accepts the endless word whose last `loop` letters come again and again.
bool accepts(Formulas& formulas, FormulaId f, const std::vector<std::uint64_t>& letters,
             std::size_t loop) {
  Tableau tableau(formulas, f);
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> numbers;  // (position, state)
  std::vector<std::pair<std::size_t, std::size_t>> nodes;
  std::vector<std::vector<std::size_t>> next;
  std::vector<bool> accepting;
  const auto number = [&](std::size_t position, std::size_t state) {
    const auto [at, fresh] = numbers.emplace(std::pair(position, state), nodes.size());
    if (fresh) {
      nodes.emplace_back(position, state);
    }
    return at->second;
  };
  for (const std::size_t s : tableau.initial()) {
    (void)number(0, s);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {  // grows
    if (nodes.size() > kMaxNodes) {
      throw Reject("LASSO", "the run and the formula together are over the limit");
    }
    const auto [position, state] = nodes[i];
    next.emplace_back();
    accepting.push_back(tableau.is_accepting(state));
    const std::size_t after = position + 1 < letters.size() ? position + 1 : letters.size() - loop;
    for (const std::size_t to : std::vector(tableau.next(state, letters[position]))) {
      next.back().push_back(number(after, to));
    }
  }
  return has_accepting_cycle(next, accepting);
}

}  // namespace

// LASSO
//   every token after the prompt is surely kept by the decoder, given all before it     no horizon
//   every atom of φ is decided at every position      the window after P·N is the window after P·N·L
//   the tableau of ¬φ accepts the letters of N and then those of L for ever
//   ------------------------------------------------------------------------------------------------
//   P·N·L·L·… is a run of the model, and φ is violated by it
void rule_lasso(Session& session, const Step& step) {
  const std::size_t index = session.property(step.id);
  session.need_sources(index);
  const SpecProperty& property = session.spec().properties[index];
  const Run run = read_run(session, step, true);
  const Windows& windows = session.windows();
  const std::size_t stem = run.tokens.size() - run.loop;
  if (window_after(windows, run, stem) != window_after(windows, run, run.tokens.size())) {
    refuse(step, "the loop does not close: another window comes after it than before it");
  }
  const std::vector<std::uint64_t> letters = played(session, step, run, property.atoms);
  Formulas& formulas = session.spec().formulas;
  if (!accepts(formulas, formulas.negate(property.formula), letters, run.loop)) {
    refuse(step, property.some ? "the endless run does not show the property"
                               : "the endless run does not violate the property");
  }
  session.conclusions.push_back(
      {step.id, "PROVED", property.by_a_run() + words_of(session, run) + ": " + property.claim()});
}

}  // namespace assay_check
