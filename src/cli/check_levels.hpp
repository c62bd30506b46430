#pragma once

#include <string>

#include "assay/verify/levels.hpp"
#include "session.hpp"

namespace assay::cli {

/// A result in words, and for programs.
[[nodiscard]] std::string levels_text(const std::string& name, const std::string& claim,
                                      const verify::LevelResult& result);
[[nodiscard]] nlohmann::ordered_json levels_json(const std::string& name, const std::string& claim,
                                                 const verify::LevelResult& result);
/// ok, violated or unknown.
[[nodiscard]] ExitCode levels_code(const verify::LevelResult& result);

}  // namespace assay::cli
