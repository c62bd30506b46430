#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace assay::certify {

/// The highest numbers that a verifier has accepted, so that nobody can go back behind them.
struct Seen {
  std::uint64_t trust_version = 0, revocation_sequence = 0;
  std::map<std::string, std::uint64_t> sequences;  ///< of certificates, by resource
};

/// Nothing seen when the file does not exist. Throws UsageError on one that cannot be read.
[[nodiscard]] Seen load_seen(const std::filesystem::path& file);
void save_seen(const std::filesystem::path& file, const Seen& seen);

}  // namespace assay::certify
