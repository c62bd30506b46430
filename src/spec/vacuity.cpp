#include "assay/spec/vacuity.hpp"

#include <map>

#include "assay/spec/dfa.hpp"
#include "assay/spec/formula.hpp"

namespace assay::spec {
namespace {

/// Rewrites a formula in negation normal form; shared parts once.
class Replacement {
 public:
  Replacement(std::size_t atom, bool positive) : atom_(atom), positive_(positive) {}

  FormulaPtr operator()(const FormulaPtr& f) {
    if (const auto found = memo_.find(f.get()); found != memo_.end()) {
      return found->second;
    }
    FormulaPtr out = f;
    if (f->op == Op::atom || f->op == Op::not_) {
      const bool is_positive = f->op == Op::atom;
      const std::size_t index = is_positive ? f->atom : f->children[0]->atom;
      if (index == atom_ && is_positive == positive_) {
        out = constant(false);
        ++replaced_;
      }
    } else if (!f->children.empty()) {
      Formula copy = *f;
      for (FormulaPtr& child : copy.children) {
        child = (*this)(child);
      }
      out = std::make_shared<const Formula>(std::move(copy));
    }
    memo_.emplace(f.get(), out);
    return out;
  }
  [[nodiscard]] std::size_t replaced() const { return replaced_; }

 private:
  std::size_t atom_;
  bool positive_;
  std::size_t replaced_ = 0;
  std::map<const Formula*, FormulaPtr> memo_;
};

}  // namespace

std::vector<Strengthening> strengthenings(const FormulaPtr& formula) {
  const FormulaPtr normal = negation_normal_form(formula);
  std::vector<Strengthening> out;
  for (const std::size_t a : atoms_of(formula)) {
    for (const bool positive : {false, true}) {
      Replacement replace(a, positive);
      FormulaPtr stronger = replace(normal);
      if (replace.replaced() > 0) {
        out.push_back({a, positive, std::move(stronger)});
      }
    }
  }
  return out;
}

Content content(const FormulaPtr& formula) {
  const Dfa dfa = bad_prefix_dfa(formula);
  if (dfa.bad[0]) {
    return Content::unsatisfiable;
  }
  return is_safety(formula) && !dfa.has_bad() ? Content::valid : Content::contingent;
}

}  // namespace assay::spec
