#include "exact_export.hpp"

#include <algorithm>

#include "assay/base/progress.hpp"
#include "exact_quotient.hpp"
#include "machine_files.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kBlock = 16384;

/// The windows that a run can reach, the prompts' own first and in their order; empty when a budget is used up.
class Reached {
 public:
  Reached(const ExactInput& input, WindowMachine& machine) : input_(input), machine_(machine) {
    input.prompts.for_each_window(machine.codes(), machine.vocabulary(),
                                  [this](automata::WindowCode code) {
                                    meet(machine_.intern(code));
                                    return fits();
                                  });
    starts_ = windows_.size();
  }

  bool explore() {
    for (std::size_t begin = 0; begin < windows_.size() && fits();) {
      const std::size_t end = std::min(begin + kBlock, windows_.size());
      machine_.evaluate(std::span(windows_).subspan(begin, end - begin), input_.limits.threads);
      for (; begin < end; ++begin) {
        const automata::WindowCode from = machine_.code(windows_[begin]);
        for (const WindowMachine::Edge edge : machine_.edges(windows_[begin])) {
          meet(machine_.intern(machine_.codes().append(from, edge >> 1U)));
        }
      }
    }
    return fits();
  }

  [[nodiscard]] const std::vector<WindowMachine::Index>& windows() const { return windows_; }
  [[nodiscard]] std::span<const WindowMachine::Index> starts() const {
    return std::span(windows_).first(starts_);
  }

 private:
  void meet(WindowMachine::Index window) {
    met_.resize(std::max(met_.size(), machine_.size()));
    if (!met_[window]) {
      met_[window] = true;
      windows_.push_back(window);
    }
  }
  [[nodiscard]] bool fits() const {
    return windows_.size() <= input_.limits.states && machine_.bytes() <= input_.limits.bytes &&
           !interrupted();
  }

  const ExactInput& input_;
  WindowMachine& machine_;
  std::vector<bool> met_;
  std::vector<WindowMachine::Index> windows_;
  std::size_t starts_ = 0;
};

/// "the atoms of `must` are true, what is not in `may` is false", over aps[i] = atoms[i].
automata::HoaLabel label_of(const std::vector<std::size_t>& atoms,
                            const std::pair<std::uint64_t, std::uint64_t>& letter) {
  automata::HoaLabel out;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const bool must = ((letter.first >> atoms[i]) & 1U) != 0;
    if (!must && ((letter.second >> atoms[i]) & 1U) != 0) {
      continue;
    }
    const bool first = out.program.empty();
    out.program.push_back(static_cast<int>(i));
    if (!must) {
      out.program.push_back(automata::HoaLabel::kNot);
    }
    if (!first) {
      out.program.push_back(automata::HoaLabel::kAnd);
    }
  }
  if (out.program.empty()) {
    out.program.push_back(automata::HoaLabel::kTrue);
  }
  return out;
}

automata::Hoa hoa_of(const ExactInput& input, const ExactQuotient& quotient, const Reached& reached,
                     const spec::Property& property) {
  const std::vector<std::size_t> atoms = spec::atoms_of(property.formula);
  automata::Hoa out;
  out.name = "exact machine under property " + property.name;
  for (const std::size_t a : atoms) {
    out.aps.push_back(input.subject.spec->atoms[a].name);
  }
  out.states = quotient.classes();
  out.state_names.assign(out.states, "");
  out.accepting.assign(out.states, false);
  std::vector<automata::HoaLabel> labels;
  for (const auto& letter : quotient.letters()) {
    labels.push_back(label_of(atoms, letter));
  }
  for (std::size_t from = 0; from < out.states; ++from) {
    for (const std::uint32_t to : quotient.successors()[from]) {
      out.edges.push_back({from, to, labels[to], false});
    }
  }
  std::vector<WindowMachine::Index> sorted = reached.windows();
  std::sort(sorted.begin(), sorted.end());
  for (const WindowMachine::Index w : reached.starts()) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), w) - sorted.begin();
    out.start.push_back(quotient.class_of()[static_cast<std::size_t>(at)]);
  }
  std::sort(out.start.begin(), out.start.end());
  out.start.erase(std::unique(out.start.begin(), out.start.end()), out.start.end());
  return out;
}

}  // namespace

std::vector<std::string> export_machine(const ExactInput& input, WindowMachine& machine,
                                        const spec::Property& property) {
  if (input.max_new || input.emission.mask() == automata::Emission::Mask::after) {
    return {"not written: the formats hold endless runs, and here runs end"};
  }
  Reached reached(input, machine);
  if (!reached.explore()) {
    return {"not written: the machine is larger than --states or --memory, or was interrupted"};
  }
  std::uint64_t mask = 0;
  for (const std::size_t a : spec::atoms_of(property.formula)) {
    mask |= std::uint64_t{1} << a;
  }
  const auto quotient = ExactQuotient::of(machine, reached.windows(), mask);
  if (!quotient) {
    return {"not written: the machine has an edge that leaves it"};
  }
  return write_machine(input.export_folder, *input.subject.spec, property,
                       hoa_of(input, *quotient, reached, property));
}

}  // namespace assay::verify
