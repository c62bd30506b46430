#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "assay/base/files.hpp"

namespace assay {

/// A file open for reading at any place: for tensors that need not be in memory at once.
class ReadableFile {
 public:
  /// Throws InputError when missing, not a regular file, or over `limit`.
  explicit ReadableFile(const std::filesystem::path& path, std::size_t limit = kMaxFileBytes);
  ~ReadableFile();
  ReadableFile(const ReadableFile&) = delete;
  ReadableFile& operator=(const ReadableFile&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Fills `out` from `offset` on. Throws InputError when the file is shorter.
  void read(std::size_t offset, std::span<char> out) const;

 private:
  std::string name_;
  int fd_;
  std::size_t size_ = 0;
};

/// A file written in pieces as by write_file_atomic; gone unless it is committed.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what);

  std::string path_, temporary_;
  int fd_ = -1;
};

}  // namespace assay
