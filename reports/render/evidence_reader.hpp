#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/certify/statement.hpp"

namespace assay::report {

/// Reads evidence by name and believes it by digest only.
class EvidenceReader {
 public:
  EvidenceReader(const certify::Statement& statement, std::filesystem::path directory)
      : statement_(statement), directory_(std::move(directory)) {}

  /// The bytes, or nothing when the file is missing, too large or not the one that was signed.
  [[nodiscard]] std::optional<std::string> read(const certify::Evidence& evidence) const;
  [[nodiscard]] const certify::Evidence* find(const std::string& name) const;
  [[nodiscard]] std::vector<const certify::Evidence*> with_role(const std::string& role) const;

 private:
  const certify::Statement& statement_;
  std::filesystem::path directory_;
};

/// What stands where an exhibit would.
[[nodiscard]] std::string withheld(const certify::Evidence& evidence, const std::string& why);

}  // namespace assay::report
