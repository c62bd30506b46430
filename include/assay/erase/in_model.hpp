#pragma once

#include <string>

#include "assay/erase/eraser_file.hpp"
#include "assay/model/forward.hpp"

namespace assay::erase {

/// What carries a token's information around a site, so that later layers can read a concept that is
/// erased there: nothing, or the residual stream, which the site's layer only adds to.
enum class Bypass { none, residual };
[[nodiscard]] Bypass bypass_of(const std::string& hook);
/// In words: "none: …" or "the residual stream: …".
[[nodiscard]] std::string bypass_text(const std::string& hook);

/// Throws InputError when the site is none of the model's or has another width, and
/// Error(ExitCode::artifact) when the eraser was fitted on another model. One that names no model
/// is refused with UsageError unless `unbound`.
void need_model(const LoadedEraser& eraser, const Transformer& model, bool unbound = false);

/// The deployed eraser at its site: float32 in, a number of the grid out. It refers to `eraser`.
[[nodiscard]] Splice deployed_splice(const Eraser& eraser);
/// r(x) in double, without the grid: the map that folding puts into the weights.
[[nodiscard]] Splice real_splice(const Eraser& eraser);

}  // namespace assay::erase
