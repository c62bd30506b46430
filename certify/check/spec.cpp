#include "spec.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "reject.hpp"
#include "spec_ltl.hpp"
#include "spec_tokens.hpp"

namespace assay_check {
namespace {

using Kind = SpecToken::Kind;
constexpr std::size_t kMaxAtoms = 31;
constexpr std::size_t kMaxPosition = 20'000;

class SpecParser {
 public:
  SpecParser(const std::string& text, const std::string& file)
      : tokens_(text, file), ltl_(tokens_, spec_.formulas) {}

  Spec parse() {
    tokens_.expect("spec");
    tokens_.take(Kind::string, "a string");
    tokens_.expect("version");
    static_cast<void>(tokens_.natural());
    tokens_.expect(";");
    while (tokens_.peek().kind != Kind::end) {
      item();
      tokens_.expect(";");
    }
    if (spec_.properties.empty()) {
      tokens_.refuse("a property");
    }
    return std::move(spec_);
  }

 private:
  std::string name() { return std::string(tokens_.take(Kind::name, "a name").text); }

  /// Aps and lets share one space of names; uses and classes have their own.
  std::string fresh_name(const char* space) {
    std::string word = name();
    const bool formula = std::string_view(space) == "formula";
    if ((formula && ltl_.is_declared(word)) || !names_.emplace(space, word).second) {
      tokens_.refuse("a name that is not taken before this");
    }
    return word;
  }

  void item() {
    if (tokens_.take_if("use")) {
      read_use();
    } else if (tokens_.take_if("class")) {
      read_class();
    } else if (tokens_.take_if("ap")) {
      read_ap();
    } else if (tokens_.take_if("let")) {
      const std::string word = fresh_name("formula");
      ltl_.declare_let(word);
    } else if (tokens_.take_if("prop")) {
      read_prop();
    } else {
      tokens_.refuse("use, class, ap, let or prop");
    }
  }

  void read_use() {
    SpecUse use;
    use.kind = name();
    if (use.kind != "model" && use.kind != "sae" && use.kind != "readout") {
      tokens_.refuse("model, sae or readout before this");
    }
    use.name = fresh_name(use.kind.c_str());
    tokens_.expect("=");
    tokens_.take(Kind::string, "a path");
    tokens_.expect("sha256");
    use.sha = tokens_.digest();
    spec_.uses.push_back(std::move(use));
  }

  void read_class() {
    const std::string word = fresh_name("class");
    tokens_.expect("=");
    tokens_.expect("ids");
    tokens_.expect("{");
    std::set<std::size_t> ids;
    do {
      ids.insert(tokens_.natural());
    } while (tokens_.take_if(","));
    tokens_.expect("}");
    classes_.emplace(word, std::vector<std::size_t>(ids.begin(), ids.end()));
  }

  std::string use_of(const char* kind) {
    std::string word = name();
    if (spec_.find_use(kind, word) == nullptr) {
      tokens_.refuse("a use declared above before this");
    }
    return word;
  }

  SpecAtom::Compare comparison_sign() {
    using Compare = SpecAtom::Compare;
    const std::pair<const char*, Compare> words[] = {{">=", Compare::at_least},
                                                     {">", Compare::above},
                                                     {"<=", Compare::at_most},
                                                     {"<", Compare::below}};
    const auto* found = std::find_if(std::begin(words), std::end(words),
                                     [&](const auto& w) { return tokens_.take_if(w.first); });
    if (found == std::end(words)) {
      tokens_.refuse("a comparison");
    }
    return found->second;
  }

  void read_comparison(SpecAtom& atom) {
    atom.compare = comparison_sign();
    atom.threshold = parse_decimal(tokens_.take(Kind::number, "a decimal").text);
    if (tokens_.take_if("band")) {
      atom.band = parse_decimal(tokens_.take(Kind::number, "a decimal").text);
    }
    if (atom.band.num < 0) {
      tokens_.refuse("a band that is not negative before this");
    }
  }

  void read_token_atom(SpecAtom& atom) {
    if (tokens_.take_if("in")) {
      const auto found = classes_.find(name());
      if (found == classes_.end()) {
        tokens_.refuse("a class declared above before this");
      }
      atom.tokens = found->second;
      return;
    }
    tokens_.expect("=");
    tokens_.expect("id");
    atom.tokens = {tokens_.natural()};
  }

  void read_ap() {
    SpecAtom atom;
    atom.name = fresh_name("formula");
    tokens_.expect("=");
    if (tokens_.take_if("tok")) {
      read_token_atom(atom);
    } else if (tokens_.take_if("feat")) {
      atom.kind = SpecAtom::Kind::feature;
      tokens_.expect("(");
      atom.use = use_of("sae");
      tokens_.expect("/");
      atom.feature = tokens_.natural();
      tokens_.expect(")");
      read_comparison(atom);
    } else if (tokens_.take_if("role")) {
      atom.kind = SpecAtom::Kind::other;
      tokens_.expect("=");
      static_cast<void>(name());
    } else if (tokens_.take_if("pos")) {
      read_position(atom);
      return;
    } else {
      atom.kind = SpecAtom::Kind::readout;
      tokens_.expect("read");
      tokens_.expect("(");
      atom.use = use_of("readout");
      tokens_.expect(")");
      read_comparison(atom);
    }
    ltl_.declare_atom(atom.name);
    keep(std::move(atom));
  }

  void keep(SpecAtom atom) {
    if (spec_.atoms.size() >= kMaxAtoms) {
      tokens_.refuse("at most 31 aps");
    }
    spec_.atoms.push_back(std::move(atom));
  }

  /// pos CMP k, from 0: pos <= k says that the first position is at most k back.
  void read_position(SpecAtom& atom) {
    using Compare = SpecAtom::Compare;
    atom.kind = SpecAtom::Kind::other;
    atom.compare = comparison_sign();
    const std::size_t value = tokens_.natural();
    const bool upward = atom.compare == Compare::at_least || atom.compare == Compare::above;
    const bool strict = atom.compare == Compare::at_least || atom.compare == Compare::below;
    if (value > kMaxPosition) {
      tokens_.refuse("a position of at most 20000 before this");
    }
    ltl_.declare_position(atom.name, upward, strict, static_cast<std::uint32_t>(value));
    keep(std::move(atom));
  }

  void read_prop() {
    SpecProperty property;
    property.name = name();
    if (!property_names_.insert(property.name).second) {
      tokens_.refuse("a property name that is not taken before this");
    }
    tokens_.expect(":");
    read_claim(property);
    Conditions conditions;
    while (tokens_.peek().text != ";") {
      read_attribute(property, conditions);
    }
    // all φ from b = all G(b -> X φ), all φ assume a = all (a -> φ)
    property.formula = ltl_.conditioned(property.formula, conditions.from, conditions.assume);
    for (std::size_t i = 0; i < spec_.atoms.size(); ++i) {
      if ((property.atoms >> i & 1) != 0 && spec_.atoms[i].kind == SpecAtom::Kind::other) {
        property.unsupported = "its ap " + spec_.atoms[i].name + " is about roles";
      }
    }
    spec_.properties.push_back(std::move(property));
  }

  void read_claim(SpecProperty& property) {
    const std::string word(tokens_.peek().text);
    const bool chance = word == "Pmax" || word == "Pmin";
    if (!chance && word != "all" && word != "some") {
      tokens_.refuse("all, some, Pmax or Pmin");
    }
    tokens_.expect(word);
    if (word != "all") {
      property.unsupported = "it is a '" + word + "' claim";
    }
    if (chance) {
      static_cast<void>(comparison_sign());
      static_cast<void>(parse_decimal(tokens_.take(Kind::number, "a decimal").text));
      tokens_.expect("[");
    }
    const std::size_t begin = tokens_.position();
    property.formula = ltl_.parse(property.atoms);
    property.text = tokens_.text_since(begin);
    if (chance) {
      tokens_.expect("]");
    }
  }

  struct Conditions {
    FormulaId from = Formulas::kFalse, assume = Formulas::kFalse;  ///< kFalse: not given
  };

  FormulaId read_condition(SpecProperty& property) {
    const std::size_t begin = tokens_.position() - 1;
    std::uint64_t atoms = 0;
    const FormulaId f = ltl_.parse(atoms);
    property.atoms |= atoms;
    property.text += " " + tokens_.text_since(begin);
    if (f == Formulas::kFalse) {
      tokens_.refuse("a condition that is not false before this");
    }
    return f;
  }

  void read_attribute(SpecProperty& property, Conditions& conditions) {
    if (tokens_.take_if("doc") || tokens_.take_if("owner")) {
      tokens_.take(Kind::string, "a string");
    } else if (tokens_.take_if("severity") || tokens_.take_if("expect")) {
      tokens_.take(Kind::name, "a word");
    } else if (tokens_.take_if("horizon") || tokens_.take_if("conf")) {
      tokens_.take(Kind::number, "a number");
    } else if (tokens_.take_if("waive")) {
      tokens_.take(Kind::string, "a string");
      tokens_.expect("until");
      for (int i = 0; i < 3; ++i) {  // YYYY -MM -DD
        tokens_.take(Kind::number, "a date");
      }
    } else if (conditions.from == Formulas::kFalse && tokens_.take_if("from")) {
      conditions.from = read_condition(property);
    } else if (conditions.assume == Formulas::kFalse && tokens_.take_if("assume")) {
      conditions.assume = read_condition(property);
    } else {
      tokens_.refuse("an attribute or ';'");
    }
  }

  Spec spec_;
  SpecTokens tokens_;
  LtlParser ltl_;
  std::map<std::string, std::vector<std::size_t>> classes_;
  std::set<std::pair<std::string, std::string>> names_;
  std::set<std::string> property_names_;
};

}  // namespace

const SpecUse* Spec::find_use(const std::string& kind, const std::string& name) const {
  const auto found = std::find_if(
      uses.begin(), uses.end(), [&](const SpecUse& u) { return u.kind == kind && u.name == name; });
  return found == uses.end() ? nullptr : &*found;
}

Spec parse_spec(const std::string& text, const std::string& file) {
  return SpecParser(text, file).parse();
}

}  // namespace assay_check
