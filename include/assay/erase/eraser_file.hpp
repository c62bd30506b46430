#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/erase/leace.hpp"

namespace assay::erase {

/// What an eraser was fitted on, as far as it is known.
struct EraserOrigin {
  std::optional<Digest> model_weights;
  std::string labelled;  ///< the concept's name, or empty
  std::optional<Digest> labelling_rule;
  std::vector<Digest> activations = {};  ///< files of `assay erase fit`, in their order
  std::vector<Digest> labels = {};       ///< those that held labels alone
  std::vector<Digest> rows = {};         ///< of the rows of those files, whatever their encoding
  std::optional<Digest> rows_of_model = {};  ///< the model that those files say their rows are of
};

/// eraser.json and eraser.safetensors (docs/certificate-format.md, "Kind erasure").
[[nodiscard]] std::string eraser_json(const Eraser& eraser, const EraserOrigin& origin);
[[nodiscard]] std::string eraser_tensors(const Eraser& eraser);

/// Whether these are rows of the fit: the same file, or the same rows in another one.
[[nodiscard]] bool is_of_fit(const EraserOrigin& origin, const Digest& file, const Digest& rows);

struct LoadedEraser {
  Eraser eraser;
  EraserOrigin origin;
  Digest config, weights;  ///< of the two files
};
/// Reads both back. Throws InputError.
[[nodiscard]] LoadedEraser load_eraser(const std::filesystem::path& directory);

}  // namespace assay::erase
