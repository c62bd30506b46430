#include "assay/automata/step_machine.hpp"

#include <algorithm>
#include <map>

#include "assay/base/errors.hpp"
#include "assay/spec/cover.hpp"

namespace assay::automata {
namespace {

/// Bit i of a letter is the truth of the machine's ap of this number.
std::vector<std::size_t> places_of(const Hoa& machine, const std::vector<std::string>& aps) {
  std::vector<std::size_t> out;
  for (const std::string& ap : aps) {
    const auto found = std::find(machine.aps.begin(), machine.aps.end(), ap);
    if (found == machine.aps.end()) {
      throw UsageError("ap " + ap +
                       ": expected it among the machine's aps, found none of that name");
    }
    out.push_back(static_cast<std::size_t>(found - machine.aps.begin()));
  }
  return out;
}

template <class T>
void sort_once(std::vector<T>& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

}  // namespace

StepMachine steps_of(const Hoa& machine, const std::vector<std::string>& aps) {
  const std::vector<std::size_t> places = places_of(machine, aps);
  StepMachine out;
  out.aps = aps;
  out.steps.resize(machine.states);
  std::map<std::vector<int>, std::vector<std::uint32_t>> letters;  // of each different label
  std::size_t count = 0;
  for (const Hoa::Edge& edge : machine.edges) {
    const auto found = letters.find(edge.label.program);
    const auto& shown =
        found != letters.end()
            ? found->second
            : letters.emplace(edge.label.program, edge.label.letters(places)).first->second;
    for (const std::uint32_t letter : shown) {
      out.steps[edge.from].push_back({letter, static_cast<std::uint32_t>(edge.to)});
    }
    count += shown.size();
    if (count > kMaxSteps) {
      throw UsageError("expected a machine of at most 2,000,000 steps, found more");
    }
  }
  for (auto& steps : out.steps) {
    sort_once(steps);
  }
  for (const std::size_t s : machine.start) {
    out.initial.push_back(static_cast<std::uint32_t>(s));
  }
  sort_once(out.initial);
  require(std::none_of(out.steps.begin(), out.steps.end(), [](const auto& s) { return s.empty(); }),
          "steps_of: a state from which no run goes on");
  return out;
}

std::string to_dot(const StepMachine& machine, const std::string& title) {
  std::string text = "digraph machine {\n  rankdir=LR;\n  label=\"";
  for (const char c : title) {
    text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  text += "\";\n  node [shape=circle];\n  start [shape=point];\n";
  for (const std::uint32_t s : machine.initial) {
    text += "  start -> " + std::to_string(s) + ";\n";
  }
  for (std::size_t s = 0; s < machine.steps.size(); ++s) {
    std::map<std::uint32_t, std::vector<bool>> letters;
    for (const StepMachine::Step& step : machine.steps[s]) {
      auto& members = letters[step.to];
      members.resize(std::size_t{1} << machine.aps.size());
      members[step.letter] = true;
    }
    for (const auto& [to, members] : letters) {
      text += "  " + std::to_string(s) + " -> " + std::to_string(to) + " [label=\"" +
              spec::cover_text(spec::cover(members), machine.aps) + "\"];\n";
    }
  }
  return text + "}\n";
}

}  // namespace assay::automata
