#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "assay/model/deep_model.hpp"
#include "assay/model/readout.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/tokenizer.hpp"
#include "assay/verify/sampled.hpp"

namespace assay::certify {

/// A model of any depth whose runs are drawn, and what its spec reads at one layer. Owns what the
/// inputs made of it point to.
struct SampledSubject {
  DeepModel model;
  std::optional<Transformer>
      one_layer;  ///< the same model, where activations and enclosures are read
  std::optional<Tokenizer> tokenizer;
  std::map<std::string, const Sae*> saes;          ///< by `use` name
  std::map<std::string, const Readout*> readouts;  ///< by `use` name

  /// Reads the model and, when there is one, its tokenizer.
  explicit SampledSubject(const std::filesystem::path& directory);
};

/// What a plan of a case or of a certificate draws. The tokens that it may cost are bounded, so that
/// everybody can draw it again.
struct SampledPlan {
  std::string decoder, allow;
  std::string prompts, prompts_name;  ///< text and name of the law of prompts
  std::size_t runs = 0, max_new = 0;
  Rational alpha;
  std::uint64_t seed = 1;
};
inline constexpr std::size_t kMostTokens = 20'000'000;

/// Throws UsageError, InputError. `resolved` and the subject outlive the input.
[[nodiscard]] verify::SampleInput sample_input(const SampledSubject& subject,
                                               const SampledPlan& plan, const spec::Spec& resolved);

}  // namespace assay::certify
