#include "assay/certify/manifest.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <thread>

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
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> state(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  bool good = state && EVP_DigestInit_ex(state.get(), EVP_sha256(), nullptr) == 1;
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
    good = good && EVP_DigestUpdate(state.get(), buffer.data(), static_cast<std::size_t>(got)) == 1;
    entry.size += static_cast<std::uint64_t>(got);
  }
  struct stat after {};
  if (::fstat(file.get(), &after) != 0 || after.st_size != before.st_size ||
      after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
      after.st_mtim.tv_nsec != before.st_mtim.tv_nsec ||
      entry.size != static_cast<std::uint64_t>(before.st_size)) {
    throw InputError(path.string() + ": changed while it was read");
  }
  if (!good || EVP_DigestFinal_ex(state.get(), entry.sha256.bytes.data(), nullptr) != 1) {
    throw Error(ExitCode::internal, "libcrypto: cannot hash");
  }
  return entry;
}

namespace {

/// What became of one file: its entry, or why there is none.
struct Hashed {
  ManifestEntry entry;
  std::string fault;
};

/// Every file once, as many at a time as there are processors; results in the order of the names.
std::vector<Hashed> hash_files(const std::vector<std::pair<std::string, fs::path>>& files) {
  std::vector<Hashed> out(files.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) {
      try {
        out[i].entry = hash_regular_file(files[i].second, files[i].first);
      } catch (const Error& e) {
        out[i].fault = e.what();
      }
    }
  };
  const std::size_t workers =
      std::min<std::size_t>(files.size(), std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers; ++i) {
    threads.emplace_back(work);
  }
  work();
  for (std::thread& thread : threads) {
    thread.join();
  }
  return out;
}

}  // namespace

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
  }
  for (Hashed& hashed : hash_files({listing.files.begin(), listing.files.end()})) {
    if (!hashed.fault.empty()) {
      throw InputError(hashed.fault);
    }
    manifest.files.push_back(std::move(hashed.entry));
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
  std::vector<std::pair<std::string, fs::path>> present;
  std::map<std::string, Digest> expected;
  for (const ManifestEntry& entry : manifest.files) {
    if (std::find(listing.irregular.begin(), listing.irregular.end(), entry.name) !=
        listing.irregular.end()) {
      continue;
    }
    const fs::path path = directory / entry.name;
    std::error_code error;
    if (!fs::exists(fs::symlink_status(path, error))) {
      differences.push_back(entry.name + ": missing");
    } else {
      present.emplace_back(entry.name, path);
      expected[entry.name] = entry.sha256;
    }
  }
  const std::vector<Hashed> hashed = hash_files(present);
  for (std::size_t i = 0; i < present.size(); ++i) {
    if (!hashed[i].fault.empty()) {
      differences.push_back(hashed[i].fault);
    } else if (hashed[i].entry.sha256 != expected[present[i].first]) {
      differences.push_back(present[i].first + ": other bytes than the certificate is about");
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
