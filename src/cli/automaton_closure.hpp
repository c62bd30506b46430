#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "assay/automata/closure.hpp"

namespace assay::cli {

/// What a closure in a folder is of; only the same may go on with it.
struct ClosureIdentity {
  std::string model, decoder;  ///< digest of the weights; Emission::text()
  std::string prompts;         ///< digest of the prompts' file
  std::size_t slope_steps = 0, round_steps = 0;
  bool operator==(const ClosureIdentity&) const = default;
};

/// Writes closure.edges and, of a descending round that was stopped, closure.unfinished; returns what closure.json
/// keeps of them under "resume".
[[nodiscard]] nlohmann::ordered_json write_closure(const std::filesystem::path& folder,
                                                   const ClosureIdentity& identity,
                                                   const automata::ClosureResult& result);

/// What write_closure left there.
struct ClosureFolder {
  automata::ClosureBegun begun;
  nlohmann::ordered_json summary;  ///< closure.json
};
/// Throws UsageError for another identity, Error(artifact) for files that are not those of closure.json, InputError for
/// what cannot be read.
[[nodiscard]] ClosureFolder read_closure(const std::filesystem::path& folder,
                                         const ClosureIdentity& identity,
                                         const automata::WindowCodes& codes,
                                         std::size_t vocabulary);

}  // namespace assay::cli
