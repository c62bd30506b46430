#include "assay/spec/print.hpp"

#include <algorithm>
#include <cstdio>

#include "assay/base/errors.hpp"
#include "assay/spec/formula.hpp"

namespace assay::spec {
namespace {

std::string class_text(const TokenClass& c) {
  std::string out;
  switch (c.form) {
    case TokenClass::Form::regex:
      return "/" + c.strings[0] + "/";
    case TokenClass::Form::combination:
      return c.strings[0] + " " + c.strings[1] + " " + c.strings[2];
    case TokenClass::Form::strings:
      for (const std::string& s : c.strings) {
        out += (out.empty() ? "" : ", ") + string_literal(s);
      }
      return "{" + out + "}";
    case TokenClass::Form::ids:
      break;
  }
  for (const TokenId id : c.ids) {
    out += (out.empty() ? "" : ", ") + std::to_string(id.at());
  }
  return "ids {" + out + "}";
}

std::string let_text(const Let& let) {
  std::string out = "let " + let.name;
  for (std::size_t i = 0; i < let.parameters.size(); ++i) {
    out += (i == 0 ? "(" : ", ") + let.parameters[i];
  }
  return out + (let.parameters.empty() ? "" : ")") + " = " + let.text + ";\n";
}

/// Its cases read what is declared after it: they stand in a `move`.
bool moves_apart(const Spec& spec, std::size_t index) {
  const Level& level = spec.levels[index];
  return std::any_of(level.cases.begin(), level.cases.end(), [&](const Level::Case& c) {
    const std::vector<std::size_t> aps = c.guard ? atoms_of(c.guard) : std::vector<std::size_t>();
    return (!aps.empty() && aps.back() >= level.atoms_before) ||
           (!c.to.terms.empty() && c.to.terms.back().first > index);
  });
}

std::string cases_text(const Spec& spec, const Level& level) {
  std::string out;
  for (const Level::Case& c : level.cases) {
    out += "\n  " +
           (c.guard ? "when " + formula_text(c.guard, spec.atoms) + ": " : std::string("else "));
    out += form_text(c.to, spec.levels);
  }
  return out + ";\n";
}

std::string level_text(const Spec& spec, std::size_t index) {
  const Level& level = spec.levels[index];
  std::string out = "level " + level.name + " = " + decimal_text(level.initial);
  out += level.least ? " min " + decimal_text(*level.least) : "";
  out += level.most ? " max " + decimal_text(*level.most) : "";
  return out + (moves_apart(spec, index) ? ";\n" : cases_text(spec, level));
}

std::string property_text(const Property& p) {
  std::string out = "prop " + p.name + ": " + p.claim_text();
  for (const char* key : {"doc", "severity", "owner", "expect", "horizon", "conf"}) {
    if (const auto found = p.attributes.find(key); found != p.attributes.end()) {
      const bool is_string = std::string(key) == "doc" || std::string(key) == "owner";
      out += std::string("\n  ") + key + " " +
             (is_string ? string_literal(found->second) : found->second);
    }
  }
  if (!p.waived_until.empty()) {
    out += "\n  waive " + string_literal(p.waiver) + " until " + p.waived_until;
  }
  return out + ";\n";
}

}  // namespace

std::string string_literal(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (code < 0x20 || code >= 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", code);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string decimal_text(const Rational& value) {
  __extension__ using Wide = __int128;
  const bool negative = value.num < 0;
  const auto magnitude = static_cast<std::uint64_t>(negative ? -value.num : value.num);
  const auto den = static_cast<std::uint64_t>(value.den);
  std::string out = (negative ? "-" : "") + std::to_string(magnitude / den);
  Wide rest = static_cast<Wide>(magnitude % den);
  for (int places = 0; rest != 0; ++places) {
    require(places < 40, "decimal_text: not a decimal");
    out += places == 0 ? "." : "";
    rest *= 10;
    out += static_cast<char>('0' + static_cast<int>(rest / static_cast<Wide>(den)));
    rest %= static_cast<Wide>(den);
  }
  return out;
}

std::string form_text(const LinearForm& form, const std::vector<Level>& levels) {
  std::string out;
  const auto add = [&out](const Rational& c, const std::string& name) {
    const bool minus = c.num < 0 && !out.empty();
    const Rational size = minus ? Rational{-c.num, c.den} : c;
    out += out.empty() ? "" : minus ? " - " : " + ";
    out += name.empty()             ? decimal_text(size)
           : size == Rational{1, 1} ? name
                                    : decimal_text(size) + "*" + name;
  };
  for (const auto& [level, coefficient] : form.terms) {
    add(coefficient, levels[level].name);
  }
  if (form.constant.num != 0 || form.terms.empty()) {
    add(form.constant, "");
  }
  return out;
}

std::string atom_text(const Spec& spec, const Atom& a) {
  if (a.kind == Atom::Kind::token_in) {
    return "tok in " + a.subject;
  }
  if (a.kind == Atom::Kind::token_is) {
    return "tok = " + (a.token ? "id " + std::to_string(a.token->at()) : string_literal(a.subject));
  }
  static constexpr const char* kSigns[] = {" >= ", " > ", " <= ", " < "};
  const char* sign = kSigns[static_cast<int>(a.comparison)];
  if (a.kind == Atom::Kind::role) {
    return "role = " + a.subject;
  }
  if (a.kind == Atom::Kind::level) {
    return form_text(a.form, spec.levels) + sign + decimal_text(a.threshold);
  }
  if (a.kind == Atom::Kind::position) {
    return "pos" + (sign + decimal_text(a.threshold));
  }
  std::string out = "read(" + a.subject + ")";
  if (a.kind == Atom::Kind::feature) {
    out = "feat(" + a.subject + "/" +
          (a.feature ? std::to_string(a.feature->at())
                     : "best_feature(" + a.best_class + ", " + string_literal(a.best_site) + ")") +
          ")";
  }
  out += sign + decimal_text(a.threshold);
  return a.band.num == 0 ? out : out + " band " + decimal_text(a.band);
}

std::string print_spec(const Spec& spec) {
  std::string out =
      "spec " + string_literal(spec.name) + " version " + std::to_string(spec.version) + ";\n";
  for (const Use& u : spec.uses) {
    out += "use " + u.kind + " " + u.name + " = " + string_literal(u.path);
    out += (u.sha256 ? " sha256 " + u.sha256->hex() : "") + ";\n";
  }
  for (const TokenClass& c : spec.classes) {
    out += "class " + c.name + " = " + class_text(c) + ";\n";
  }
  std::size_t level = 0;
  for (std::size_t i = 0; i <= spec.atoms.size(); ++i) {
    while (level < spec.levels.size() && spec.levels[level].atoms_before <= i) {
      out += level_text(spec, level++);
    }
    if (i < spec.atoms.size()) {
      out += "ap " + spec.atoms[i].name + " = " + atom_text(spec, spec.atoms[i]) + ";\n";
    }
  }
  for (std::size_t i = 0; i < spec.levels.size(); ++i) {
    out += moves_apart(spec, i) ? "move " + spec.levels[i].name + cases_text(spec, spec.levels[i])
                                : "";
  }
  for (const Let& let : spec.lets) {
    out += let_text(let);
  }
  for (const Property& p : spec.properties) {
    out += property_text(p);
  }
  return out;
}

}  // namespace assay::spec
