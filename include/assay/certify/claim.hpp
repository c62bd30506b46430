#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/certify/statistics.hpp"

namespace assay::certify {

/// How well a claim is supported, weakest first. A claim's level is the weakest
/// PROVED / STATISTICAL / OBSERVED link of its chain; see `chain_level`.
enum class Level { assumed, observed, statistical, proved };

/// What was found. UNKNOWN is a value, never a pass.
enum class Status { holds, violated, unknown };

[[nodiscard]] std::string level_name(Level level);     ///< "PROVED", "STATISTICAL", …
[[nodiscard]] std::string status_name(Status status);  ///< "HOLDS", "VIOLATED", "UNKNOWN"
/// Inverse of the two above; throw InputError on any other word.
[[nodiscard]] Level parse_level(const std::string& word);
[[nodiscard]] Status parse_status(const std::string& word);

/// One step from evidence to claim, in plain words, with the level of that step alone.
struct Link {
  std::string text;
  Level level = Level::observed;
  bool operator==(const Link&) const = default;
};

/// Weakest PROVED / STATISTICAL / OBSERVED link. ASSUMED links are listed but do not lower the
/// result; a chain of nothing else (or of nothing) is ASSUMED.
[[nodiscard]] Level chain_level(const std::vector<Link>& chain);

/// One file handed to the checker: `--option evidence/name`, or `--readout ID=evidence/name`.
struct CheckInput {
  std::string option;  ///< one of `kCheckOptions`, without the dashes
  std::string name;    ///< an evidence file or a folder of such; after "ID=" for a readout
  bool operator==(const CheckInput&) const = default;
};

/// How anybody re-checks a claim: run `assay-check CERTIFICATE --model DIR inputs…` and find
/// the line `ACCEPT accepts LEVEL statement` in what it prints.
struct Recheck {
  std::string certificate;         ///< evidence file with the proof steps
  std::vector<CheckInput> inputs;  ///< everything else the checker may read
  std::string accepts;             ///< the claim's id inside the certificate
  std::string statement;  ///< the words after the level, exactly as the checker prints them
  bool operator==(const Recheck&) const = default;
};

/// A reason to doubt a claim, and what became of it.
struct Defeater {
  std::string text;
  std::string state;  ///< "resolved", "open" or "accepted"
  bool operator==(const Defeater&) const = default;
};

/// One claim. Numbers are text: hex floats, fractions or decimals, never JSON floats.
struct Claim {
  std::string id;
  std::string kind;      ///< "feature-off", "token-out", "spec", "residual", …
  std::string spec_ref;  ///< where the formal text stands, e.g. "tags.spec:12"; may be empty
  std::string formal;    ///< as the checker or the specification reads it
  std::string text;      ///< one plain sentence
  Status status = Status::unknown;
  Level level = Level::assumed;
  std::vector<Link> chain;
  std::string domain;  ///< which inputs the claim speaks about
  std::string bound, threshold, attack,
      unit;                           ///< upper bound, its limit, largest value found; or empty
  std::string reason;                 ///< UNKNOWN: why, and what refinement is missing
  std::vector<std::string> evidence;  ///< names from Statement::evidence
  std::optional<Recheck> recheck;
  std::optional<Statistics> statistics;  ///< of a STATISTICAL claim
  std::string counterexample;            ///< evidence file (exhibits.hpp), or empty
  std::vector<std::string> assumptions;  ///< ids from Statement::assumptions
  std::vector<Defeater> defeaters;
  bool operator==(const Claim&) const = default;
};

}  // namespace assay::certify
