#include "assay/base/file_pieces.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "assay/base/errors.hpp"

namespace assay {
namespace {

std::string reason() {
  return std::strerror(errno);
}

}  // namespace

ReadableFile::ReadableFile(const std::filesystem::path& path, std::size_t limit)
    : name_(path.string()), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) {
    throw InputError(name_ + ": cannot be opened: " + reason());
  }
  struct stat info {};
  const bool regular = ::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode);
  size_ = regular ? static_cast<std::size_t>(info.st_size) : 0;
  if (!regular || size_ > limit) {
    ::close(fd_);
    if (!regular) {
      throw InputError(name_ + ": not a regular file");
    }
    throw InputError(name_, "size", "at most " + std::to_string(limit) + " bytes",
                     std::to_string(size_));
  }
}

ReadableFile::~ReadableFile() {
  ::close(fd_);
}

void ReadableFile::read(std::size_t offset, std::span<char> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got <= 0) {
      throw InputError(name_ + ": shorter than its size says");
    }
    done += static_cast<std::size_t>(got);
  }
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  const ReadableFile file(path, limit);
  std::string bytes(file.size(), '\0');
  file.read(0, bytes);
  return bytes;
}

AtomicFile::AtomicFile(const std::filesystem::path& path)
    : path_(path.string()), temporary_(path_ + ".part." + std::to_string(::getpid())) {
  struct stat old {};
  if (::lstat(path.c_str(), &old) == 0 && !S_ISREG(old.st_mode) && !S_ISLNK(old.st_mode)) {
    throw UsageError(path_ + ": expected a regular file to write, found a " +
                     (S_ISDIR(old.st_mode) ? "directory" : "special file"));
  }
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    fail("create");
  }
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) {
    ::close(fd_);
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::fail(const std::string& what) {
  throw Error(ExitCode::internal, path_ + ": cannot " + what + ": " + reason());
}

void AtomicFile::write(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::write(fd_, bytes.data() + done, bytes.size() - done);
    if (put < 0) {
      fail("write");
    }
    done += static_cast<std::size_t>(put);
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_) != 0) {
    fail("flush");
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail("rename into place");
  }
  ::close(fd_);
  fd_ = -1;
}

void write_file_atomic(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void make_directory(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    throw Error(ExitCode::internal, path.string() + ": cannot create: " + error.message());
  }
}

}  // namespace assay
