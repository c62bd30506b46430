#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "assay/automata/feature_automaton.hpp"
#include "assay/base/digest.hpp"
#include "assay/base/errors.hpp"
#include "assay/model/readout.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/tokenizer.hpp"
#include "assay/model/transformer.hpp"
#include "assay/spec/spec.hpp"
#include "assay/verify/verdict.hpp"

namespace assay::verify {

/// One run of the model: what it generated after prompts[prompt].
struct Sample {
  std::size_t prompt = 0;
  std::vector<TokenId> tokens;
};
/// One JSON object a line, {"prompt":INDEX,"tokens":[IDS]}. Throws InputError with the line.
[[nodiscard]] std::vector<Sample> parse_samples(const std::string& text, const std::string& file,
                                                std::size_t prompts, std::size_t vocabulary);

/// Budgets count nodes, never seconds.
struct Limits {
  std::size_t search_nodes = 20000;  ///< prefixes of real runs that the guided search looks at
  std::size_t replays = 50;          ///< runs replayed in intervals before a property is given up
  std::size_t live_features = 3;     ///< shown per token of a counterexample
};

/// What to check, and the files it speaks of. Nothing here is owned.
struct CheckInput {
  const spec::Spec* spec = nullptr;  ///< resolved
  Digest statement;                  ///< of the resolved file's bytes
  const Transformer* model = nullptr;
  const Tokenizer* tokenizer = nullptr;            ///< null: tokens are shown by id
  std::map<std::string, const Sae*> saes;          ///< by `use` name
  std::map<std::string, const Readout*> readouts;  ///< by `use` name
  const automata::FittedAutomaton* automaton = nullptr;
  Digest automaton_digest;
  std::vector<Sample> samples;
  std::vector<std::string> properties;  ///< which to check; empty = all
  Limits limits;
};

/// Visits of the fitted automaton by the truth of an ap there.
struct ApCount {
  std::string name;
  std::uint64_t yes = 0, no = 0, unknown = 0;
};

struct PropertyResult {
  std::string name;
  Verdict verdict = Unknown{};
  std::size_t dfa_states = 0;
  std::size_t pairs = 0;  ///< reached in the product; |invariant| when it holds
  std::string
      invariant_opinion;  ///< Z3 on the invariant: agree, disagree, unknown, not_built; or ""
  std::string reachability_opinion;  ///< Spacer on small products
  std::string solver;                ///< "Z3 4.8.12" or "none"
  std::string opinion_detail;
  std::vector<std::string> vacuous;  ///< sentences; empty when nothing is vacuous
  std::vector<ApCount> aps;
  std::string expected;  ///< the `expect` attribute, or ""
  std::string waiver;    ///< "waived until DATE: reason", or ""; the verdict stands

  [[nodiscard]] bool as_expected() const {
    return expected.empty() || expected == verify::name(verdict);
  }
};

struct CheckResult {
  std::vector<PropertyResult> properties;
  /// `assay-cert 1`, kind automaton; empty when no property was decided.
  std::string certificate;

  /// ok: all hold; violated: at least one is; unknown otherwise.
  [[nodiscard]] ExitCode code() const;
};

/// Decides every property: a replayed run of the model that violates it, an inductive invariant
/// of the fitted automaton (OBSERVED: an unseen edge is not an absent one), or Unknown.
/// Throws UsageError for a spec without properties, a name that is none, or aps that the
/// automaton was not fitted with; Error(ExitCode::artifact) when a digest of the spec differs.
[[nodiscard]] CheckResult check(const CheckInput& input);

/// The result in words, for people.
[[nodiscard]] std::string check_text(const CheckInput& input, const CheckResult& result);
/// A counterexample's tokens as one string, made visible.
[[nodiscard]] std::string token_text(const CheckInput& input, const std::vector<TokenId>& tokens);

/// The sentence that goes with every verdict on a fitted automaton.
inline constexpr const char* kObserved =
    "A verdict HOLDS here is OBSERVED: it speaks of the automaton fitted to sampled runs, and an "
    "unseen edge is not an absent one.";

}  // namespace assay::verify
