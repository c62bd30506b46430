#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/erase/change.hpp"
#include "assay/erase/leace.hpp"
#include "assay/erase/rows.hpp"
#include "assay/model/sae.hpp"
#include "assay/model/tokenizer.hpp"
#include "assay/model/transformer.hpp"

namespace assay::erase {

/// What is done to the selected features: their values are set to `value`, the reconstruction error is
/// added back or dropped at the dictionary's output site; or they are projected out of the site it reads.
struct FeatureAction {
  enum class Kind { keep, set, project } kind = Kind::keep;
  double value = 0;
  bool error_kept = true;
  std::string name;  ///< "before", "ablate", "clamp", "project", "ablate, error dropped"
};

/// Where the concept is still linearly readable after an action: largest R^2 of an affine predictor of
/// the label, on the listed rows, in double. OBSERVED. NaN: too few rows for the width.
struct FeatureLeak {
  std::string action;
  double selected = 0;        ///< (i) the selected features' values
  double others = 0;          ///< (ii) the values of all others
  double reconstruction = 0;  ///< of the output site
  double error = 0;           ///< (iii) what the reconstruction leaves out
  double output = 0;          ///< the output site as the model goes on with it
  double site = 0;            ///< the site that the dictionary reads, as later layers see it
  std::size_t fires = 0;      ///< rows on which a selected feature is on
};

/// A feature that is not selected and goes along with the concept.
struct AlignedFeature {
  std::size_t feature = 0;
  double correlation = 0;  ///< of its value with the label, before any action
  double after = 0;        ///< behind the projection
  double cosine = 0;       ///< largest |cosine| of its encoder column with a selected one's
};

struct FeatureStudy {
  std::size_t rows = 0, positive = 0;
  std::vector<FeatureLeak> leaks;
  std::vector<AlignedFeature> aligned;  ///< by falling |correlation|
};

/// Deployed rows of the concept's label and every carrier. @pre the projection's site is the SAE's
[[nodiscard]] FeatureStudy study_features(const Transformer& model, const Tokenizer& tokenizer,
                                          const Sae& sae, const std::vector<std::size_t>& features,
                                          const Eraser& projection,
                                          const std::vector<FeatureAction>& actions,
                                          const LabelledText& text,
                                          std::span<const Window> windows);

/// The model's logits under an action.
[[nodiscard]] Matrix logits_under(const Transformer& model, const Sae& sae,
                                  const std::vector<std::size_t>& features,
                                  const Eraser& projection, const FeatureAction& action,
                                  const std::vector<TokenId>& tokens);

}  // namespace assay::erase
