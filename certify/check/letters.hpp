#pragma once

#include <cstdint>

#include "forward.hpp"
#include "session.hpp"

namespace assay_check {

/// What a position says of the atoms: bit i of `must`: atom i is surely true; of `may`: not surely
/// false.
struct Letter {
  std::uint64_t must = 0, may = 0;
};

/// Reads letters off the model; the property's atoms only.
class LetterReader {
 public:
  LetterReader(Session& session, const Step& step, std::uint64_t atoms)
      : session_(session), step_(step), used_(atoms) {}

  /// Some atom speaks of a feature or a readout, so that a position is needed.
  [[nodiscard]] bool needs_position() const;
  /// `at` may be null when no atom needs it.
  [[nodiscard]] Letter letter(std::size_t token, const Position* at);
  /// Every atom decided off its threshold, else Reject.
  [[nodiscard]] std::uint64_t decided(std::size_t token, const Position& at);

  enum class Truth { no, yes, unknown };
  /// What an enclosure says: of the pre-activation for a feature atom, of the value for a readout atom.
  [[nodiscard]] Truth truth(const SpecAtom& atom, const Interval& read);

 private:
  [[nodiscard]] static Truth is_above(const Interval& value, const Interval& t,
                                      const Interval& band, bool strict);
  [[nodiscard]] static Truth compare(const SpecAtom& atom, const Interval& value);
  [[nodiscard]] Truth evaluate_atom(const SpecAtom& atom, std::size_t token, const Position* at);

  Session& session_;
  const Step& step_;
  std::uint64_t used_;
};

}  // namespace assay_check
