#include "spec.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "reject.hpp"
#include "spec_levels.hpp"
#include "spec_ltl.hpp"
#include "spec_tokens.hpp"

namespace assay_check {
namespace {

using Kind = SpecToken::Kind;
constexpr std::size_t kMaxAtoms = 31;

class SpecParser {
 public:
  SpecParser(const std::string& text, const std::string& file)
      : tokens_(text, file), ltl_(tokens_, spec_.formulas), levels_(tokens_, ltl_, spec_) {}

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
    levels_.finish();
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
    } else if (tokens_.take_if("level")) {
      levels_.read(fresh_name("formula"));
    } else if (tokens_.take_if("move")) {
      levels_.move();
    } else if (tokens_.take_if("ap")) {
      read_ap();
    } else if (tokens_.take_if("let")) {
      const std::string word = fresh_name("formula");
      ltl_.declare_let(word);
    } else if (tokens_.take_if("prop")) {
      read_prop();
    } else {
      tokens_.refuse("use, class, level, move, ap, let or prop");
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

  void read_compare(SpecAtom& atom) {
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
    atom.compare = found->second;
  }

  void read_comparison(SpecAtom& atom) {
    read_compare(atom);
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
    } else if (tokens_.take_if("role") || tokens_.take_if("pos")) {  // no formula here may use it
      atom.kind = SpecAtom::Kind::other;
      tokens_.skip_to(";");
    } else if (levels_.is_form()) {
      atom.kind = SpecAtom::Kind::level;
      atom.form = levels_.compared();
      read_compare(atom);
      atom.threshold = parse_decimal(tokens_.take(Kind::number, "a decimal").text);
    } else {
      atom.kind = SpecAtom::Kind::readout;
      tokens_.expect("read");
      tokens_.expect("(");
      atom.use = use_of("readout");
      tokens_.expect(")");
      read_comparison(atom);
    }
    if (spec_.atoms.size() >= kMaxAtoms) {
      tokens_.refuse("at most 31 aps");
    }
    ltl_.declare_atom(atom.name);
    spec_.atoms.push_back(std::move(atom));
  }

  void read_prop() {
    SpecProperty property;
    property.name = name();
    if (!property_names_.insert(property.name).second) {
      tokens_.refuse("a property name that is not taken before this");
    }
    tokens_.expect(":");
    const bool most = tokens_.peek().text == "Pmax", chance = most || tokens_.peek().text == "Pmin";
    const std::size_t claim = tokens_.position();
    property.some = tokens_.peek().text == "some";
    tokens_.expect(chance ? (most ? "Pmax" : "Pmin") : property.some ? "some" : "all");
    const std::size_t begin = tokens_.position();
    if (chance) {
      read_bound(most, property);
    } else {
      property.formula = ltl_.parse(property.atoms);
      property.formula = property.some ? spec_.formulas.negate(property.formula) : property.formula;
    }
    property.text = tokens_.text_since(chance ? claim : begin);
    while (tokens_.peek().text != ";") {
      read_attribute(property);
    }
    for (std::size_t i = 0; i < spec_.atoms.size(); ++i) {
      property.supported &=
          (property.atoms >> i & 1) == 0 || spec_.atoms[i].kind != SpecAtom::Kind::other;
    }
    spec_.properties.push_back(std::move(property));
  }

  /// cmp DEC [ ltl ] of Pmax and Pmin; supported: Pmax with <= and <, Pmin with >= and >.
  void read_bound(bool most, SpecProperty& property) {
    SpecAtom bound;
    read_compare(bound);
    SpecProperty::Chance& chance = property.chance.emplace();
    chance.compare = bound.compare;
    chance.probability = parse_decimal(tokens_.take(Kind::number, "a decimal").text);
    property.supported = most == (bound.compare == SpecAtom::Compare::at_most ||
                                  bound.compare == SpecAtom::Compare::below);
    tokens_.expect("[");
    property.formula = ltl_.parse(property.atoms);
    tokens_.expect("]");
  }

  void read_attribute(SpecProperty& property) {
    if (tokens_.take_if("doc") || tokens_.take_if("owner")) {
      tokens_.take(Kind::string, "a string");
    } else if (tokens_.take_if("severity") || tokens_.take_if("expect")) {
      tokens_.take(Kind::name, "a word");
    } else if (tokens_.take_if("waive")) {
      tokens_.skip_to(";");
    } else if (property.chance && tokens_.take_if("horizon")) {
      if (property.chance->horizon) {
        tokens_.refuse("each attribute once");
      }
      property.chance->horizon = tokens_.natural();
    } else if (property.chance && tokens_.take_if("conf")) {
      tokens_.take(Kind::number, "a decimal");
    } else if (property.chance && (tokens_.take_if("from") || tokens_.take_if("assume"))) {
      property.supported = false;  // no rule speaks of them
      tokens_.skip_to(";");
    } else {
      tokens_.refuse("an attribute or ';'");
    }
  }

  Spec spec_;
  SpecTokens tokens_;
  LtlParser ltl_;
  SpecLevels levels_;
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

Fraction parse_decimal(std::string_view word) {
  std::string_view rest = word;
  const bool negative = rest.starts_with('-');
  rest.remove_prefix(negative ? 1 : 0);
  const std::size_t point = std::min(rest.find('.'), rest.size());
  const std::string_view places = rest.substr(std::min(point + 1, rest.size()));
  if (point == 0 || (point < rest.size() && places.empty()) || rest.size() > 16) {
    throw Reject("lexis", "expected a decimal number, found '" + std::string(word) + "'");
  }
  Fraction f;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (i == point) {
      continue;
    }
    if (rest[i] < '0' || rest[i] > '9') {
      throw Reject("lexis", "expected a decimal number, found '" + std::string(word) + "'");
    }
    f.num = f.num * 10 + (rest[i] - '0');
    f.den *= i > point ? 10 : 1;
  }
  if (f.num > 999'999'999'999'999) {
    throw Reject("lexis", "expected a decimal of at most 15 digits");
  }
  f.num = negative ? -f.num : f.num;
  return f;
}

}  // namespace assay_check
