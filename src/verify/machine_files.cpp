#include "machine_files.hpp"

#include "assay/automata/step_machine.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/spec/formula.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kMaxDrawn = 2000;  ///< steps of a machine that is drawn

std::size_t count(const automata::StepMachine& machine) {
  std::size_t out = 0;
  for (const auto& steps : machine.steps) {
    out += steps.size();
  }
  return out;
}

}  // namespace

std::vector<std::string> write_machine(const std::filesystem::path& folder, const spec::Spec& spec,
                                       const spec::Property& property,
                                       const automata::Hoa& machine) {
  const bool some = property.claim == spec::Property::Claim::some;
  const spec::FormulaPtr formula = some ? spec::negation(property.formula) : property.formula;
  std::vector<std::string> out;
  const auto write = [&](const char* suffix, const std::string& text) {
    out.push_back(property.name + suffix);
    write_file_atomic(folder / out.back(), text);
  };
  write(".hoa", to_hoa(machine));
  std::vector<std::string> aps, atoms;
  for (const std::size_t a : spec::atoms_of(formula)) {
    aps.push_back(spec.atoms[a].name);
  }
  for (const spec::Atom& atom : spec.atoms) {
    atoms.push_back(atom.name);
  }
  const std::string title = "property " + property.name + ": " + property.claim_text() +
                            (some ? " (holds exactly when what is written here does not)" : "");
  try {
    const automata::StepMachine steps = automata::steps_of(machine, aps);
    if (count(steps) <= kMaxDrawn) {
      write(".dot", to_dot(steps, title));
    }
    if (!spec::is_safety(formula)) {
      write(".smv", to_smv(steps, formula, atoms, nullptr, title));
      out.emplace_back("no .aig: not a safety formula, and its circuit knows bad prefixes only");
      return out;
    }
    const spec::Dfa monitor = spec::bad_prefix_dfa(formula);
    write(".smv", to_smv(steps, formula, atoms, &monitor, title));
    write(".aig", to_aiger(steps, monitor, title));
  } catch (const UsageError& e) {  // over a limit
    out.push_back(std::string("not written: ") + e.what());
  }
  return out;
}

}  // namespace assay::verify
