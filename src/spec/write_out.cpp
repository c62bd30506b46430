#include "write_out.hpp"

#include <algorithm>

#include <set>

#include "assay/base/errors.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/print.hpp"
#include "lexer.hpp"

namespace assay::spec {
namespace {

/// Whether the text names one of the words.
bool names_any(const std::string& text, const std::set<std::string>& words) {
  Lexer lexer(text, "formula");
  while (lexer.peek().kind != LexemeKind::end) {
    const Lexeme word = lexer.take();
    if (word.kind == LexemeKind::identifier && words.count(word.text) > 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

void write_out(Spec& spec, const std::string& file) {
  std::set<std::string> wide = {"R",    "M",      "O",     "H",       "first",
                                "last", "before", "after", "between", "at_most"};
  for (const Atom& atom : spec.atoms) {
    if (atom.kind == Atom::Kind::position) {
      wide.insert(atom.name);
    }
  }
  std::vector<Let> kept;
  for (const Let& let : spec.lets) {
    if (names_any(let.text, wide)) {
      wide.insert(let.name);
    } else {
      kept.push_back(let);
    }
  }
  for (Property& p : spec.properties) {
    const bool core = !p.from && !p.assume && !names_any(p.text, wide);
    if (core || p.claim != Property::Claim::all) {
      continue;
    }
    p.text = formula_text(p.formula, spec.atoms);
    p.from = p.assume = nullptr;
    p.from_text.clear();
    p.assume_text.clear();
    try {
      Spec alone = spec;
      alone.lets.clear();
      alone.properties = {p};
      static_cast<void>(parse_spec(print_spec(alone), file));
    } catch (const UsageError&) {
      throw UsageError(file + ":" + std::to_string(p.place.line) + ":" +
                       std::to_string(p.place.column) +
                       ": expected a property that can be written "
                       "out, found " +
                       p.name + ", which is too deep");
    }
  }
  // other claims keep their text, and with it every let
  const bool all = std::all_of(spec.properties.begin(), spec.properties.end(),
                               [](const Property& p) { return p.claim == Property::Claim::all; });
  if (all) {
    spec.lets = std::move(kept);
  }
}

}  // namespace assay::spec
