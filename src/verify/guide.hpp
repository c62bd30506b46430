#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/automata/search.hpp"
#include "replay.hpp"

namespace assay::verify {

/// What a hunt for a real run gave.
struct Hunt {
  std::optional<Violated> violated;
  std::size_t looked_at = 0;
  std::string reason;
  std::string missing;
};

/// One property, compiled and searched; what the hunts share.
struct Compiled {
  const spec::Property* property = nullptr;
  std::uint64_t used = 0;  ///< bits of its atoms in Spec::atoms
  automata::Product product;
  automata::SearchResult found;
};

/// Runs the monitor over sampled runs, shortest bad prefix first, and replays what it refutes.
[[nodiscard]] Hunt scan(const CheckInput& input, const Atoms& atoms, const Compiled& compiled,
                        const std::vector<std::vector<std::uint64_t>>& letters);

/// Best-first over concrete token prefixes of the model that stay in the decoder's support,
/// by the abstract distance to bad of the fitted states that the prefix may be in.
[[nodiscard]] Hunt guided_search(const CheckInput& input, const Atoms& atoms,
                                 const Compiled& compiled);

}  // namespace assay::verify
