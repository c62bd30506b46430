#include <algorithm>
#include <map>

#include "assay/automata/step_machine.hpp"
#include "assay/base/errors.hpp"
#include "assay/spec/cover.hpp"
#include "assay/spec/formula.hpp"

namespace assay::automata {
namespace {

using spec::Formula;
using spec::Op;

constexpr std::size_t kMaxFormula = 200'000;  ///< characters; bounds are written out step by step

std::string negated_if(bool negative, const std::string& name) {
  return negative ? "!" + name : name;
}

/// A formula in SMV's words, which knows no bounds and no W, fully bracketed.
class SmvFormula {
 public:
  explicit SmvFormula(const std::vector<std::string>& atoms) : atoms_(atoms) {}

  /// Throws UsageError where it grows beyond kMaxFormula.
  std::string text(const Formula& f) const {
    std::string out = plain(f);
    if (out.size() > kMaxFormula) {
      throw UsageError("a formula of more than 200,000 characters");
    }
    return out;
  }

 private:
  std::string plain(const Formula& f) const {
    switch (f.op) {
      case Op::constant_true:
        return "TRUE";
      case Op::constant_false:
        return "FALSE";
      case Op::atom:
        return "ap_" + atoms_[f.atom];
      case Op::not_:
        return "!(" + child(f, 0) + ")";
      case Op::and_:
      case Op::or_:
        return junction(f);
      case Op::next_weak:
      case Op::next_strong:  // the runs are endless
        return "X (" + child(f, 0) + ")";
      case Op::until:
        return "((" + child(f, 0) + ") U (" + child(f, 1) + "))";
      case Op::weak_until:  // a W b = b R (a | b), and V is R
        return "((" + child(f, 1) + ") V ((" + child(f, 0) + ") | (" + child(f, 1) + ")))";
      case Op::eventually:
      case Op::globally:
        return ahead(f);
      case Op::yesterday:
        return "Y (" + child(f, 0) + ")";
      case Op::once:
      case Op::historically:
        return back(f);
    }
    return "";
  }

  std::string child(const Formula& f, std::size_t i) const { return text(*f.children[i]); }

  std::string junction(const Formula& f) const {
    std::string out = "(";
    for (std::size_t i = 0; i < f.children.size(); ++i) {
      out += (i == 0 ? "" : f.op == Op::and_ ? " & " : " | ") + child(f, i);
    }
    return out + ")";
  }

  /// f after `steps` steps, chosen by `sign` at each: f sign next (f sign next (…)).
  static std::string chain(const std::string& f, std::size_t steps, const char* sign,
                           const char* next) {
    if ((f.size() + 8) * (steps + 1) > kMaxFormula) {
      throw UsageError("a formula of more than 200,000 characters");
    }
    std::string out = f;
    for (std::size_t i = 0; i < steps; ++i) {
      out = "(" + f + sign + next + "(" + out + "))";
    }
    return out;
  }

  std::string ahead(const Formula& f) const {
    const bool exists = f.op == Op::eventually;
    const std::string inner = "(" + child(f, 0) + ")";
    std::string out = f.hi ? chain(inner, *f.hi - f.lo, exists ? " | " : " & ", "X ")
                           : (exists ? "F " : "G ") + inner;
    if (f.lo * 4 > kMaxFormula) {
      throw UsageError("a formula of more than 200,000 characters");
    }
    for (std::size_t i = 0; i < f.lo; ++i) {
      out = "X (" + out + ")";
    }
    return out;
  }

  /// Y is false and Z true at the first position.
  std::string back(const Formula& f) const {
    const bool exists = f.op == Op::once;
    const std::string inner = "(" + child(f, 0) + ")";
    return f.hi ? chain(inner, *f.hi, exists ? " | " : " & ", exists ? "Y " : "Z ")
                : (exists ? "O " : "H ") + inner;
  }

  const std::vector<std::string>& atoms_;
};

/// Steps of one state by letter.
using ByLetter = std::map<std::uint32_t, std::vector<std::uint32_t>>;
ByLetter by_letter(const std::vector<StepMachine::Step>& steps) {
  ByLetter out;
  for (const StepMachine::Step& step : steps) {
    out[step.letter].push_back(step.to);
  }
  return out;
}

std::string letter_text(const std::vector<std::string>& names, std::size_t letter) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += (i == 0 ? "" : " & ") + negated_if(((letter >> i) & 1U) == 0, names[i]);
  }
  return out.empty() ? "TRUE" : out;
}

std::string set_text(const std::vector<std::uint32_t>& states) {
  std::string out = "{";
  for (const std::uint32_t s : states) {
    out += (out.size() == 1 ? "" : ", ") + std::to_string(s);
  }
  return out + "}";
}

/// INVAR: a letter that the state can be left with. TRANS: where to.
std::string relation(const StepMachine& machine, const std::vector<std::string>& names) {
  std::string can = "INVAR case\n", go = "TRANS case\n";
  for (std::size_t s = 0; s < machine.steps.size(); ++s) {
    const std::string at = "  s = " + std::to_string(s) + " : ";
    std::vector<bool> members(std::size_t{1} << names.size());
    go += at + "case";
    for (const auto& [letter, targets] : by_letter(machine.steps[s])) {
      members[letter] = true;
      go += " " + letter_text(names, letter) + " : next(s) in " + set_text(targets) + ";";
    }
    go += " TRUE : FALSE; esac;\n";
    const std::string letters = spec::cover_text(spec::cover(members), names);
    can += at + (letters == "true" ? "TRUE" : letters) + ";\n";
  }
  return can + "  TRUE : FALSE;\nesac\n" + go + "  TRUE : FALSE;\nesac\n";
}

std::string monitor_text(const spec::Dfa& monitor, const std::vector<std::string>& names) {
  std::string out = "ASSIGN\n  init(m) := 0;\n  next(m) := case\n";
  std::vector<std::uint32_t> bad;
  for (std::uint32_t m = 0; m < monitor.states; ++m) {
    if (monitor.bad[m]) {
      bad.push_back(m);
      continue;
    }
    std::map<std::uint32_t, std::vector<bool>> members;
    for (std::size_t letter = 0; letter < monitor.letters(); ++letter) {
      auto& of = members[monitor.next(m, letter)];
      of.resize(monitor.letters());
      of[letter] = true;
    }
    for (const auto& [to, of] : members) {
      const std::string letters = spec::cover_text(spec::cover(of), names);
      out += "    m = " + std::to_string(m) + (letters == "true" ? "" : " & (" + letters + ")") +
             " : " + std::to_string(to) + ";\n";
    }
  }
  return out + "    TRUE : m;\n  esac;\nINVARSPEC " +
         (bad.empty() ? std::string("TRUE") : "!(m in " + set_text(bad) + ")") + ";\n";
}

/// At least two values: NuSMV makes a constant of a variable with one and then refuses its ASSIGN.
std::string range_text(std::size_t values) {
  return "0.." + std::to_string(std::max<std::size_t>(values, 2) - 1) + ";\n";
}

}  // namespace

std::string to_smv(const StepMachine& machine, const spec::FormulaPtr& formula,
                   const std::vector<std::string>& atoms, const spec::Dfa* monitor,
                   const std::string& title) {
  std::vector<std::string> names;
  std::string out = "-- " + title + "\nMODULE main\nVAR\n  s : " + range_text(machine.steps.size());
  for (const std::string& ap : machine.aps) {
    names.push_back("ap_" + ap);
    out += "  " + names.back() + " : boolean;\n";
  }
  if (monitor != nullptr) {
    out += "  m : " + range_text(monitor->states);
  }
  out += "INIT s in " + set_text(machine.initial) + "\n" + relation(machine, names);
  if (monitor != nullptr) {
    out += monitor_text(*monitor, names);
  }
  try {
    out += "LTLSPEC " + SmvFormula(atoms).text(*formula) + ";\n";
  } catch (const UsageError& e) {
    out += std::string("-- no LTLSPEC: ") + e.what() + "\n";
  }
  return out;
}

}  // namespace assay::automata
