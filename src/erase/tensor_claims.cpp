#include "assay/erase/tensor_claims.hpp"

#include <iterator>
#include <nlohmann/json.hpp>

#include "assay/base/files.hpp"
#include "assay/base/rational_sum.hpp"
#include "assay/base/text.hpp"
#include "claim_lines.hpp"

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

Json not_claimed(bool population) {
  Json out = Json::array(
      {"that no non-linear probe finds the concept",
       "a bound on the accuracy, balanced accuracy or AUC of a probe",
       population
           ? "anything about a population that the units were not drawn from, independently and "
             "alike: nothing in the files shows how they were drawn"
           : "anything about rows that are not in the file: a residual on a sample is OBSERVED",
       "that the rows are those of a model, or of the site that the eraser names",
       "that the rows are independent of those of the fit where the file is another one",
       "anything about other sites, layers, paths around the site, or further training",
       "anything about outputs in another format than the deployed grid, such as bfloat16",
       "that the labels are the concept a person means"});
  if (population) {
    out.push_back(
        "that products of outputs (quadratic probes) are erased: their covariance is a number "
        "beside "
        "the claim, not an erasure");
  }
  return out;
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

/// Of the numbers x, whatever the file says beside them.
Digest digest_of_rows(const ActivationTable& x) {
  std::string bytes = std::to_string(x.n) + " " + std::to_string(x.d) + "\n";
  std::vector<double> row(x.d);
  for (std::size_t i = 0; i < x.n; ++i) {
    x.row(i, row);
    bytes.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(double));
  }
  return sha256(bytes);
}

void need_symbols(const PopulationOptions& options, const Tables& tables) {
  const auto beyond = [&](std::int64_t s) {
    return s < 0 || s >= static_cast<std::int64_t>(options.symbols);
  };
  if (options.symbols > 0 &&
      (tables.symbol.empty() || std::any_of(tables.symbol.begin(), tables.symbol.end(), beyond))) {
    throw InputError(tables.x.file, "symbol",
                     "a tensor of integers from 0 to " + std::to_string(options.symbols - 1),
                     tables.symbol.empty() ? "none" : "another number");
  }
}

/// The ledger, charged and written; then the claims, and last the ledger's own.
std::vector<ClaimLines> claims_of_population(const PopulationOptions& options,
                                             const LoadedEraser& eraser, const Tables& tables,
                                             const GridRows& rows, const std::string& data) {
  if (tables.document.empty() && !options.independent_rows) {
    throw Refusal(
        "nothing says what was drawn independently: a tensor `document` beside x, or "
        "--independent-rows where every row is a draw of its own");
  }
  if (!tables.document.empty() && options.independent_rows) {
    throw Refusal("the rows belong to documents: rows of one document are not independent");
  }
  if (options.label_noise && rows.labels > 1) {
    throw UsageError("label-noise: a flip of a label is of one label z [n], not of classes [n,k]");
  }
  const std::size_t labels = independent_labels(rows);
  const std::size_t probes = options.probes ? options.probes->bias.size() : 0;
  const std::size_t planned =
      planned_claims(rows) + labels * (probes + (options.symbols > 0 ? 1 : 0));
  need_symbols(options, tables);
  const auto each = quotient(options.alpha, static_cast<std::uint32_t>(planned));
  Ledger ledger = load_ledger(options.ledger, options.total);
  const Rational before = ledger.spent();
  const Population population(rows, tables.document);
  ledger.spend({digest_of_rows(tables.x), eraser.weights, options.alpha});
  write_file_atomic(options.ledger, ledger_json(ledger));
  if (!each) {
    throw Refusal("alpha has too many digits to be shared by " + std::to_string(planned));
  }
  std::vector<ClaimLines> out =
      population_claims(population, rows, *each, data, options.label_noise);
  for (std::size_t c = 0; c < labels; ++c) {
    if (options.symbols > 0) {
      out.push_back(
          interface_claim(population, rows, c, tables.symbol, options.symbols, *each, data));
    }
    for (std::size_t i = 0; i < probes; ++i) {
      out.push_back(probe_claim(population, rows, eraser.eraser.grid_bits, c, *options.probes, i,
                                *each, data));
    }
  }
  Rational spent = before;  // with the shares of claims that were tried and are not made
  for (std::size_t i = out.size(); i < planned; ++i) {
    spent = sum(spent, *each).value();
  }
  const std::string total = ledger.total.text();
  out.push_back({"ledger ledger total " + total + " spent " + spent.text(),
                 "ledger LEDGER : " + std::to_string(out.size()),
                 Json{{"claim", "ledger"},
                      {"rule", "LEDGER"},
                      {"level", "STATISTICAL"},
                      {"statement",
                       "all statistical claims of this certificate hold at once, with those of the "
                       "ledger before it, with probability at least 1 - total"},
                      {"total", total},
                      {"alpha", options.alpha.text()},
                      {"spentBefore", before.text()},
                      {"claimsTried", planned},
                      {"usesOfTheseRows", 1}}});
  return out;
}

/// Request, certificate and claims.json: the residual first, then the others in their order.
void write_claims(TensorCertificate& out, const LoadedEraser& eraser, const Tables& tables,
                  const std::vector<ClaimLines>& claims, bool population) {
  std::string request = request_text({&out.claim});
  request.erase(request.size() - 4);  // "end\n"
  Json all = Json::array({claim_json(out, eraser, tables)});
  for (const ClaimLines& claim : claims) {
    request += claim.request + "\n";
    all.push_back(claim.json);
  }
  request += "end\n";
  out.claims = 1 + claims.size();
  std::string certificate =
      certificate_text({&out.claim}, std::nullopt, eraser.config, eraser.weights, sha256(request));
  certificate.erase(certificate.size() - 6);  // "end 1\n"
  for (const ClaimLines& claim : claims) {
    certificate += claim.step + "\n";
  }
  certificate += "end " + std::to_string(out.claims) + "\n";
  const Json root = {{"assay-erasure-claims", 1},
                     {"eraser",
                      {{"method", eraser.eraser.method},
                       {"rank", eraser.eraser.rank},
                       {"gridBits", eraser.eraser.grid_bits},
                       {"configSha256", eraser.config.hex()},
                       {"weightsSha256", eraser.weights.hex()}}},
                     {"claims", all},
                     {"notClaimed", not_claimed(population)}};
  out.json = root.dump(1) + "\n";
  out.files = {
      {"claims.json", out.json}, {"erasure.cert", certificate}, {"erasure.request", request}};
}

}  // namespace

TensorCertificate certify_tensors(const LoadedEraser& eraser, const Tables& tables,
                                  const CertifyOptions& options) {
  TensorCertificate out;
  const auto& population = options.population;
  require(options.readouts.has_value() == options.region.has_value(),
          "certify_tensors: readouts and a region go together");
  out.fit_rows = is_of_fit(eraser.origin, tables.x.digest, tables.x.rows_digest);
  if (out.fit_rows && population) {
    throw Refusal(
        "the eraser was fitted on these rows: what holds of them says nothing of a population");
  }
  out.claim.id = out.fit_rows ? "fit-rows" : "other-rows";
  out.claim.data_file = std::filesystem::path(tables.x.file).filename().string();
  out.claim.data_digest = tables.x.digest;
  std::string data = "data " + tables.x.digest.hex();
  if (tables.apart) {
    out.claim.labels_digest = tables.z.digest;
    data += " labels " + tables.z.digest.hex();
  }
  const GridRows rows = rows_of(eraser.eraser, tables);
  out.claim.residual = exact_residual(rows);
  need_certifiable(out.claim.residual);
  std::vector<ClaimLines> claims =
      advantage_claims(rows, eraser.eraser.grid_bits, out.claim.residual, out.claim.id, data);
  const auto add = [&claims](std::vector<ClaimLines> more) {
    std::move(more.begin(), more.end(), std::back_inserter(claims));
  };
  add(cost_claims(eraser.eraser, tables.x, rows, data));
  if (options.unembedding) {
    add({divergence_claim(eraser.eraser, tables.x, rows, *options.unembedding, data)});
  }
  if (options.region) {
    add(worst_claims(eraser.eraser, *options.readouts, *options.region));
  }
  if (population) {
    add(claims_of_population(*population, eraser, tables, rows, data));
  }
  write_claims(out, eraser, tables, claims, population.has_value());
  return out;
}

}  // namespace assay::erase
