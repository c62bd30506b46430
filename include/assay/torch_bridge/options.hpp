#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "assay/model/transformer.hpp"

namespace assay::torch_bridge {

/// What every training run is told. Steps are the unit of determinism: the same options, text
/// and seed give the same bytes on the same machine's CPU; seconds are only a safety stop.
struct RunOptions {
  std::filesystem::path text;        ///< corpus: a file or a directory
  std::filesystem::path out;         ///< directory written to
  std::filesystem::path checkpoint;  ///< file saved every `checkpoint_every` steps; empty = none
  bool resume = false;               ///< continue from `checkpoint`
  std::size_t steps = 0;             ///< 0 = the command's default
  double seconds = 0;                ///< wall-clock safety stop; 0 = none
  std::size_t checkpoint_every = 500;
  std::size_t pause_at = 0;  ///< save a checkpoint after this step and stop; 0 = never
  std::size_t batch = 0;     ///< model: windows per step; dictionary: tokens per step
  double lr = 0;             ///< 0 = the command's default
  std::uint64_t seed = 1;
  std::string device = "auto";  ///< auto, cpu or cuda
};

/// Default weight of the relaxation's slack: docs/training.md, "Choosing".
inline constexpr double kProvable = 0.004;

struct ModelOptions : RunOptions {
  std::string tokenizer = "char";  ///< char or byte
  std::size_t vocab = 96;          ///< of the character tokenizer
  std::size_t d_model = 64;
  std::size_t n_heads = 4;
  std::size_t d_head = 0;  ///< 0 = d_model / n_heads
  std::size_t d_mlp = 0;   ///< 0 = 4 d_model
  std::size_t window = 8;  ///< attention window; 0 = full
  std::size_t n_ctx = 64;
  std::string positions = "relative";  ///< relative, standard or none
  bool layer_norm = false;
  std::optional<double> provable;        ///< weight of the relaxation's slack; default kProvable
                                         ///< where it is defined, else 0
  std::optional<std::size_t> far_heads;  ///< heads that look beyond the known tokens; default 1
                                         ///< where the slack is defined, else all
  double range_penalty = 0;              ///< weight of the certified range
  std::size_t known = 3;                 ///< last tokens that a state knows
};

struct SaeOptions : RunOptions {
  std::filesystem::path model;
  std::string kind = "transcoder";   ///< sae or transcoder
  std::string recipe = "batchtopk";  ///< batchtopk or l1
  std::size_t d_sae = 512;
  std::size_t k = 12;    ///< mean number of features on per token (batchtopk)
  double l1 = 0;         ///< sparsity coefficient (l1); 0 = the default
  double aux = 0.03125;  ///< weight of the dead features' residual loss (batchtopk)
};

/// Fills in defaults and refuses what cannot be trained. Throws UsageError naming the option.
void resolve(ModelOptions& options);
void resolve(SaeOptions& options);

/// What is trained for provability (far heads, the relaxation's slack, the certified range) is
/// defined for a windowed model with a relative bias, no LayerNorm and no absolute positions.
[[nodiscard]] bool penalty_is_defined(const ModelOptions& options);
/// The same options trained freely: every head sees the whole window, no penalty.
[[nodiscard]] ModelOptions without_provability(ModelOptions options);

/// The architecture the options describe, for a vocabulary of `d_vocab` tokens.
[[nodiscard]] TransformerConfig config_of(const ModelOptions& options, std::size_t d_vocab);

/// Resolved options as one JSON object, keys as on the command line without the dashes. Leaves
/// out what does not change the result (out, checkpoint, resume, pause_at, seconds).
[[nodiscard]] std::string options_json(const ModelOptions& options);
[[nodiscard]] std::string options_json(const SaeOptions& options);

/// Learning rate of 0-based `step`: linear warm-up over min(100, steps/10) steps, flat to half
/// way, then a cosine tail to 2 % of `peak`.
[[nodiscard]] double learning_rate(double peak, std::size_t step, std::size_t steps);

}  // namespace assay::torch_bridge
