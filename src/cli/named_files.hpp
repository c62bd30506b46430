#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/base/errors.hpp"
#include "assay/model/tokenizer.hpp"
#include "assay/spec/spec.hpp"

namespace assay::cli {

using NamedPaths = std::map<std::string, std::string>;

[[noreturn]] inline void refuse_pair(const std::string& option, const std::string& expected,
                                     const std::string& found) {
  throw UsageError(option + ": expected " + expected + ", found " + found);
}

/// "NAME=PATH" options. Throws UsageError when one has no name or comes twice.
[[nodiscard]] inline NamedPaths named_paths(const std::vector<std::string>& options,
                                            const std::string& option) {
  NamedPaths out;
  for (const std::string& text : options) {
    const auto sign = text.find('=');
    if (sign == std::string::npos || sign == 0 || sign + 1 == text.size()) {
      refuse_pair(option, "NAME=PATH", text);
    }
    if (!out.emplace(text.substr(0, sign), text.substr(sign + 1)).second) {
      refuse_pair(option, "each name once", text.substr(0, sign) + " again");
    }
  }
  return out;
}

/// Where a used file lies: as the option says, else the spec's own path, relative to the spec.
[[nodiscard]] inline std::filesystem::path path_of(const spec::Use& use, const NamedPaths& given,
                                                   const std::filesystem::path& spec_file) {
  if (const auto found = given.find(use.name); found != given.end()) {
    return found->second;
  }
  return spec_file.parent_path() / use.path;
}

[[nodiscard]] inline std::optional<Tokenizer> load_tokenizer(const std::filesystem::path& model) {
  const std::filesystem::path file = model / "tokenizer.json";
  return std::filesystem::exists(file) ? std::optional(Tokenizer::load(file)) : std::nullopt;
}

}  // namespace assay::cli
