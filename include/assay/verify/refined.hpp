#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "assay/bounds/lemma.hpp"
#include "assay/verify/exact.hpp"
#include "assay/verify/view_box.hpp"

namespace assay::verify {

/// Budgets count lemmas and boxes; seconds are a safety stop, and a verdict UNKNOWN by it is not reproducible.
struct RefinedLimits {
  std::size_t lemmas = 3000;      ///< bounds computed for one property
  std::size_t boxes = 50'000;     ///< boxes looked at for one property
  double seconds = 0;             ///< for one property; 0: none
  std::size_t cover = 4'000'000;  ///< boxes compared in the re-check of one property
  std::size_t hunt = 1'000'000;   ///< contexts evaluated for a run that shows one ap to matter
};

struct RefinedInput {
  ExactInput runs;  ///< of its limits only `replays` is read
  RefinedLimits limits;
};

/// OUT   the decoder never emits the token after a context of the box: one lemma, or one for each of K rivals (top-k).
struct OutFact {
  std::uint32_t token = 0;
  ViewBox box;
  std::vector<bounds::Lemma> lemmas;
};
/// ATOM  the atom is surely true (false) at the last token of every context of the box.
struct AtomFact {
  std::size_t atom = 0;  ///< index into Spec::atoms
  bool truth = false;
  ViewBox box;
  bounds::Lemma lemma;
};
/// STATE  a run may stand in a view of the box with this state of the bad-prefix automaton.
struct StateBox {
  std::uint32_t spec = 0;
  ViewBox box;
};
struct RefinedProof {
  std::vector<OutFact> outs;
  std::vector<AtomFact> atoms;
  std::vector<StateBox> states;
};

/// The property holds of every run of the model from every prompt, with any number of new tokens (REFINED). There is no
/// way to make one without its certificate: the constructor checks the cover conditions itself, apart from the search.
class RefinedHolds {
 public:
  /// Throws PreconditionError when a fact's lemma does not show it, when a prompt or a successor is not covered, or when
  /// a state is bad; Error(unknown) when the check takes more than `limits.cover`.
  RefinedHolds(const RefinedInput& input, spec::Dfa dfa, RefinedProof proof);

  [[nodiscard]] const spec::Dfa& dfa() const { return dfa_; }
  [[nodiscard]] const RefinedProof& proof() const { return proof_; }

 private:
  spec::Dfa dfa_;
  RefinedProof proof_;
};

/// A claim Pmax or Pmin within a horizon holds for every prompt and every choice of nature (CHANCE-BOXES). The constructor
/// checks the partition and makes the steps itself, from the lemmas alone.
class RefinedChance {
 public:
  /// Throws PreconditionError when the boxes do not cover every view, or the bound does not show the claim.
  RefinedChance(const RefinedInput& input, const spec::Property& property, spec::Dfa event,
                std::vector<ViewBox> leaves, std::vector<bounds::Lemma> facts);

  [[nodiscard]] const spec::Dfa& event() const { return event_; }
  [[nodiscard]] const std::vector<ViewBox>& leaves() const { return leaves_; }
  [[nodiscard]] const std::vector<bounds::Lemma>& facts() const { return facts_; }

 private:
  spec::Dfa event_;
  std::vector<ViewBox> leaves_;
  std::vector<bounds::Lemma> facts_;  ///< MOST
};

/// A property that still holds when an ap is replaced by the constant that hurts it most says nothing about that ap.
struct RefinedMatter {
  std::size_t atom = 0;   ///< index into Spec::atoms
  bool positive = false;  ///< the polarity that was replaced: false by `true`, true by `false`
  std::optional<ExactViolated>
      run;  ///< replayed: violates the property so changed; none: none was met
};

struct RefinedProperty {
  std::string name;
  std::variant<RefinedHolds, ExactViolated, Unknown, RefinedChance> verdict = Unknown{};
  std::optional<ChanceBounds> chance;  ///< of a claim Pmax or Pmin
  std::size_t dfa_states = 0;
  std::size_t lemmas = 0;       ///< that the verdict rests on
  std::size_t bounded = 0;      ///< boxes bounded in the search
  std::size_t patterns = 0;     ///< boxes looked at
  std::size_t refinements = 0;  ///< boxes divided
  std::size_t depth = 0;        ///< positions known in the longest pattern of a lemma
  std::size_t excluded = 0;     ///< (pattern, state) pairs shown unreachable
  std::size_t attacked = 0;     ///< contexts evaluated
  std::size_t absent = 0, witnessed = 0, open = 0;  ///< (pattern, token) pairs that were looked at
  double seconds = 0;
  std::string expected;
  std::vector<RefinedMatter> matters;  ///< of a property that holds, one an ap and polarity

  /// "reached" when every ap matters on some real run, so that a run meets what the property asks of it; else "not met".
  [[nodiscard]] const char* antecedent() const;
  [[nodiscard]] const char* level() const;  ///< "PROVED", "" for UNKNOWN
  [[nodiscard]] const char* verdict_name() const;
};

struct RefinedResult {
  std::vector<RefinedProperty> properties;
  std::string certificate;  ///< empty when nothing was decided
  std::string runs;         ///< the statement file about prompts, decoder and horizon

  [[nodiscard]] ExitCode code() const;
};

/// Decides every property by lemmas about sets of contexts, lazily backward from its bad prefixes.
/// Throws UsageError for models outside the family and specs that do not fit.
[[nodiscard]] RefinedResult check_refined(const RefinedInput& input);

[[nodiscard]] std::string refined_text(const RefinedInput& input, const RefinedResult& result);

}  // namespace assay::verify
