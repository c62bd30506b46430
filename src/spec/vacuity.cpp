#include "assay/spec/vacuity.hpp"

#include <map>

#include "assay/spec/dfa.hpp"
#include "assay/spec/formula.hpp"

namespace assay::spec {
namespace {

/// Rewrites every occurrence of one atom in one polarity; shared parts once. Every operator but
/// `!` is monotone.
class Replacement {
 public:
  Replacement(std::size_t atom, bool positive) : atom_(atom), positive_(positive) {}

  FormulaPtr operator()(const FormulaPtr& f) { return rewrite(f, true); }
  [[nodiscard]] std::size_t replaced() const { return replaced_; }

 private:
  FormulaPtr rewrite(const FormulaPtr& f, bool polarity) {
    if (f->op == Op::atom) {
      if (f->atom != atom_ || polarity != positive_) {
        return f;
      }
      ++replaced_;
      return constant(!polarity);
    }
    if (f->children.empty()) {
      return f;
    }
    const auto key = std::make_pair(f.get(), polarity);
    if (const auto found = memo_.find(key); found != memo_.end()) {
      return found->second;
    }
    Formula copy = *f;
    for (FormulaPtr& child : copy.children) {
      child = rewrite(child, polarity != (f->op == Op::not_));
    }
    FormulaPtr out = std::make_shared<const Formula>(std::move(copy));
    memo_.emplace(key, out);
    return out;
  }

  std::size_t atom_;
  bool positive_;
  std::size_t replaced_ = 0;
  std::map<std::pair<const Formula*, bool>, FormulaPtr> memo_;
};

}  // namespace

std::vector<Strengthening> strengthenings(const FormulaPtr& formula) {
  std::vector<Strengthening> out;
  for (const std::size_t a : atoms_of(formula)) {
    for (const bool positive : {false, true}) {
      Replacement replace(a, positive);
      FormulaPtr stronger = replace(formula);
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
