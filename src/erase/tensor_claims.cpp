#include "assay/erase/tensor_claims.hpp"

#include <nlohmann/json.hpp>

#include "assay/base/text.hpp"

namespace assay::erase {
namespace {

using Json = nlohmann::ordered_json;

GridRows rows_of(const Eraser& eraser, const Tables& tables) {
  if (!tables.z.zero_one) {
    throw Refusal(tables.z.file +
                  ": a label is neither 0 nor 1, and only such labels have a rule that the "
                  "checker can follow");
  }
  GridRows rows{tables.x.d, deploy_table(eraser, tables.x), {}, tables.z.k};
  rows.z.reserve(tables.z.z.size());
  for (const double z : tables.z.z) {
    rows.z.push_back(z == 1.0 ? 1 : 0);
  }
  return rows;
}

/// The refusals of a residual that bounds nothing.
void need_certifiable(const Residual& r) {
  if (r.certifiable()) {
    return;
  }
  if (r.rank < r.kept && r.r2 < 1) {
    throw Refusal("the deployed outputs span " + std::to_string(r.rank) + " of " +
                  std::to_string(r.kept) +
                  " dimensions: coordinates that depend on each other, or too few rows");
  }
  throw Refusal(
      "no bound below 1 on R^2 is shown: the concept is still read, or the covariance of the "
      "deployed outputs is too close to singular (fit again with a smaller --grid-bits, or take "
      "more rows)");
}

Json not_claimed() {
  return Json::array(
      {"that no non-linear probe finds the concept",
       "a bound on the accuracy, balanced accuracy or AUC of a probe",
       "anything about rows that are not in the file: a residual on a sample is OBSERVED",
       "that the rows are those of a model, or of the site that the eraser names",
       "that the rows are independent of those of the fit where the file is another one",
       "anything about other sites, layers, paths around the site, or further training",
       "that the labels are the concept a person means"});
}

Json claim_json(const TensorCertificate& c, const LoadedEraser& eraser, const Tables& tables) {
  const Residual& r = c.claim.residual;
  Json out = {{"claim", c.claim.id},
              {"rule", "ERASE-RESIDUAL"},
              {"theorem", "T3"},
              {"level", "OBSERVED"},
              {"statement",
               "no affine predictor of any combination of the labels from the "
               "deployed float32 outputs has R^2 of tau or more on these rows"},
              {"exact", true},
              {"tau", r.tau.text()},
              {"maxR2", r.r2},
              {"noiseFloor", r.noise_floor()},
              {"n", r.n},
              {"d", r.d},
              {"coordinatesThatCount", r.kept},
              {"labels", tables.z.k},
              {"positive", r.ones},
              {"distinctRows", r.distinct_rows},
              {"rowsOfTheFit", c.fit_rows},
              {"hook", eraser.eraser.hook},
              {"hookStatedByTheFile", tables.x.hook.has_value()},
              {"dataSha256", c.claim.data_digest.hex()}};
  if (c.claim.labels_digest) {
    out["labelsSha256"] = c.claim.labels_digest->hex();
  }
  if (!r.numerator.empty()) {
    out["maxR2Exact"] = r.numerator + "/" + r.denominator;
  }
  return out;
}

}  // namespace

TensorCertificate certify_tensors(const LoadedEraser& eraser, const Tables& tables) {
  TensorCertificate out;
  const std::vector<Digest>& fitted = eraser.origin.activations;
  out.fit_rows = std::find(fitted.begin(), fitted.end(), tables.x.digest) != fitted.end();
  out.claim.id = out.fit_rows ? "fit-rows" : "other-rows";
  out.claim.data_file = std::filesystem::path(tables.x.file).filename().string();
  out.claim.data_digest = tables.x.digest;
  if (tables.apart) {
    out.claim.labels_digest = tables.z.digest;
  }
  out.claim.residual = exact_residual(rows_of(eraser.eraser, tables));
  need_certifiable(out.claim.residual);
  const std::string request = request_text({&out.claim});
  const std::string certificate =
      certificate_text({&out.claim}, std::nullopt, eraser.config, eraser.weights, sha256(request));
  const Json root = {{"assay-erasure-claims", 1},
                     {"eraser",
                      {{"method", eraser.eraser.method},
                       {"rank", eraser.eraser.rank},
                       {"gridBits", eraser.eraser.grid_bits},
                       {"configSha256", eraser.config.hex()},
                       {"weightsSha256", eraser.weights.hex()}}},
                     {"claims", Json::array({claim_json(out, eraser, tables)})},
                     {"notClaimed", not_claimed()}};
  out.json = root.dump(1) + "\n";
  out.files = {
      {"claims.json", out.json}, {"erasure.cert", certificate}, {"erasure.request", request}};
  return out;
}

}  // namespace assay::erase
