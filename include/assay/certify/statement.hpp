#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/certify/claim.hpp"
#include "assay/certify/manifest.hpp"

namespace assay::certify {

inline constexpr const char* kStatementType = "https://in-toto.io/Statement/v1";
/// An identifier, not an address: `.invalid` can never be registered by anybody.
inline constexpr const char* kPredicateType = "https://assay.invalid/nn-certificate/v1";
inline constexpr const char* kSchemaVersion = "1.0.0";
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{16} << 20;

struct CertificateInfo {
  std::string name;                              ///< what people call the model
  std::string serial;                            ///< unique per resource
  std::string resource_uri;                      ///< e.g. "pkg:generic/acme/model@1.2"
  std::string scope;                             ///< one sentence: what was examined
  std::string issued_at, not_before, not_after;  ///< RFC 3339 UTC seconds, or empty
  std::uint64_t sequence = 0;   ///< rises with every certificate of the resource; 0: not stated
  std::string previous_sha256;  ///< of the payload that it follows, or empty
};

/// Something that went in but is not the subject: SAE, spec, text, tool, checker.
struct Material {
  std::string name;
  std::string role;  ///< sae, eraser, spec, dataset, automaton, tool, solver, checker, samplingPlan
  Digest sha256;
};

/// A file under evidence/, found by name and trusted by digest only.
struct Evidence {
  std::string name;  ///< relative path, the rules of manifest paths
  std::string role;  ///< "bounds", "request", "sae", "automaton", "feature-cards", …
  std::uint64_t size = 0;
  Digest sha256;
};

struct Assumption {
  std::string id, text, kind, breaks_if;
};

/// A named number for people, e.g. {"Training", "validation loss", "1.20", "nats per character"}.
struct Figure {
  std::string group, label, value, note;
};

/// A table for people. One whose `id` begins with "erasure" is shown in the erasure section, all
/// others with the figures.
struct Table {
  std::string id, caption, note;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

/// Everything that is signed: an in-toto Statement v1 with exactly one subject (the manifest).
struct Statement {
  std::string subject_name;  ///< "NAME.model.sha256"
  Digest subject_sha256;     ///< of the manifest file's bytes
  CertificateInfo certificate;
  std::vector<ManifestEntry> subject_files;
  std::vector<std::string> exclusions;
  std::vector<Material> materials;
  std::map<std::string, std::string> environment;
  std::vector<Evidence> evidence;
  std::vector<Claim> claims;
  std::vector<Assumption> assumptions;
  std::vector<std::string> not_claimed;
  std::vector<Figure> figures;
  std::vector<Table> tables;
  std::vector<std::string> commands;  ///< how to do it again
};

/// Counts over the claims. The result is VIOLATED if one claim is, HOLDS if there is at least
/// one claim and all hold, otherwise UNKNOWN.
struct Verdict {
  Status result = Status::unknown;
  std::size_t holds = 0, violated = 0, unknown = 0;
  std::size_t proved = 0, statistical = 0, observed = 0, assumed = 0;  ///< of those that hold
  bool operator==(const Verdict&) const = default;
};
[[nodiscard]] Verdict verdict_of(const std::vector<Claim>& claims);

/// The payload: RFC 8785 bytes of the restricted profile (ASCII keys, no floats, no null).
/// Same statement, same bytes. Throws InputError on text that is not UTF-8, on an unknown
/// evidence or assumption name, on a path that is not allowed, or above kMaxPayloadBytes.
[[nodiscard]] std::string statement_json(const Statement& statement);

/// Strict inverse (unique keys, depth <= 64, integers within 2^53, no floats, no null, exactly
/// one subject, known top-level keys). Unknown predicate keys are ignored. Throws InputError.
[[nodiscard]] Statement parse_statement(std::string_view payload, const std::string& file);

/// "2027-01-31T00:00:00Z" for seconds since 1970, and back (InputError on any other form).
[[nodiscard]] std::string utc_time(std::int64_t seconds);
[[nodiscard]] std::int64_t parse_utc_time(const std::string& text);
/// `flag` (the text of --time) if given, else SOURCE_DATE_EPOCH, else nothing: the clock is
/// never read, so that the same inputs give the same payload.
[[nodiscard]] std::optional<std::string> issue_time(const std::string& flag);

}  // namespace assay::certify
