#pragma once

#include <cstdint>
#include <vector>

#include "assay/automata/window_code.hpp"
#include "assay/spec/buchi.hpp"

namespace assay::verify {

struct ExactInput;
class WindowMachine;

/// The property holds of every endless run of the model from every prompt (LIVE). There is no way
/// to make one without its certificate: the constructor checks RANK itself, edge by edge, apart
/// from the search.
class ExactEndless {
 public:
  /// A window, a state of the automaton of the runs that violate the property, and its rank.
  struct Pair {
    automata::WindowCode window = 0;
    std::uint32_t state = 0, rank = 0;
    auto operator<=>(const Pair&) const = default;
  };

  /// @param against accepts every endless run that violates the property.
  /// @param ranks ascending, each pair once. Throws PreconditionError when a prompt's pair or a
  /// successor is missing, when a rank rises along an edge or does not fall at an accepting state.
  ExactEndless(const ExactInput& input, const WindowMachine& machine, spec::Buchi against,
               std::vector<Pair> ranks);

  [[nodiscard]] const spec::Buchi& against() const { return against_; }
  [[nodiscard]] const std::vector<Pair>& ranks() const { return ranks_; }
  [[nodiscard]] std::uint32_t highest() const;  ///< rank
  /// Within what assay-check re-evaluates: PROVED.
  [[nodiscard]] bool is_checkable() const { return checkable_; }

 private:
  spec::Buchi against_;
  std::vector<Pair> ranks_;
  bool checkable_ = false;
};

}  // namespace assay::verify
