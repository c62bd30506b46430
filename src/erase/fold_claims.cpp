#include "assay/erase/fold_claims.hpp"

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"

namespace assay::erase {

SiteResiduals site_residuals(const RowsInput& input, const Eraser& eraser) {
  SiteResiduals out;
  const LabelledText text = label_text(input.labelled, input.documents, input.documents);
  for (const auto& [part, name] :
       {std::pair(Part::fit, "fit"), std::pair(Part::calibration, "calibration")}) {
    const std::vector<Window> windows =
        choose_windows(text, part, input.model, input.max_tokens, input.seed);
    const Rows rows = collect_rows(input.model, input.tokenizer, eraser.hook, text, windows);
    say("exact residual on " + std::string(name) + ", " + std::to_string(rows.d) + " dimensions");
    const std::string bytes = data_file(rows);
    try {
      ResidualClaim claim{input.labelled.name + "-" + name, std::string(name) + ".safetensors",
                          sha256(bytes), exact_residual(deploy_rows(eraser, rows))};
      if (!claim.residual.certifiable()) {
        throw Refusal("no bound below 1 on R^2 is shown");
      }
      out.claims.push_back(std::move(claim));
      out.before.push_back(canonical_r2(moments_of(rows)));
      out.files.emplace_back(std::string(name) + ".safetensors", bytes);
    } catch (const Refusal& refusal) {
      out.refused.push_back(std::string(name) + ": " + refusal.what());
    }
  }
  return out;
}

ViewFiles view_files(const Fold& fold, const Digest& folded_weights, const EraserOrigin& origin) {
  const Eraser view = unread_eraser(fold, fold.eraser.grid_bits);
  return {eraser_json(view, {.model_weights = folded_weights,
                             .labelled = origin.labelled,
                             .labelling_rule = origin.labelling_rule}),
          eraser_tensors(view)};
}

FoldClaims certify_fold(const Fold& fold, const RowsInput& input, const std::string& view_config,
                        const std::string& view_weights) {
  FoldClaims out;
  const Eraser view = unread_eraser(fold, fold.eraser.grid_bits);
  out.residuals = site_residuals(input, view);
  InsideClaims inside;
  if (!fold.unread.empty()) {
    inside.unread("unread", fold.eraser.hook, fold.unread);
  }
  std::vector<const ResidualClaim*> residuals;
  for (const ResidualClaim& claim : out.residuals.claims) {
    residuals.push_back(&claim);
  }
  if (inside.lines.empty() && residuals.empty()) {
    throw Refusal(
        "nothing can be claimed about the folded site: " +
        (out.residuals.refused.empty() ? std::string("no rows") : out.residuals.refused.front()));
  }
  const auto [request, certificate] =
      inside_certificate(inside, residuals, {input.model.config_digest, input.model.weights_digest},
                         std::nullopt, sha256(view_config), sha256(view_weights));
  out.files = out.residuals.files;
  out.files.emplace_back("erasure.request", request);
  out.files.emplace_back("erasure.cert", certificate);
  return out;
}

std::optional<Concept> own_concept(const EraserOrigin& origin) {
  try {
    Concept found = make_concept(origin.labelled);
    return origin.labelling_rule && *origin.labelling_rule == found.digest() ? std::optional(found)
                                                                             : std::nullopt;
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

}  // namespace assay::erase
