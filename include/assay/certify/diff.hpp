#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/certify/statement.hpp"

namespace assay::certify {

enum class ChangeKind {
  added,           ///< a claim that the old certificate did not have
  removed,         ///< a claim that is gone
  weakened,        ///< it says less, or that it says as much cannot be shown
  strengthened,    ///< it says more
  same,            ///< it says the same
  reworded,        ///< only its plain words changed
  tool_change,     ///< made or checked with another program
  dataset_change,  ///< about other data
};
/// "added", …, "tool-change", "dataset-change"; and back.
[[nodiscard]] std::string change_name(ChangeKind kind);
[[nodiscard]] std::optional<ChangeKind> parse_change(const std::string& name);
/// Removed, weakened, tool-change and dataset-change: not to be passed over in silence.
[[nodiscard]] bool blocks(ChangeKind kind);

struct Change {
  ChangeKind kind = ChangeKind::same;
  std::string claim;  ///< id, or empty when it is about the whole certificate
  std::string
      aspect;  ///< status, level, chain, assumptions, kind, formula, domain, bound, threshold, …
  std::string text;  ///< one sentence
};

/// A certificate and the evidence beside it, read by digest.
struct DiffSide {
  const Statement& statement;
  std::filesystem::path evidence;
};

/// What became of every claim of `old`, by id, and of the new ones; then tools and data.
///
///   a claim is no weaker when   status, level, chain and assumptions are no worse
///                               spec_new => spec_old    (inclusion of automata, finite and endless runs)
///                               domain_old ⊆ domain_new (sets)
///                               bound_new <= bound_old, threshold_new <= threshold_old  (exact rationals)
/// Whatever of this cannot be shown counts as weakened.
[[nodiscard]] std::vector<Change> diff(const DiffSide& old, const DiffSide& now);

/// An evidence file whose bytes are the listed ones; nothing otherwise.
[[nodiscard]] std::optional<std::string> read_evidence(const DiffSide& side,
                                                       const std::string& name);

}  // namespace assay::certify
