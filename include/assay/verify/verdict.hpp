#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "assay/automata/product.hpp"
#include "assay/base/index.hpp"
#include "assay/spec/dfa.hpp"

namespace assay::verify {

/// The property holds of every run of the fitted automaton. OBSERVED. There is no way to make
/// one without its certificate: the constructor checks INV itself, in one pass over the pairs.
class Holds {
 public:
  /// @param invariant ascending. Throws PreconditionError when it does not contain every
  /// initial pair, is not closed under every edge and letter, or holds a bad pair.
  Holds(const automata::Product& product, std::vector<automata::ProductState> invariant);

  [[nodiscard]] const spec::Dfa& dfa() const { return dfa_; }
  [[nodiscard]] const std::vector<automata::ProductState>& invariant() const { return invariant_; }

 private:
  spec::Dfa dfa_;
  std::vector<automata::ProductState> invariant_;
};

/// A feature's or readout's value at a position, enclosed.
struct AtomValue {
  std::string what;  ///< "feat(T/12)", "read(probe)"
  double lo = 0;
  double hi = 0;
};

struct WitnessStep {
  TokenId token;
  std::uint64_t letter = 0;  ///< bit i: Spec::atoms[i] is surely true; the property's atoms only
  std::vector<AtomValue> values;                     ///< of the property's atoms
  std::vector<std::pair<std::string, double>> live;  ///< strongest live features, "T/12", in double
};

/// The model itself violates the property: a run that was replayed in outward-rounded
/// arithmetic (WITNESS).
struct Violated {
  std::size_t prompt = 0;  ///< index into FittedAutomaton::prompts
  std::vector<TokenId> tokens;
  std::vector<WitnessStep> steps;  ///< one per token
};

/// Not decided; a value like the others, and never a pass.
struct Unknown {
  std::string reason;
  std::string missing;  ///< what would have to be refined; may be empty
};

using Verdict = std::variant<Holds, Violated, Unknown>;
[[nodiscard]] const char* name(const Verdict& verdict);  ///< "holds", "violated", "unknown"

}  // namespace assay::verify
