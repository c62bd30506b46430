#include "assay/base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "assay/base/errors.hpp"

namespace assay {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string reason() {
  return std::strerror(errno);
}

}  // namespace

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    throw InputError(path.string() + ": cannot be opened: " + reason());
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    throw InputError(path.string() + ": not a regular file");
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > limit) {
    throw InputError(path.string(), "size", "at most " + std::to_string(limit) + " bytes",
                     std::to_string(size));
  }
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(fd.get(), bytes.data() + done, size - done);
    if (got <= 0) {
      throw InputError(path.string() + ": shorter than its size says");
    }
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

void write_file_atomic(const std::filesystem::path& path, std::string_view bytes) {
  const std::string temporary = path.string() + ".part." + std::to_string(::getpid());
  const auto fail = [&](const std::string& what) {
    const std::string why = reason();
    ::unlink(temporary.c_str());
    throw Error(ExitCode::internal, path.string() + ": cannot " + what + ": " + why);
  };
  {
    const FileDescriptor fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (fd.get() < 0) {
      fail("create");
    }
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t put = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
      if (put < 0) {
        fail("write");
      }
      done += static_cast<std::size_t>(put);
    }
    if (::fsync(fd.get()) != 0) {
      fail("flush");
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    fail("rename into place");
  }
}

void make_directory(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    throw Error(ExitCode::internal, path.string() + ": cannot create: " + error.message());
  }
}

}  // namespace assay
