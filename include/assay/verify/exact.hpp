#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "assay/automata/emission.hpp"
#include "assay/automata/window_code.hpp"
#include "assay/verify/check.hpp"
#include "assay/verify/exact_chance.hpp"
#include "assay/verify/exact_endless.hpp"

namespace assay::verify {

/// The prompts that a claim is about: a product of allowed sets, one a position, or every prompt
/// of 1 to max_length tokens.
struct PromptSet {
  std::vector<std::vector<TokenId>> sets;  ///< ascending, none empty; empty when `any`
  std::size_t max_length = 0;              ///< of `any`
  [[nodiscard]] bool any() const { return sets.empty(); }

  /// Calls `visit` with the code of each different end of a prompt; stops when it returns false.
  void for_each_window(const automata::WindowCodes& codes, std::size_t vocabulary,
                       const std::function<bool(automata::WindowCode)>& visit) const;
  /// A prompt that ends in this window.
  [[nodiscard]] std::vector<TokenId> prompt_of(const automata::WindowCodes& codes,
                                               automata::WindowCode window) const;
};
/// {"tokens":[[IDS],…]} or {"any":true,"max_length":N}. Throws UsageError for an empty set, both
/// forms or neither, and tokens that the model does not have; InputError for broken JSON.
[[nodiscard]] PromptSet parse_prompts(const std::string& json, const std::string& file,
                                      std::size_t vocabulary);

/// The ends of the prompts alone are few enough to enumerate: at most `states` windows.
[[nodiscard]] bool fits_exact(const PromptSet& prompts, const TransformerConfig& config,
                              std::size_t states);

/// What exact mode may use. An exhausted budget ends in UNKNOWN.
struct ExactLimits {
  std::size_t states = 10'000'000;  ///< windows of the machine, and pairs of one property
  std::size_t bytes = std::size_t{8} << 30;
  std::size_t threads = 2;
  std::size_t replays = 20;  ///< runs replayed in intervals for one property
  std::size_t opinion_pairs =
      5000;  ///< larger invariants are not shown to the solver, unless they are dumped
};

/// Above this many windows `assay-check` does not re-evaluate an invariant.
inline constexpr std::size_t kCheckedWindows = 1'000'000;

struct ExactInput {
  CheckInput subject;  ///< spec, statement, model, tokenizer, saes, readouts, properties
  automata::Emission emission;
  PromptSet prompts;
  std::optional<std::size_t> max_new;  ///< none: runs of any length
  bool wants_certificate = false;
  bool wants_classes = false;  ///< minimise the machine of every property that holds
  bool wants_opinion = false;  ///< vacuity and the solver's opinion of every property that holds
  std::filesystem::path smt_folder;     ///< for the opinion's obligations in SMT-LIB2; empty: none
  std::filesystem::path export_folder;  ///< for machines in other tools' formats; empty: none
  ExactLimits limits;
};

/// A pair (window, state of the bad-prefix automaton) and the step at which it is first reached.
struct ExactPair {
  automata::WindowCode window = 0;
  std::uint32_t spec = 0;
  std::uint32_t step = 0;  ///< 0 throughout when the set is closed without a horizon
  auto operator<=>(const ExactPair&) const = default;
};

class WindowMachine;
/// The property holds of every run of the model from every prompt (EXACT). There is no way to
/// make one without its certificate: the constructor checks INV itself, apart from the search.
class ExactHolds {
 public:
  /// @param invariant ascending, at most one step a pair; pairs that can no longer turn bad are left out. Throws
  /// PreconditionError when a prompt's pair or a successor is missing, or a bad pair is there.
  ExactHolds(const ExactInput& input, const WindowMachine& machine, spec::Dfa dfa,
             std::vector<ExactPair> invariant);

  [[nodiscard]] const spec::Dfa& dfa() const { return dfa_; }
  [[nodiscard]] const std::vector<ExactPair>& invariant() const { return invariant_; }
  /// Within what assay-check re-evaluates: PROVED.
  [[nodiscard]] bool is_checkable() const { return checkable_; }

 private:
  spec::Dfa dfa_;
  std::vector<ExactPair> invariant_;
  bool checkable_ = false;
};

/// A run of the model that violates it, replayed.
struct ExactViolated {
  std::vector<TokenId> prompt;
  Violated run;
  std::size_t loop = 0;  ///< the last so many tokens come again for ever; 0: a bad prefix
};

struct ExactProperty {
  std::string name;
  bool some =
      false;  ///< `some φ`: the verdict below is that of `all !φ`, and verdict_name() turns it round
  std::variant<ExactHolds, ExactViolated, Unknown, ExactChance, ExactEndless> verdict = Unknown{};
  std::optional<ChanceBounds> chance;                 ///< of a claim Pmax or Pmin
  std::size_t dfa_states = 0, states = 0, pairs = 0;  ///< states: windows reached
  std::size_t absent = 0, witnessed = 0, open = 0;    ///< edges that leave them
  std::size_t depth = 0;                              ///< levels of the search
  std::size_t classes = 0;    ///< of the minimised machine under the property's atoms; 0: not made
  std::size_t deadlocks = 0;  ///< windows after which nothing can be emitted: runs end there
  std::vector<ApCount>
      aps;  ///< windows reached by the truth of the property's aps at their last token
  std::vector<std::string> vacuous;  ///< sentences; empty when nothing is vacuous, or nothing holds
  std::string solver, opinion,
      opinion_detail;  ///< agree, disagree, unknown, not_built, "not asked"; or ""
  std::size_t opinion_obligations = 0;
  double seconds = 0;
  std::string expected;
  std::vector<std::string> exported;  ///< files written into export_folder, and why others are not

  /// "PROVED", "numeric only" for a HOLDS beyond what the checker re-evaluates, "" for UNKNOWN.
  [[nodiscard]] const char* level() const;
  [[nodiscard]] const char* verdict_name() const;
  /// The solver found a hole in an invariant that this program found whole: a fault in one of the two.
  [[nodiscard]] bool alarm() const { return opinion == "disagree"; }
};

struct ExactResult {
  std::vector<ExactProperty> properties;
  std::size_t windows = 0, evaluated = 0, by_intervals = 0;  ///< of the machine, all properties
  std::size_t bytes = 0;
  bool is_exhausted = false;  ///< a budget was used up on some property
  std::string certificate;    ///< empty when nothing was decided
  std::string runs;           ///< the statement file about prompts, decoder and horizon

  [[nodiscard]] ExitCode code() const;
};

/// Decides every property on the exact machine over windows, lazily from the prompts.
/// Throws UsageError for models outside the family and specs that do not fit.
[[nodiscard]] ExactResult check_exact(const ExactInput& input);

[[nodiscard]] std::string exact_text(const ExactInput& input, const ExactResult& result);

}  // namespace assay::verify
