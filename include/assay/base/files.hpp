#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace assay {

inline constexpr std::size_t kMaxFileBytes = std::size_t{4} << 30;

/// Whole file as bytes. Throws InputError when missing, not a regular file, or over `limit`.
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    std::size_t limit = kMaxFileBytes);

/// Writes beside the target, flushes, renames: a reader sees the old file or the whole new
/// one, and a full disk (Error, ExitCode::internal) leaves nothing half-written.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

/// Creates the directory and its parents; throws Error(ExitCode::internal) on failure.
void make_directory(const std::filesystem::path& path);

}  // namespace assay
