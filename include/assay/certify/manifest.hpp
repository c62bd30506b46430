#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "assay/base/digest.hpp"

namespace assay::certify {

struct ManifestEntry {
  std::string name;  ///< relative path with '/'
  std::uint64_t size = 0;
  Digest sha256;
  bool operator==(const ManifestEntry&) const = default;
};

/// The subject: the deployable files of a model directory, sorted by the bytes of their paths.
struct Manifest {
  std::vector<ManifestEntry> files;

  /// sha256sum format: `<64 hex>  <path>\n`, one line a file.
  [[nodiscard]] std::string text() const;
  /// sha256 of the raw digests in name order; an alias that does not bind the names.
  [[nodiscard]] Digest oms_root() const;
  /// Digest of one file, or null.
  [[nodiscard]] const ManifestEntry* find(const std::string& name) const;
};

/// Names left out of a model directory's manifest: exact names, or `PREFIX*`.
[[nodiscard]] const std::vector<std::string>& default_exclusions();

/// Relative, `/`, no empty, `.` or `..` parts, printable ASCII without backslash (so that no two
/// names can look the same), at most 255 bytes.
[[nodiscard]] bool allowed_path(std::string_view path);

/// Hashes every regular file below `directory` that no exclusion matches. Throws InputError on
/// a symlink, a special file, a name that is not allowed, case-fold twins, or no file at all.
[[nodiscard]] Manifest build_manifest(
    const std::filesystem::path& directory,
    const std::vector<std::string>& exclusions = default_exclusions());

/// Strict reader of `text()`; sizes are not in the file and read as 0. Throws InputError.
[[nodiscard]] Manifest parse_manifest(std::string_view text, const std::string& file);

/// One sentence per difference: file missing, other bytes, not listed (unless `allow_extra`).
/// Symlinks and special files in the directory are differences too. Empty = the same.
[[nodiscard]] std::vector<std::string> compare_with_directory(
    const Manifest& manifest, const std::vector<std::string>& exclusions,
    const std::filesystem::path& directory, bool allow_extra);

/// Size and digest from one read of one descriptor opened without following a symlink.
/// Throws InputError unless it is a regular file that did not change meanwhile.
[[nodiscard]] ManifestEntry hash_regular_file(const std::filesystem::path& path,
                                              const std::string& name);

}  // namespace assay::certify
