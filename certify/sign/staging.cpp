#include "staging.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "assay/base/errors.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

/// Copies an open descriptor into `out`; the digest is of what was copied.
Digest copy_and_hash(int fd, std::ofstream& out, std::uint64_t& size) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::vector<char> buffer(std::size_t{1} << 20);
  ssize_t got = 0;
  while ((got = ::read(fd, buffer.data(), buffer.size())) > 0) {
    crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(buffer.data()),
                              static_cast<unsigned long long>(got));
    out.write(buffer.data(), got);
    size += static_cast<std::uint64_t>(got);
  }
  Digest digest;
  crypto_hash_sha256_final(&state, digest.bytes.data());
  return digest;
}

}  // namespace

Staging::Staging() {
  std::string pattern = (fs::temp_directory_path() / "assay-verify-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw Error(ExitCode::internal, pattern + ": cannot create a private folder");
  }
  path_ = pattern;
}

Staging::~Staging() {
  std::error_code error;
  fs::remove_all(path_, error);
}

std::string Staging::add(const Evidence& evidence, const fs::path& source) {
  const int fd = ::open(source.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    if (fd >= 0) {
      ::close(fd);
    }
    return "evidence '" + evidence.name + "' is missing";
  }
  if (static_cast<std::uint64_t>(info.st_size) != evidence.size) {
    ::close(fd);
    return "evidence '" + evidence.name + "' has other bytes than the certificate names";
  }
  const fs::path target = path_ / evidence.name;
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  std::ofstream out(target, std::ios::binary | std::ios::trunc);
  std::uint64_t size = 0;
  const Digest digest = copy_and_hash(fd, out, size);
  ::close(fd);
  out.close();
  if (!out) {
    throw Error(ExitCode::internal, target.string() + ": cannot write");
  }
  if (digest != evidence.sha256 || size != evidence.size) {
    fs::remove(target, error);
    return "evidence '" + evidence.name + "' has other bytes than the certificate names";
  }
  return "";
}

}  // namespace assay::certify
