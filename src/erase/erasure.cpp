#include "assay/erase/erasure.hpp"

#include <algorithm>
#include <cmath>

#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/model/forward.hpp"

namespace assay::erase {
namespace {

constexpr std::size_t kReluFeatures = 192;
constexpr std::size_t kMinTestPerLabel = 20;
constexpr std::size_t kMaxWidth = 4096;  ///< of an eraser that the checker reads

/// The held-out rows of the documents with an even or odd digest byte, raw and erased.
struct Half {
  ProbeData raw, erased;
  std::size_t documents = 0;
};

bool in_train_half(const Document& document) {
  return sha256(document.text).bytes[1] % 2 == 0;
}

void check_input(const EraseInput& input) {
  if (!is_known_hook(input.hook)) {
    throw UsageError("hook: expected a site of the model, such as " + std::string(kHookResidMid) +
                     ", found '" + visible(input.hook) + "'");
  }
  if (input.tokenizer.size() != input.model.config.d_vocab) {
    throw UsageError("tokenizer: expected " + std::to_string(input.model.config.d_vocab) +
                     " tokens as in the model, found " + std::to_string(input.tokenizer.size()));
  }
  const std::size_t d = input.hook == kHookMlpPre || input.hook == kHookMlpPost
                            ? input.model.config.d_mlp
                            : input.model.config.d_model;
  if (d > kMaxWidth) {
    throw UsageError("hook: expected a site of at most 4096 dimensions, found " +
                     std::to_string(d));
  }
  if (input.grid_bits < kMinGridBits || input.grid_bits > kMaxGridBits) {
    throw UsageError("grid-bits: expected " + std::to_string(kMinGridBits) + " to 24, found " +
                     std::to_string(input.grid_bits));
  }
}

/// Labels the text; plants addresses when asked to and needed.
LabelledText prepare_text(const EraseInput& input, EraseResult& result) {
  result.natural = count(input.labelled, input.documents);
  result.corpus = corpus_digest(input.documents);
  std::vector<Document> documents = input.documents;
  const bool email = input.labelled.kind == Concept::Kind::email;
  if (email && (result.natural.positive < kMinEmailTokens ||
                result.natural.documents < kMinEmailDocuments)) {
    if (!input.plant_emails) {
      throw Refusal("the text has " + std::to_string(result.natural.positive) +
                    " tokens of e-mail addresses in " + std::to_string(result.natural.documents) +
                    " documents, expected at least 2000 in 200; --plant-emails writes synthetic "
                    "ones into copies and says so");
    }
    documents = plant_emails(input.documents, input.seed);
    result.planted = true;
  }
  result.used_corpus = corpus_digest(documents);
  result.used = result.planted ? count(input.labelled, documents) : result.natural;
  return label_text(input.labelled, std::move(documents), input.documents);
}

Rows rows_of(const EraseInput& input, const LabelledText& text, std::span<const Window> windows) {
  return collect_rows(input.model, input.tokenizer, input.hook, text, windows);
}

SplitFigures figures_of(const Rows& rows, double r2_before) {
  return {rows.n(), rows.positive(), rows.documents(), r2_before};
}

ResidualClaim residual_claim(const std::string& concept_name, const std::string& split,
                             const std::string& bytes, const Eraser& eraser, const Rows& rows) {
  say("exact residual on " + split + ", " + std::to_string(rows.d) + " dimensions");
  ResidualClaim claim{concept_name + "-" + split, split + ".safetensors", sha256(bytes),
                      exact_residual(deploy_rows(eraser, rows))};
  if (!claim.residual.certifiable()) {
    throw Refusal("the deployed outputs of the " + split + " rows span " +
                  std::to_string(claim.residual.rank) + " of " +
                  std::to_string(claim.residual.kept) +
                  " dimensions (coordinates that depend on each other, or too few rows): no "
                  "positive definite matrix to certify");
  }
  return claim;
}

ProbeData empty_data(std::size_t d) {
  return {{0, d, {}}, {}};
}

void append(ProbeData& data, std::span<const double> row, std::uint8_t z) {
  data.x.data.insert(data.x.data.end(), row.begin(), row.end());
  ++data.x.rows;
  data.z.push_back(z);
}

/// Splits the held-out rows by document and deploys the eraser on them.
std::pair<Half, Half> split_held_out(const Rows& rows, const LabelledText& text,
                                     const Eraser& eraser, EraseResult& result) {
  Half train{empty_data(rows.d), empty_data(rows.d), 0};
  Half test = train;
  const GridRows grid = deploy_rows(eraser, rows);
  std::vector<double> raw(rows.d);
  std::vector<double> erased(rows.d);
  double moved = 0.0;
  double spread = 0.0;
  std::size_t last = text.documents.size();
  for (std::size_t i = 0; i < rows.n(); ++i) {
    Half& half = in_train_half(text.documents[rows.document[i]]) ? train : test;
    double change = 0.0;
    double size = 0.0;
    for (std::size_t j = 0; j < rows.d; ++j) {
      raw[j] = static_cast<double>(rows.x[i * rows.d + j]);
      erased[j] = std::ldexp(static_cast<double>(grid.y[i * rows.d + j]), -eraser.grid_bits);
      change += (erased[j] - raw[j]) * (erased[j] - raw[j]);
      size += (raw[j] - eraser.bias[j]) * (raw[j] - eraser.bias[j]);
    }
    moved += std::sqrt(change);
    spread += std::sqrt(size);
    append(half.raw, raw, rows.z[i]);
    append(half.erased, erased, rows.z[i]);
    half.documents += rows.document[i] != last ? 1 : 0;
    last = rows.document[i];
  }
  result.mean_change = spread > 0 ? moved / spread : 0.0;
  for (const Half* half : {&train, &test}) {
    const auto ones =
        static_cast<std::size_t>(std::count(half->raw.z.begin(), half->raw.z.end(), 1));
    if (ones < kMinTestPerLabel || half->raw.z.size() - ones < kMinTestPerLabel) {
      throw Refusal("a half of the held-out rows has " + std::to_string(ones) + " of " +
                    std::to_string(half->raw.z.size()) +
                    " rows labelled 1, expected at least 20 of each label; take more text");
    }
    (half == &train ? result.train_half : result.test_half) = {half->raw.z.size(), ones,
                                                               half->documents, 0};
  }
  return {std::move(train), std::move(test)};
}

ProbeData with_relu(const ReluFeatures& features, const ProbeData& data) {
  return {features.apply(data.x), data.z};
}

/// Random ReLU features of one kind of rows; probe trained on one half, tested on the other.
ProbeFigures relu_probe(const ProbeData& train, const ProbeData& test, std::uint64_t seed,
                        bool& converged) {
  const ReluFeatures features = make_relu_features(train.x, kReluFeatures, seed);
  const Probe probe = fit_logistic(with_relu(features, train));
  converged = probe.converged;
  return evaluate(probe, with_relu(features, test));
}

void run_probes(const Half& train, const Half& test, const EraseInput& input, EraseResult& result) {
  say("probes");
  const Probe before = fit_logistic(train.raw);
  const Probe after = fit_logistic(train.erased);
  result.logistic = {evaluate(before, test.raw), evaluate(after, test.erased), before.converged,
                     after.converged};
  result.least_squares = {evaluate(fit_least_squares(train.raw), test.raw),
                          evaluate(fit_least_squares(train.erased), test.erased), true, true};
  result.relu_features = kReluFeatures;
  ProbePair& relu = result.relu;
  relu.before = relu_probe(train.raw, test.raw, input.seed, relu.converged_before);
  relu.after = relu_probe(train.erased, test.erased, input.seed, relu.converged_after);
  result.probe = {input.hook, before.weights, before.bias, {}};
  result.probe_erased = compose({input.hook, after.weights, after.bias, {}}, result.fit.eraser);
}

void add_files(const EraseInput& input, EraseResult& result, std::string fit_bytes,
               std::string calibration_bytes) {
  const std::string config =
      eraser_json(result.fit.eraser, {.model_weights = input.model.weights_digest,
                                      .labelled = result.labelled.name,
                                      .labelling_rule = result.labelled.digest()});
  const std::string tensors = eraser_tensors(result.fit.eraser);
  const std::vector<const ResidualClaim*> claims = {&result.on_fit, &result.on_calibration};
  const std::string request = request_text(claims);
  result.files = {
      {"calibration.safetensors", std::move(calibration_bytes)},
      {"concept.txt", result.labelled.rule()},
      {"eraser.json", config},
      {"eraser.safetensors", tensors},
      {"erasure.cert",
       certificate_text(claims, {{input.model.config_digest, input.model.weights_digest}},
                        sha256(config), sha256(tensors), sha256(request))},
      {"erasure.json", erasure_json(result)},
      {"erasure.request", request},
      {"fit.safetensors", std::move(fit_bytes)},
      {"probe.json", readout_json(result.probe)},
      {"probe_erased.json", readout_json(result.probe_erased)}};
}

}  // namespace

EraseResult run_erasure(const EraseInput& input) {
  check_input(input);
  EraseResult result;
  result.labelled = input.labelled;
  result.hook = input.hook;
  result.seed = input.seed;
  result.max_tokens = input.max_tokens;
  const LabelledText text = prepare_text(input, result);
  const auto windows = [&](Part part) {
    return choose_windows(text, part, input.model, input.max_tokens, input.seed);
  };
  const Rows fit_rows = rows_of(input, text, windows(Part::fit));
  result.fit = fit_leace(moments_of(fit_rows));
  Eraser& eraser = result.fit.eraser;
  eraser.hook = input.hook;
  eraser.grid_bits = choose_grid_bits(eraser, fit_rows.x, input.grid_bits);
  result.fit_split = figures_of(fit_rows, result.fit.canonical_r2);
  std::string fit_bytes = data_file(fit_rows);
  result.on_fit = residual_claim(result.labelled.name, "fit", fit_bytes, eraser, fit_rows);

  // From here on the eraser is frozen; calibration is touched this once.
  const Rows calibration = rows_of(input, text, windows(Part::calibration));
  std::string calibration_bytes = data_file(calibration);
  result.on_calibration =
      residual_claim(result.labelled.name, "calibration", calibration_bytes, eraser, calibration);
  result.calibration_split = figures_of(calibration, canonical_r2(moments_of(calibration)));

  const std::vector<Window> held_out = windows(Part::held_out);
  const auto [train, test] = split_held_out(rows_of(input, text, held_out), text, eraser, result);
  run_probes(train, test, input, result);
  result.cost = measure_cost(input.model, input.tokenizer, text, held_out, eraser);
  add_files(input, result, std::move(fit_bytes), std::move(calibration_bytes));
  return result;
}

}  // namespace assay::erase
