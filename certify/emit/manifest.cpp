#include "assay/certify/manifest.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 10000;
constexpr std::size_t kMaxName = 255;

bool excluded(const std::string& name, const std::vector<std::string>& exclusions) {
  return std::any_of(exclusions.begin(), exclusions.end(), [&](const std::string& pattern) {
    if (!pattern.empty() && pattern.back() == '*') {
      return name.compare(0, pattern.size() - 1, pattern, 0, pattern.size() - 1) == 0;
    }
    return name == pattern;
  });
}

std::string folded(std::string name) {
  for (char& c : name) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

class OpenFile {
 public:
  explicit OpenFile(const fs::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// What lies below a directory: regular files by name, and everything that is not one.
struct Listing {
  std::map<std::string, fs::path> files;
  std::vector<std::string> irregular;
};

Listing list_directory(const fs::path& directory, const std::vector<std::string>& exclusions) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    throw InputError(directory.string() + ": not a directory");
  }
  Listing listing;
  fs::recursive_directory_iterator it(directory, error);
  if (error) {
    throw InputError(directory.string() + ": cannot be read: " + error.message());
  }
  const fs::recursive_directory_iterator end;
  while (it != end) {
    const std::string name = it->path().lexically_relative(directory).generic_string();
    const fs::file_status status = it->symlink_status();
    if (excluded(name, exclusions) || excluded(name + "/", exclusions)) {
      it.disable_recursion_pending();
    } else if (fs::is_regular_file(status)) {
      listing.files.emplace(name, it->path());
    } else if (!fs::is_directory(status)) {
      listing.irregular.push_back(name);
    }
    if (listing.files.size() + listing.irregular.size() > kMaxFiles) {
      throw InputError(directory.string(), "files", "at most " + std::to_string(kMaxFiles), "more");
    }
    it.increment(error);
    if (error) {
      throw InputError(directory.string() + ": cannot be read: " + error.message());
    }
  }
  std::sort(listing.irregular.begin(), listing.irregular.end());
  return listing;
}

void refuse_twins(const std::vector<ManifestEntry>& files, const std::string& where) {
  std::set<std::string> seen;
  for (const ManifestEntry& entry : files) {
    if (!seen.insert(folded(entry.name)).second) {
      throw InputError(where + ": '" + entry.name + "' differs from another name by case only");
    }
  }
}

}  // namespace

std::string Manifest::text() const {
  std::string out;
  for (const ManifestEntry& entry : files) {
    out += entry.sha256.hex() + "  " + entry.name + "\n";
  }
  return out;
}

Digest Manifest::oms_root() const {
  std::string raw;
  for (const ManifestEntry& entry : files) {
    raw.append(reinterpret_cast<const char*>(entry.sha256.bytes.data()), entry.sha256.bytes.size());
  }
  return sha256(raw);
}

const ManifestEntry* Manifest::find(const std::string& name) const {
  const auto it = std::find_if(files.begin(), files.end(),
                               [&](const ManifestEntry& e) { return e.name == name; });
  return it == files.end() ? nullptr : &*it;
}

const std::vector<std::string>& default_exclusions() {
  static const std::vector<std::string> kNames = {".cache/*",     ".git*",         "checkpoints/*",
                                                  "gain.json",    "metrics.jsonl", "price.json",
                                                  "training.json"};
  return kNames;
}

bool allowed_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxName) {
    return false;
  }
  for (const char c : path) {
    if (c < 0x20 || c > 0x7E || c == '\\') {
      return false;
    }
  }
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return false;
    }
  }
  return true;
}

ManifestEntry hash_regular_file(const fs::path& path, const std::string& name) {
  const OpenFile file(path);
  struct stat before {};
  if (file.get() < 0 || ::fstat(file.get(), &before) != 0 || !S_ISREG(before.st_mode)) {
    throw InputError(path.string() + ": not a regular file that can be read");
  }
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::vector<unsigned char> buffer(std::size_t{1} << 20);
  ManifestEntry entry{name, 0, {}};
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0) {
      throw InputError(path.string() + ": read error");
    }
    if (got == 0) {
      break;
    }
    crypto_hash_sha256_update(&state, buffer.data(), static_cast<unsigned long long>(got));
    entry.size += static_cast<std::uint64_t>(got);
  }
  struct stat after {};
  if (::fstat(file.get(), &after) != 0 || after.st_size != before.st_size ||
      after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
      after.st_mtim.tv_nsec != before.st_mtim.tv_nsec ||
      entry.size != static_cast<std::uint64_t>(before.st_size)) {
    throw InputError(path.string() + ": changed while it was read");
  }
  crypto_hash_sha256_final(&state, entry.sha256.bytes.data());
  return entry;
}

Manifest build_manifest(const fs::path& directory, const std::vector<std::string>& exclusions) {
  const Listing listing = list_directory(directory, exclusions);
  if (!listing.irregular.empty()) {
    throw InputError(directory.string() + ": '" + visible(listing.irregular.front()) +
                     "' is a symlink or special file; only regular files can be a subject");
  }
  Manifest manifest;
  for (const auto& [name, path] : listing.files) {  // std::map: byte order
    if (!allowed_path(name)) {
      throw InputError(directory.string() + ": file name '" + visible(name) + "' is not allowed");
    }
    manifest.files.push_back(hash_regular_file(path, name));
  }
  if (manifest.files.empty()) {
    throw InputError(directory.string() + ": no file to be the subject");
  }
  refuse_twins(manifest.files, directory.string());
  return manifest;
}

Manifest parse_manifest(std::string_view text, const std::string& file) {
  Manifest manifest;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::string where = file + ":" + std::to_string(line_number);
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (end == std::string_view::npos || line.size() < 67 || line.substr(64, 2) != "  ") {
      throw InputError(where, "line", "'<64 hex>  <path>' and a line feed", "something else");
    }
    const std::string name(line.substr(66));
    if (!allowed_path(name)) {
      throw InputError(where + ": file name '" + visible(name) + "' is not allowed");
    }
    if (!manifest.files.empty() && !(manifest.files.back().name < name)) {
      throw InputError(where, "order", "names sorted by bytes, each once", visible(name));
    }
    if (line_number > kMaxFiles) {
      throw InputError(file, "files", "at most " + std::to_string(kMaxFiles), "more");
    }
    manifest.files.push_back({name, 0, parse_digest(line.substr(0, 64))});
    text.remove_prefix(end + 1);
  }
  if (manifest.files.empty()) {
    throw InputError(file, "lines", "at least one", "none");
  }
  refuse_twins(manifest.files, file);
  return manifest;
}

std::vector<std::string> compare_with_directory(const Manifest& manifest,
                                                const std::vector<std::string>& exclusions,
                                                const fs::path& directory, bool allow_extra) {
  std::vector<std::string> differences;
  Listing listing;
  try {
    listing = list_directory(directory, exclusions);
  } catch (const InputError& e) {
    return {e.what()};
  }
  for (const std::string& name : listing.irregular) {
    differences.push_back(visible(name) + ": a symlink or special file");
  }
  for (const ManifestEntry& entry : manifest.files) {
    if (std::find(listing.irregular.begin(), listing.irregular.end(), entry.name) !=
        listing.irregular.end()) {
      continue;
    }
    const fs::path path = directory / entry.name;
    std::error_code error;
    if (!fs::exists(fs::symlink_status(path, error))) {
      differences.push_back(entry.name + ": missing");
      continue;
    }
    try {
      if (hash_regular_file(path, entry.name).sha256 != entry.sha256) {
        differences.push_back(entry.name + ": other bytes than the certificate is about");
      }
    } catch (const InputError& e) {
      differences.emplace_back(e.what());
    }
  }
  for (const auto& [name, path] : listing.files) {
    if (!allow_extra && manifest.find(name) == nullptr) {
      differences.push_back(visible(name) + ": an extra file that the certificate does not list");
    }
  }
  return differences;
}

}  // namespace assay::certify
