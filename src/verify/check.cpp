#include "assay/verify/check.hpp"

#include <algorithm>
#include <set>

#include "assay/base/progress.hpp"
#include "assay/spec/formula.hpp"
#include "assay/spec/vacuity.hpp"
#include "atoms.hpp"
#include "certificate.hpp"
#include "guide.hpp"
#include "opinions.hpp"
#include "subject.hpp"

namespace assay::verify {
namespace {

/// The fitted automaton with must and may in the order of Spec::atoms.
automata::FittedAutomaton in_spec_order(const automata::FittedAutomaton& fitted,
                                        const spec::Spec& spec) {
  std::vector<std::size_t> bit_of;
  for (const spec::Atom& atom : spec.atoms) {
    const auto found = std::find(fitted.aps.begin(), fitted.aps.end(), atom.name);
    if (found == fitted.aps.end()) {
      throw UsageError("ap " + atom.name +
                       ": expected an automaton fitted with this spec, found one without it");
    }
    bit_of.push_back(static_cast<std::size_t>(found - fitted.aps.begin()));
  }
  if (!std::is_sorted(bit_of.begin(), bit_of.end())) {
    throw UsageError("automaton.json: expected the spec's aps in file order, found another order");
  }
  automata::FittedAutomaton out = fitted;
  for (automata::FittedState& state : out.states) {
    const std::uint64_t must = state.must;
    const std::uint64_t may = state.may;
    state.must = state.may = 0;
    for (std::size_t i = 0; i < bit_of.size(); ++i) {
      state.must |= ((must >> bit_of[i]) & 1U) << i;
      state.may |= ((may >> bit_of[i]) & 1U) << i;
    }
  }
  return out;
}

class Checker {
 public:
  explicit Checker(const CheckInput& input)
      : input_(input), automaton_(in_spec_order(*input.automaton, *input.spec)), atoms_(input) {}

  CheckResult run() {
    CheckResult out;
    const std::vector<const spec::Property*> properties = chosen(input_);
    for (const spec::Property* property : properties) {
      if (spec::beyond_universal(*input_.spec, *property).empty()) {
        used_by_any_ |= mask(spec::atoms_of(property->formula));
      }
    }
    Progress progress("check", properties.size());
    for (const spec::Property* property : properties) {
      out.properties.push_back(one(*property));
      progress.update(out.properties.size(), property->name);
    }
    out.certificate = automaton_certificate(input_, out);
    return out;
  }

 private:
  static std::uint64_t mask(const std::vector<std::size_t>& atoms) {
    std::uint64_t out = 0;
    for (const std::size_t a : atoms) {
      out |= std::uint64_t{1} << a;
    }
    return out;
  }

  PropertyResult one(const spec::Property& property) {
    PropertyResult result;
    result.name = property.name;
    if (const auto found = property.attributes.find("expect"); found != property.attributes.end()) {
      result.expected = found->second;
    }
    result.waiver = property.waived_until.empty()
                        ? ""
                        : "waived until " + property.waived_until + ": " + property.waiver;
    count_aps(property, result);
    if (const std::string beyond = spec::beyond_universal(*input_.spec, property);
        !beyond.empty()) {
      result.verdict = Unknown{beyond, "an engine for this kind of claim"};
      return result;
    }
    try {
      const spec::Dfa dfa = spec::bad_prefix_dfa(property.formula);
      result.dfa_states = dfa.states;
      decide_verdict(property, dfa, result);
    } catch (const UsageError& e) {  // over a limit: the property has no verdict
      result.verdict = Unknown{e.what(), "a smaller property"};
    }
    return result;
  }

  void count_aps(const spec::Property& property, PropertyResult& result) const {
    for (const std::size_t a : spec::atoms_of(property.formula)) {
      ApCount count;
      count.name = input_.spec->atoms[a].name;
      for (const automata::FittedState& state : automaton_.states) {
        const bool must = ((state.must >> a) & 1U) != 0;
        const bool may = ((state.may >> a) & 1U) != 0;
        (must ? count.yes : may ? count.unknown : count.no) += state.count;
      }
      result.aps.push_back(count);
    }
  }

  void decide_verdict(const spec::Property& property, const spec::Dfa& dfa,
                      PropertyResult& result) {
    Compiled compiled{&property, mask(dfa.atoms), automata::make_product(automaton_, dfa), {}};
    compiled.found = automata::search(compiled.product);
    result.pairs = compiled.found.reached.size();
    const bool contradicted = ask_solver(compiled.product, compiled.found, result);
    if (Hunt hunt = scan(input_, atoms_, compiled, sample_letters()); hunt.violated) {
      result.verdict = std::move(*hunt.violated);
      return;
    }
    if (contradicted) {
      result.verdict = Unknown{
          "THE SOLVER CONTRADICTS THE SEARCH (" + result.solver + "): " + result.opinion_detail,
          "a fault in one of the two; please report it"};
    } else if (compiled.found.bad_reachable()) {
      Hunt hunt = guided_search(input_, atoms_, compiled);
      if (hunt.violated) {
        result.verdict = std::move(*hunt.violated);
      } else {
        result.verdict = Unknown{hunt.reason, hunt.missing};
      }
    } else {
      conclude_holds(property, compiled, result);
    }
  }

  void conclude_holds(const spec::Property& property, Compiled& compiled, PropertyResult& result) {
    if (!spec::is_safety(property.formula)) {
      result.verdict = Unknown{
          "not a safety property: unbounded F or U, or a strong next, is never decided by prefixes",
          "a bound, e.g. within k or F[0:k]"};
      return;
    }
    if (!compiled.product.dfa->has_bad()) {
      result.verdict =
          Unknown{"valid by itself: no run can violate it, so holding would say nothing",
                  "a property that some run can violate"};
      return;
    }
    Holds holds(compiled.product, std::move(compiled.found.reached));
    if (!fits_certificate(holds)) {
      result.verdict = Unknown{"the invariant or the monitor is longer than a certificate line",
                               "a coarser automaton or a smaller property"};
      return;
    }
    result.verdict = std::move(holds);
    find_vacuity(property, result);
  }

  /// A property that still holds when an ap is replaced by the constant that hurts it most says
  /// nothing about that ap.
  void find_vacuity(const spec::Property& property, PropertyResult& result) const {
    for (const spec::Strengthening& stronger : spec::strengthenings(property.formula)) {
      spec::Dfa dfa;
      try {
        dfa = spec::bad_prefix_dfa(stronger.formula);
      } catch (const UsageError&) {
        continue;
      }
      const automata::Product product = automata::make_product(automaton_, dfa);
      if (!automata::search(product).bad_reachable()) {
        result.vacuous.push_back("it holds even with " + input_.spec->atoms[stronger.atom].name +
                                 (stronger.positive ? " never true" : " always true"));
      }
    }
  }

  /// In double, once for all properties.
  const std::vector<std::vector<std::uint64_t>>& sample_letters() {
    if (sample_letters_.empty()) {
      for (const Sample& sample : input_.samples) {
        sample_letters_.push_back(atoms_.nominal_run(used_by_any_, sample));
      }
    }
    return sample_letters_;
  }

  const CheckInput& input_;
  automata::FittedAutomaton automaton_;
  Atoms atoms_;
  std::uint64_t used_by_any_ = 0;
  std::vector<std::vector<std::uint64_t>> sample_letters_;
};

}  // namespace

ExitCode CheckResult::code() const {
  bool all_hold = true;
  for (const PropertyResult& property : properties) {
    if (std::holds_alternative<Violated>(property.verdict)) {
      return ExitCode::violated;
    }
    all_hold = all_hold && std::holds_alternative<Holds>(property.verdict);
  }
  return all_hold && !properties.empty() ? ExitCode::ok : ExitCode::unknown;
}

CheckResult check(const CheckInput& input) {
  require(input.spec != nullptr && input.model != nullptr && input.automaton != nullptr,
          "check: spec, model and automaton are needed");
  if (!input.spec->is_resolved()) {
    throw UsageError("spec '" + input.spec->name +
                     "': expected a resolved spec (assay spec resolve), found names and rules");
  }
  check_digests(input);
  return Checker(input).run();
}

}  // namespace assay::verify
