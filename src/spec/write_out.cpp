#include "write_out.hpp"

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

/// The property as its own text reads, in canonical spacing.
Property read_back(const Spec& spec, const Property& property, const std::string& file) {
  Spec alone = spec;
  alone.lets.clear();
  alone.properties = {property};
  try {
    Property out = parse_spec(print_spec(alone), file).properties.at(0);
    out.place = property.place;
    return out;
  } catch (const UsageError&) {
    throw UsageError(file + ":" + std::to_string(property.place.line) + ":" +
                     std::to_string(property.place.column) +
                     ": expected a property that can be written out, found " + property.name +
                     ", which is too deep");
  }
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
  spec.lets = std::move(kept);
  for (Property& p : spec.properties) {
    const bool chance = p.claim == Property::Claim::pmax || p.claim == Property::Claim::pmin;
    const bool worked_in = !chance && (p.from || p.assume);
    if (!worked_in && !names_any(p.text + " " + p.from_text + " " + p.assume_text, wide)) {
      continue;
    }
    p.text = formula_text(p.formula, spec.atoms);
    if (chance) {
      p.from_text = p.from ? formula_text(p.from, spec.atoms) : "";
      p.assume_text = p.assume ? formula_text(p.assume, spec.atoms) : "";
    } else {
      p.from = p.assume = nullptr;
      p.from_text.clear();
      p.assume_text.clear();
    }
    p = read_back(spec, p, file);
  }
}

}  // namespace assay::spec
