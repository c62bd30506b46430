#include "assay/torch_bridge/checkpoint.hpp"

#include "assay/base/errors.hpp"
#include "assay/model/safetensors.hpp"

namespace assay::torch_bridge {
namespace {

constexpr const char* kFormat = "assay-checkpoint-1";

std::string entry(const SafetensorsFile& file, const std::filesystem::path& path,
                  const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw InputError(path.string(), "metadata " + key, "present (a training checkpoint)", "none");
  }
  return found->second;
}

}  // namespace

std::size_t Checkpoint::step() const {
  return static_cast<std::size_t>(integers.at("step").at(0));
}

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  SafetensorsFile file;
  file.floats = checkpoint.floats;
  file.integers = checkpoint.integers;
  for (const auto& [name, values] : checkpoint.integers) {
    file.integer_shapes[name] = {values.size()};
  }
  file.metadata = {
      {"format", kFormat}, {"options", checkpoint.options}, {"corpus", checkpoint.corpus_digest}};
  write_safetensors(path, file);
}

Checkpoint load_checkpoint(const std::filesystem::path& path, const std::string& options,
                           const std::string& corpus_digest) {
  SafetensorsFile file = read_safetensors(path);
  if (const std::string format = entry(file, path, "format"); format != kFormat) {
    throw InputError(path.string(), "format", kFormat, format);
  }
  Checkpoint checkpoint;
  checkpoint.options = entry(file, path, "options");
  checkpoint.corpus_digest = entry(file, path, "corpus");
  if (checkpoint.options != options) {
    throw UsageError(path.string() + ": written by a run with other options: " +
                     checkpoint.options + " and not " + options);
  }
  if (checkpoint.corpus_digest != corpus_digest) {
    throw UsageError(path.string() + ": written by a run on another text (digest " +
                     checkpoint.corpus_digest + ")");
  }
  checkpoint.floats = std::move(file.floats);
  checkpoint.integers = std::move(file.integers);
  const auto step = checkpoint.integers.find("step");
  if (step == checkpoint.integers.end() || step->second.size() != 1 || step->second[0] < 0) {
    throw InputError(path.string(), "step", "one non-negative integer", "none");
  }
  return checkpoint;
}

}  // namespace assay::torch_bridge
