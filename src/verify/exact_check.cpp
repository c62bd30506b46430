#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "assay/spec/formula.hpp"
#include "chain_exact.hpp"
#include "exact_certificate.hpp"
#include "exact_export.hpp"
#include "exact_live.hpp"
#include "exact_machine.hpp"
#include "exact_opinion.hpp"
#include "exact_quotient.hpp"
#include "exact_search.hpp"
#include "replay.hpp"
#include "subject.hpp"

namespace assay::verify {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

std::uint64_t mask(const std::vector<std::size_t>& atoms) {
  std::uint64_t out = 0;
  for (const std::size_t a : atoms) {
    out |= std::uint64_t{1} << a;
  }
  return out;
}

/// `some φ` is decided by `all !φ`, and what is found is turned round.
spec::Property universal(const spec::Property& property) {
  spec::Property out = property;
  if (property.claim == spec::Property::Claim::some) {
    out.claim = spec::Property::Claim::all;
    out.formula = spec::negation(property.formula);
  }
  return out;
}

Unknown decided_by_itself(bool some) {
  return some ? Unknown{"no run can satisfy it, whatever the model does: 'violated' would say nothing",
                        "a property that some run can satisfy"}
              : Unknown{"valid by itself, whatever the model does: holding would say nothing",
                        "a property that some run can violate"};
}

/// Of the properties that this engine decides.
std::uint64_t used_atoms(const spec::Spec& spec,
                         const std::vector<const spec::Property*>& properties) {
  std::uint64_t out = 0;
  for (const spec::Property* property : properties) {
    if (!is_chance(*property) && !spec::beyond_universal(spec, universal(*property)).empty()) {
      continue;
    }
    out |= mask(spec::atoms_of(property->formula));
  }
  return out;
}

/// Keeps the state file while windows are evaluated.
class StateKeeper {
 public:
  StateKeeper(const ExactInput& input, StateUse& use)
      : use_(use), binding_(use.file.empty() ? "" : binding_of(input)) {
    if (!use.file.empty()) {
      use.on_evaluated = [this](const WindowMachine& machine) { after_block(machine); };
    }
  }
  ~StateKeeper() { use_.on_evaluated = nullptr; }
  StateKeeper(const StateKeeper&) = delete;
  StateKeeper& operator=(const StateKeeper&) = delete;

  /// The run is cut here: of two machines that were used up, the larger one is kept.
  void leave(const WindowMachine& machine) {
    if (!use_.file.empty() && machine.evaluated() > left_) {
      write(machine);
      left_ = machine.evaluated();
      use_.is_left = true;
    }
  }
  /// The run ended: nothing is left to go on with.
  void remove() const {
    if (is_written_) {
      std::error_code ignored;
      std::filesystem::remove(use_.file, ignored);
    }
  }

 private:
  /// Not more often than is asked for, nor so often that a twentieth of the time is spent on it.
  void after_block(const WindowMachine& machine) {
    const double passed = std::chrono::duration<double>(Clock::now() - last_).count();
    if (left_ == 0 && passed >= std::max(static_cast<double>(use_.seconds), 20 * cost_)) {
      write(machine);
    }
  }
  void write(const WindowMachine& machine) {
    const Clock::time_point begin = Clock::now();
    write_state(use_.file, binding_, machine, use_.resumed);
    last_ = Clock::now();
    cost_ = std::chrono::duration<double>(last_ - begin).count();
    is_written_ = true;
  }

  StateUse& use_;
  std::string binding_;
  Clock::time_point last_ = Clock::now();
  double cost_ = 0;
  std::size_t left_ = 0;  ///< windows of the machine that was left
  bool is_written_ = false;
};

/// Decides one property after the other on one machine.
class ExactChecker {
 public:
  ExactChecker(const ExactInput& input, StateUse& state)
      : input_(input),
        state_(state),
        keeper_(input, state),
        properties_(chosen(input.subject)),
        machine_(make_machine()),
        atoms_(input.subject) {}

  ExactResult run() {
    ExactResult out;
    for (const spec::Property* property : properties_) {
      const Clock::time_point begin = Clock::now();
      out.properties.push_back(
          one(universal(*property), property->claim == spec::Property::Claim::some));
      out.properties.back().seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      if (exhausted_ && !interrupted()) {
        out.is_exhausted = true;
        keeper_.leave(*machine_);
        give_up_machine(out);
      } else if (wants_export(*property)) {
        out.properties.back().exported = export_machine(input_, *machine_, *property);
      }
    }
    const bool is_cut = std::any_of(
        out.properties.begin(), out.properties.end(),
        [](const ExactProperty& p) { return std::holds_alternative<Unknown>(p.verdict); });
    if (interrupted() && is_cut) {
      keeper_.leave(*machine_);
    } else if (!out.is_exhausted) {
      keeper_.remove();
    }
    add_totals(out);
    out.runs = runs_text(input_);
    if (input_.wants_certificate) {
      out.certificate = exact_certificate(input_, out);
    }
    return out;
  }

 private:
  /// A chain is written where it is made, in decide_chance.
  [[nodiscard]] bool wants_export(const spec::Property& property) const {
    return !input_.export_folder.empty() && !is_chance(property) &&
           spec::beyond_universal(*input_.subject.spec, universal(property)).empty();
  }

  void add_totals(ExactResult& out) const {
    out.windows += machine_->size();
    out.evaluated += machine_->evaluated();
    out.by_intervals += machine_->by_intervals();
    out.bytes = std::max(out.bytes, machine_->bytes());
  }

  [[nodiscard]] std::unique_ptr<WindowMachine> make_machine() const {
    return std::make_unique<WindowMachine>(input_, used_atoms(*input_.subject.spec, properties_),
                                           &state_);
  }

  /// What one property used up is not held against the next one.
  void give_up_machine(ExactResult& out) {
    add_totals(out);
    machine_.reset();
    machine_ = make_machine();
    exhausted_ = false;
  }

  ExactProperty one(const spec::Property& property, bool some) {
    ExactProperty result;
    result.name = property.name;
    result.some = some;
    if (const auto found = property.attributes.find("expect"); found != property.attributes.end()) {
      result.expected = found->second;
    }
    if (is_chance(property)) {
      exhausted_ = decide_chance(input_, *machine_, property, result);
      return result;
    }
    if (const std::string beyond = spec::beyond_universal(*input_.subject.spec, property);
        !beyond.empty()) {
      result.verdict = Unknown{beyond, "an engine for this kind of claim"};
      return result;
    }
    if (interrupted()) {
      result.verdict = Unknown{"interrupted by the user before it was looked at", "more time"};
      return result;
    }
    try {
      const spec::Dfa dfa = spec::bad_prefix_dfa(property.formula);
      result.dfa_states = dfa.states;
      decide_property(property, dfa, result);
    } catch (const UsageError& e) {  // over a limit: the property has no verdict
      result.verdict = Unknown{e.what(), "a smaller property"};
    }
    return result;
  }

  void decide_property(const spec::Property& property, const spec::Dfa& dfa,
                       ExactProperty& result) {
    reason_.clear();
    ExactSearch search(input_, *machine_, dfa, ExactSearch::Edges::possible);
    std::optional<ExactViolated> violated = hunt(search, property);
    count(property, search, result);
    exhausted_ = !search.stopped().empty();
    if (!violated && search.found_bad()) {
      // The run that was found hangs on an open edge or an undecided letter: look for a sure one.
      const std::string first_reason = reason_;
      ExactSearch sure(input_, *machine_, dfa, ExactSearch::Edges::sure);
      violated = hunt(sure, property);
      reason_ = first_reason;
    }
    if (violated) {
      result.verdict = std::move(*violated);
    } else if (search.found_bad()) {
      result.verdict = Unknown{"a possible run violates it, but none that was replayed: " + reason_,
                               "edges or values that separate along that run"};
    } else if (!search.stopped().empty()) {
      result.verdict = Unknown{search.stopped() + "; no violation until then",
                               "a larger budget, fewer prompts or a horizon (--max-new)"};
    } else {
      conclude(property, dfa, search, result);
    }
  }

  /// Runs the search and replays the runs to bad that it meets.
  std::optional<ExactViolated> hunt(ExactSearch& search, const spec::Property& property) {
    std::optional<ExactViolated> found;
    std::size_t tried = 0;
    search.run([&](ExactSearch::PairId bad) {
      if (tried < input_.limits.replays) {
        ++tried;
        found = replayed(search.path(bad), property);
      }
      return found.has_value();
    });
    return found;
  }

  /// @param loop the last so many tokens come for ever; 0: a run to a bad pair.
  std::optional<ExactViolated> replayed(const std::vector<WindowMachine::Index>& path,
                                        const spec::Property& property, std::size_t loop = 0) {
    Candidate candidate;
    candidate.is_endless = loop > 0;
    candidate.prompt = input_.prompts.prompt_of(machine_->codes(), machine_->code(path.front()));
    for (std::size_t i = 1; i < path.size(); ++i) {
      candidate.tokens.emplace_back(machine_->codes().last(machine_->code(path[i])));
    }
    candidate.max_new = input_.max_new.value_or(kUnlimited);
    candidate.surely_emitted = [this](std::span<const Interval> logits, TokenId token) {
      std::vector<double> lo, hi;
      for (const Interval& l : logits) {
        lo.push_back(l.lo);
        hi.push_back(l.hi);
      }
      std::vector<automata::Edge> edges(logits.size());
      input_.emission.decide(lo, hi, edges);
      return edges[token.at()] == automata::Edge::witnessed;
    };
    Replay replay = verify::replay(input_.subject, atoms_, property.formula, candidate);
    if (!replay.violated) {
      reason_ = reason_.empty() ? replay.reason : reason_;
      return std::nullopt;
    }
    return ExactViolated{candidate.prompt, std::move(*replay.violated), loop};
  }

  /// The property's letters over the windows that were read.
  void count_letters(const spec::Property& property,
                     const std::vector<WindowMachine::Index>& windows,
                     ExactProperty& result) const {
    for (const std::size_t a : spec::atoms_of(property.formula)) {
      ApCount ap;
      ap.name = input_.subject.spec->atoms[a].name;
      for (const WindowMachine::Index w : windows) {
        if (machine_->reads_values() && !machine_->is_evaluated(w)) {
          continue;
        }
        const Decided letter = machine_->letter(w);
        const bool must = ((letter.must >> a) & 1U) != 0, may = ((letter.may >> a) & 1U) != 0;
        ++(must ? ap.yes : may ? ap.unknown : ap.no);
      }
      result.aps.push_back(std::move(ap));
    }
  }

  void count(const spec::Property& property, const ExactSearch& search,
             ExactProperty& result) const {
    result.pairs = search.pairs();
    result.depth = search.depth();
    count_windows(property, windows_of(search), result);
  }

  void count_windows(const spec::Property& property,
                     const std::vector<WindowMachine::Index>& windows,
                     ExactProperty& result) const {
    result.states = windows.size();
    count_letters(property, windows, result);
    for (const WindowMachine::Index w : windows) {
      if (!machine_->is_evaluated(w)) {
        continue;
      }
      const auto edges = machine_->edges(w);
      const auto open = static_cast<std::size_t>(
          std::count_if(edges.begin(), edges.end(), [](auto e) { return (e & 1U) != 0; }));
      result.deadlocks += edges.empty() ? 1 : 0;
      result.absent += machine_->vocabulary() - edges.size();
      result.open += open;
      result.witnessed += edges.size() - open;
    }
  }

  static std::vector<WindowMachine::Index> windows_of(const ExactSearch& search) {
    std::vector<WindowMachine::Index> windows;
    for (std::size_t p = 0; p < search.pairs(); ++p) {
      windows.push_back(search.window(static_cast<ExactSearch::PairId>(p)));
    }
    std::sort(windows.begin(), windows.end());
    windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
    return windows;
  }

  void conclude(const spec::Property& property, const spec::Dfa& dfa, const ExactSearch& search,
                ExactProperty& result) {
    if (!spec::is_safety(property.formula)) {
      decide_endless(property, result);
      return;
    }
    if (!dfa.has_bad()) {
      result.verdict = decided_by_itself(result.some);
      return;
    }
    if (result.some && runs_end() && !spec::is_safety(property.formula, true)) {
      result.verdict = Unknown{
          "no prefix shows it, but a run that is cut before a bounded G ends may satisfy it",
          "runs that go on (no --max-new, no allow-list after the decoder)"};
      return;
    }
    std::vector<ExactPair> invariant;
    for (std::size_t p = 0; p < search.pairs(); ++p) {
      const auto id = static_cast<ExactSearch::PairId>(p);
      invariant.push_back({machine_->code(search.window(id)), search.spec(id),
                           search.closed() ? 0 : search.step(id)});
    }
    std::sort(invariant.begin(), invariant.end());
    result.verdict = ExactHolds(input_, *machine_, dfa, std::move(invariant));
    if (input_.wants_opinion && !interrupted()) {
      ask_solver(input_, *machine_, std::get<ExactHolds>(result.verdict), result);
      if (!result.some) {
        result.vacuous = find_vacuity(input_, *machine_, property);
      }
    }
    if (input_.wants_classes) {
      const auto quotient = ExactQuotient::of(*machine_, windows_of(search), mask(dfa.atoms));
      result.classes = quotient ? quotient->classes() : 0;
    }
  }

  [[nodiscard]] bool runs_end() const {
    return input_.max_new || input_.emission.mask() == automata::Emission::Mask::after;
  }

  /// No prefix violates it: ranks over the product with the runs that do, or a lasso of it.
  void decide_endless(const spec::Property& property, ExactProperty& result) {
    if (runs_end()) {
      result.verdict = Unknown{
          "not a safety property: unbounded F or U, or a strong next, says nothing of a run that "
          "is cut",
          "runs that go on (no --max-new, no allow-list after the decoder), or a bound, e.g. "
          "F[0:k]"};
      return;
    }
    spec::Buchi against = spec::buchi(spec::negation(property.formula));
    if (against.is_empty()) {
      result.verdict = decided_by_itself(result.some);
      return;
    }
    result.dfa_states = against.states();
    LiveProduct product(input_, *machine_, against);
    const bool is_whole = product.explore();
    exhausted_ = exhausted_ || !is_whole;
    result.aps.clear();
    result.pairs = product.pairs();
    result.absent = result.witnessed = result.open = result.deadlocks = 0;
    count_windows(property, product.windows(), result);
    if (!is_whole) {
      result.verdict = Unknown{product.stopped(), "a larger budget or fewer prompts"};
    } else if (auto ranks = product.ranked()) {
      result.verdict = ExactEndless(input_, *machine_, std::move(against), std::move(*ranks));
      if (input_.wants_opinion && !interrupted() && !result.some) {
        result.vacuous = find_endless_vacuity(input_, *machine_, property);
      }
    } else {
      refute_endless(product, property, result);
    }
  }

  void refute_endless(const LiveProduct& product, const spec::Property& property,
                      ExactProperty& result) {
    const auto lasso = product.sure_lasso();
    auto found = lasso ? replayed(lasso->windows, property, lasso->loop) : std::nullopt;
    if (found) {
      result.verdict = std::move(*found);
      return;
    }
    result.verdict = Unknown{
        lasso ? "a run that goes round for ever violates it, but it was not replayed: " + reason_
              : "a possible run that goes round for ever violates it, but it hangs on an open edge "
                "or an undecided letter",
        "edges or values that separate along that run"};
  }

  const ExactInput& input_;
  StateUse& state_;
  StateKeeper keeper_;
  std::vector<const spec::Property*> properties_;
  std::unique_ptr<WindowMachine> machine_;
  bool exhausted_ = false;  ///< a budget was used up
  Atoms atoms_;
  std::string reason_;
};

}  // namespace

const char* ExactProperty::level() const {
  if (const auto* holds = std::get_if<ExactHolds>(&verdict)) {
    return holds->is_checkable() ? "PROVED" : "numeric only";
  }
  if (const auto* chance_of = std::get_if<ExactChance>(&verdict)) {
    return chance_of->checkable ? "PROVED" : "numeric only";
  }
  if (const auto* endless = std::get_if<ExactEndless>(&verdict)) {
    return endless->is_checkable() ? "PROVED" : "numeric only";
  }
  return std::holds_alternative<ExactViolated>(verdict) ? "PROVED" : "";
}

const char* ExactProperty::verdict_name() const {
  if (const auto* chance_of = std::get_if<ExactChance>(&verdict)) {
    return chance_of->holds ? "holds" : "violated";
  }
  if (std::holds_alternative<Unknown>(verdict)) {
    return "unknown";
  }
  return std::holds_alternative<ExactViolated>(verdict) == some ? "holds" : "violated";
}

ExitCode ExactResult::code() const {
  bool all_hold = true;
  for (const ExactProperty& property : properties) {
    const std::string verdict = property.verdict_name();
    if (verdict == "violated") {
      return ExitCode::violated;
    }
    all_hold = all_hold && verdict == "holds";
  }
  return all_hold && !properties.empty() ? ExitCode::ok : ExitCode::unknown;
}

ExactResult check_exact(const ExactInput& input) {
  StateUse none;
  return check_exact(input, none);
}

ExactResult check_exact(const ExactInput& input, StateUse& state) {
  require(input.subject.spec != nullptr && input.subject.model != nullptr,
          "check_exact: spec and model are needed");
  if (input.limits.states == 0 || input.limits.threads == 0 ||
      (input.max_new && *input.max_new == 0)) {
    throw UsageError("--states, --threads and --max-new: expected a number above 0, found 0");
  }
  if (!input.subject.spec->is_resolved()) {
    throw UsageError("spec '" + input.subject.spec->name +
                     "': expected a resolved spec (assay spec resolve), found names and rules");
  }
  check_digests(input.subject);
  return ExactChecker(input, state).run();
}

}  // namespace assay::verify
