#include "assay/spec/level.hpp"

#include "assay/spec/print.hpp"
#include "assay/spec/spec.hpp"

namespace assay::spec {
namespace {

/// Adds what the form names, and from there on.
class Cone {
 public:
  explicit Cone(const Spec& spec) : spec_(spec), member_(spec.levels.size(), false) {}

  void add(const FormulaPtr& formula) {
    for (const std::size_t a : atoms_of(formula)) {
      if (spec_.atoms[a].kind == Atom::Kind::level) {
        add(spec_.atoms[a].form);
      }
    }
  }
  void add(const LinearForm& form) {
    for (const auto& [level, coefficient] : form.terms) {
      if (!member_[level]) {
        member_[level] = true;
        open_.push_back(level);
      }
    }
  }
  std::vector<std::size_t> members() {
    while (!open_.empty()) {
      const Level& level = spec_.levels[open_.back()];
      open_.pop_back();
      for (const Level::Case& c : level.cases) {
        add(c.to);
        if (c.guard) {
          add(c.guard);
        }
      }
    }
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < member_.size(); ++i) {
      if (member_[i]) {
        out.push_back(i);
      }
    }
    return out;
  }

 private:
  const Spec& spec_;
  std::vector<bool> member_;
  std::vector<std::size_t> open_;
};

}  // namespace

std::vector<std::size_t> levels_of(const Spec& spec, const FormulaPtr& formula) {
  Cone cone(spec);
  cone.add(formula);
  return cone.members();
}

std::string level_sentence(const Spec& spec, const Level& level) {
  std::string out = level.name + " starts at " + decimal_text(level.initial) + ";";
  for (const Level::Case& c : level.cases) {
    const bool alone = level.cases.size() == 1;
    out += c.guard ? " when " + c.guard_text + " it becomes "
                   : std::string(alone ? " every letter makes it " : " else ");
    out += form_text(c.to, spec.levels) + (c.guard ? "," : "");
  }
  if (level.least || level.most) {
    out += "; it never goes";
    out += level.least ? " below " + decimal_text(*level.least) : "";
    out += level.least && level.most ? " or" : "";
    out += level.most ? " above " + decimal_text(*level.most) : "";
  }
  return out + ".";
}

}  // namespace assay::spec
