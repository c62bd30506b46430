#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "assay/model/tensor.hpp"

namespace assay::torch_bridge {

/// Everything a run needs to continue bit for bit: parameters, optimizer moments and counters.
/// Kept as a safetensors file; nothing in it is executable.
struct Checkpoint {
  NamedTensors floats;
  std::map<std::string, std::vector<std::int64_t>> integers;  ///< "step", …
  std::string options;                                        ///< resolved options (options_json)
  std::string corpus_digest;                                  ///< hex

  [[nodiscard]] std::size_t step() const;
};

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws InputError when the file is not a checkpoint, UsageError when it was written by a run
/// with other options or another text.
[[nodiscard]] Checkpoint load_checkpoint(const std::filesystem::path& path,
                                         const std::string& options,
                                         const std::string& corpus_digest);

}  // namespace assay::torch_bridge
