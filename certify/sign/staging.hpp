#pragma once

#include <filesystem>
#include <string>

#include "assay/certify/statement.hpp"

namespace assay::certify {

/// A private folder (mode 0700) that holds exactly the evidence whose digests were right, so
/// that what was hashed is what the checker reads. Removed with everything in it at the end.
class Staging {
 public:
  Staging();  ///< throws Error(ExitCode::internal)
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Copies `source` while hashing it. Returns what is wrong, or "".
  [[nodiscard]] std::string add(const Evidence& evidence, const std::filesystem::path& source);

 private:
  std::filesystem::path path_;
};

}  // namespace assay::certify
