#include "assay/spec/redeclare.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "assay/spec/print.hpp"

namespace assay::spec {

void redeclare(Spec& spec, const std::string& word, const std::string& declaration) {
  const std::string option = "--" + word;
  const std::string name = declaration.substr(0, declaration.find('='));
  Spec context;  // what the declaration may name
  context.name = spec.name;
  context.uses = spec.uses;
  const auto target = std::find_if(spec.classes.begin(), spec.classes.end(),
                                   [&](const TokenClass& c) { return c.name == name; });
  context.classes.assign(spec.classes.begin(), word == "class" ? target : spec.classes.end());
  const auto atom = std::find_if(spec.atoms.begin(), spec.atoms.end(),
                                 [&](const Atom& a) { return a.name == name; });
  if (word == "class" ? target == spec.classes.end() : atom == spec.atoms.end()) {
    throw UsageError(option + " " + declaration + ": expected NAME=… of a declared " + word +
                     ", found '" + name + "'");
  }
  const Spec parsed = parse_spec(print_spec(context) + word + " " + declaration + ";", option);
  if (word == "class") {
    if (parsed.classes.size() != context.classes.size() + 1 || !parsed.atoms.empty()) {
      throw UsageError(option + " " + declaration + ": expected one class");
    }
    *target = parsed.classes.back();
    return;
  }
  if (parsed.atoms.size() != 1 || atom->kind == Atom::Kind::position ||
      parsed.atoms[0].kind == Atom::Kind::position) {
    throw UsageError(option + " " + declaration + ": expected one ap that is no position");
  }
  *atom = parsed.atoms[0];
}

}  // namespace assay::spec
