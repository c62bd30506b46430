#pragma once

#include <string>

#include "assay/verify/exact.hpp"

namespace assay::verify {

/// The statement about prompts, decoder and horizon, `assay-runs 1` (docs/certificate-format.md).
[[nodiscard]] std::string runs_text(const ExactInput& input);

/// The windows of an invariant as boxes: sets of tokens, one a position, oldest first.
struct WindowBox {
  std::uint32_t step = 0, spec = 0;
  std::vector<std::vector<std::uint32_t>> sets;
};
/// Boxes that are disjoint and together hold exactly the invariant's pairs.
[[nodiscard]] std::vector<WindowBox> boxes_of(const std::vector<ExactPair>& invariant,
                                              const automata::WindowCodes& codes);

/// The BUCHI line of an automaton of endless runs.
[[nodiscard]] std::string buchi_line(const std::string& id, const std::string& property,
                                     const spec::Buchi& automaton);

/// `assay-cert 1`, kind exact; "" when nothing was decided that the checker can re-check.
[[nodiscard]] std::string exact_certificate(const ExactInput& input, const ExactResult& result);

}  // namespace assay::verify
