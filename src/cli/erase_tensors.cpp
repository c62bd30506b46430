#include "erase_tensors.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/rational.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/tensor_claims.hpp"
#include "assay/model/safetensors.hpp"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::string> activations, labels;
  std::string eraser, out;
  std::string method = "leace", hook, name, keep;
  int grid_bits = -1;
  bool continuous = false;
  std::string alpha, ledger, total, probes, unembedding, readouts, region;
  std::size_t symbols = 0;
  bool independent_rows = false;
};

std::vector<erase::Shard> shards_of(const Options& o) {
  if (!o.labels.empty() && o.labels.size() != o.activations.size()) {
    throw UsageError("erase: expected one --labels for each --activations, found " +
                     std::to_string(o.labels.size()) + " for " +
                     std::to_string(o.activations.size()));
  }
  std::vector<erase::Shard> shards;
  for (std::size_t i = 0; i < o.activations.size(); ++i) {
    shards.push_back({o.activations[i], {}});
    if (!o.labels.empty()) {
      shards.back().labels = o.labels[i];
    }
  }
  return shards;
}

/// Two files whose digests are bound together: the second is written last.
void write_eraser(const std::filesystem::path& directory, const std::string& config,
                  const std::string& weights) {
  make_directory(directory);
  write_file_atomic(directory / "eraser.safetensors", weights);
  write_file_atomic(directory / "eraser.json", config);
}

std::string short_number(double value) {
  std::string text = decimal(value);
  return text.size() <= 10 ? text : fixed(value, 6);
}

void run_fit(const Options& o, Session& session) {
  erase::TensorFitOptions options;
  options.method = erase::method_of(o.method);
  options.hook = o.hook;
  options.labelled = o.name;
  options.quantities = o.continuous;
  if (!o.hook.empty()) {
    erase::check_hook_word(o.hook);
  }
  if (o.grid_bits >= 0) {
    if (o.grid_bits < erase::kMinGridBits || o.grid_bits > erase::kMaxGridBits) {
      throw UsageError("grid-bits: expected 6 to 24, found " + std::to_string(o.grid_bits));
    }
    options.grid_bits = o.grid_bits;
  }
  if (!o.keep.empty()) {
    options.keep = o.keep;
  }
  const erase::TensorFit fit = erase::fit_tensors(shards_of(o), options);
  const erase::Eraser& e = fit.fit.eraser;
  const std::string config = erase::eraser_json(e, fit.origin);
  const std::string weights = erase::eraser_tensors(e);
  write_eraser(o.out, config, weights);
  Json object = {{"level", "OBSERVED"},
                 {"method", e.method},
                 {"hook", e.hook},
                 {"n", fit.n},
                 {"d", e.d()},
                 {"labels", fit.k},
                 {"baseRates", fit.base_rates},
                 {"rank", e.rank},
                 {"canonicalR2", fit.fit.canonical},
                 {"confidenceFloorR2", fit.fit.floor_r2},
                 {"aboveFloor", fit.fit.above_floor},
                 {"directionsKept", fit.fit.rank},
                 {"directionsMasked", fit.fit.masked},
                 {"operatorNorm", fit.fit.operator_norm},
                 {"keptShare", fit.fit.kept_share},
                 {"meanSquareChange", fit.fit.mean_square_change},
                 {"gridBits", e.grid_bits},
                 {"eraserSha256", sha256(weights).hex()},
                 {"configSha256", sha256(config).hex()},
                 {"out", o.out}};
  session.finish(ExitCode::ok,
                 e.method + ": rank " + std::to_string(e.rank) + " of " + std::to_string(e.d()) +
                     " dimensions at " + e.hook + ", from " + std::to_string(fit.n) + " rows\n" +
                     "max R^2 before " + short_number(fit.fit.canonical_r2) +
                     " (chance explains up to " + short_number(fit.fit.floor_r2) +
                     "), kept variance " + short_number(100.0 * fit.fit.kept_share) +
                     " %, operator norm " + short_number(fit.fit.operator_norm) +
                     ", outputs on the grid 2^-" + std::to_string(e.grid_bits) + "\nwritten to " +
                     o.out + "; certify with: assay erase certify",
                 std::move(object));
}

void run_apply(const Options& o, Session& session) {
  const erase::LoadedEraser loaded = erase::load_eraser(o.eraser);
  const erase::Eraser& e = loaded.eraser;
  const erase::ActivationTable x = erase::read_activations(o.activations.front());
  const std::vector<std::int32_t> grid = erase::deploy_table(e, x);
  SafetensorsFile file;
  Tensor& y = file.floats["x"];
  y.shape = {x.n, x.d};
  y.data.reserve(grid.size());
  double largest = 0.0, squares = 0.0;
  std::vector<double> row(x.d);
  for (std::size_t i = 0; i < x.n; ++i) {
    x.row(i, row);
    for (std::size_t j = 0; j < x.d; ++j) {
      const double value = std::ldexp(static_cast<double>(grid[i * x.d + j]), -e.grid_bits);
      y.data.push_back(static_cast<float>(value));  // exact: |Y| < 2^24
      largest = std::max(largest, std::fabs(value - row[j]));
      squares += (value - row[j]) * (value - row[j]);
    }
  }
  file.metadata = {{"hook", e.hook},
                   {"eraser", loaded.weights.hex()},
                   {"activations", x.digest.hex()},
                   {"gridBits", std::to_string(e.grid_bits)}};
  const std::string bytes = to_safetensors(file);
  write_file_atomic(o.out, bytes);
  const double mean_square = squares / static_cast<double>(x.n);
  session.finish(ExitCode::ok,
                 std::to_string(x.n) + " rows of " + std::to_string(x.d) +
                     " erased, float32 on the grid 2^-" + std::to_string(e.grid_bits) +
                     "; mean square change " + short_number(mean_square) + ", largest " +
                     short_number(largest) + "\nwritten to " + o.out,
                 {{"level", "OBSERVED"},
                  {"n", x.n},
                  {"d", x.d},
                  {"gridBits", e.grid_bits},
                  {"meanSquareChange", mean_square},
                  {"largestChange", largest},
                  {"hookStatedByTheFile", x.hook.has_value()},
                  {"sha256", sha256(bytes).hex()},
                  {"out", o.out}});
}

/// A fraction between 0 and 1.
Rational probability(const std::string& option, const std::string& text) {
  const Rational value = parse_rational(text);
  if (value.num <= 0 || value.num >= value.den) {
    throw UsageError(option + ": expected a fraction between 0 and 1, found " + text);
  }
  return value;
}

std::optional<erase::PopulationOptions> population_of(const Options& o, std::size_t d) {
  if (o.alpha.empty() != o.ledger.empty() ||
      (o.alpha.empty() &&
       (o.independent_rows || !o.total.empty() || !o.probes.empty() || o.symbols > 0))) {
    throw UsageError("erase certify: claims about a population need --alpha and --ledger");
  }
  if (o.alpha.empty()) {
    return std::nullopt;
  }
  erase::PopulationOptions options;
  options.alpha = probability("alpha", o.alpha);
  options.ledger = o.ledger;
  if (!o.total.empty()) {
    options.total = probability("ledger-total", o.total);
  }
  options.independent_rows = o.independent_rows;
  options.symbols = o.symbols;
  if (!o.probes.empty()) {
    options.probes = erase::read_probes(o.probes, d);
  }
  return options;
}

erase::CertifyOptions options_of(const Options& o, std::size_t d) {
  if (o.readouts.empty() != o.region.empty()) {
    throw UsageError("erase certify: --readouts and --region go together");
  }
  erase::CertifyOptions options;
  options.population = population_of(o, d);
  if (!o.unembedding.empty()) {
    options.unembedding = erase::read_unembedding(o.unembedding, d);
  }
  if (!o.region.empty()) {
    options.readouts = erase::read_probes(o.readouts, d);
    options.region = erase::read_region(o.region, d);
  }
  return options;
}

/// "; on the population, …": the claims with a probability, in a line.
std::string population_line(const Json& claims) {
  std::string text;
  for (const Json& claim : claims) {
    for (const bool most : {false, true}) {
      if (claim["level"] != "STATISTICAL" || !claim.contains(most ? "atMost" : "atLeast")) {
        continue;
      }
      text += claim["claim"].get<std::string>() + (most ? " <= " : " >= ") +
              short_number(
                  parse_rational(claim[most ? "atMost" : "atLeast"].get<std::string>()).nearest()) +
              " (alpha " + claim["alpha"].get<std::string>() + ")\n";
    }
  }
  return text.empty() ? text : "STATISTICAL, of the population the units were drawn from:\n" + text;
}

void run_certify(const Options& o, Session& session) {
  const erase::LoadedEraser loaded = erase::load_eraser(o.eraser);
  if (loaded.origin.model_weights) {
    throw UsageError(
        "erase certify: this eraser is bound to a model, and its certificate names the model too: "
        "assay erase --model writes it");
  }
  std::optional<std::filesystem::path> labels;
  if (!o.labels.empty()) {
    labels = o.labels.front();
  }
  const erase::Tables tables = erase::read_tables(o.activations.front(), labels);
  const erase::TensorCertificate made =
      erase::certify_tensors(loaded, tables, options_of(o, tables.x.d));
  make_directory(o.out);
  for (const auto& [name, bytes] : made.files) {
    write_file_atomic(std::filesystem::path(o.out) / name, bytes);
  }
  Json object = Json::parse(made.json);
  const std::string population = population_line(object["claims"]);
  object["level"] = population.empty() ? "OBSERVED" : "STATISTICAL";
  object["out"] = o.out;
  const erase::Residual& r = made.claim.residual;
  std::string check = "assay-check " + o.out + "/erasure.cert --eraser " + o.eraser +
                      " --request " + o.out + "/erasure.request --data " + o.activations.front();
  for (const std::string& file :
       {labels ? labels->string() : "", o.probes, o.unembedding, o.readouts, o.region}) {
    check += file.empty() ? "" : " --data " + file;
  }
  session.finish(
      ExitCode::ok,
      made.claim.id + ": no affine predictor of the label" + (tables.z.k > 1 ? "s" : "") +
          " from the deployed float32 outputs has R^2 of " + r.tau.text() + " or more on these " +
          std::to_string(r.n) + " rows (noise d/n: " + short_number(r.noise_floor()) + ")\n" +
          (made.fit_rows ? "these are rows the eraser was FITTED on: other rows may leave more\n"
                         : "") +
          "OBSERVED, exact integers; not claimed: non-linear probes, AUC, other rows or sites\n" +
          population + std::to_string(made.claims) + " claims " + "written to " + o.out +
          "; re-check with: " + check,
      std::move(object));
}

CLI::Option* add_rows(CLI::App* sub, Options& o, bool several) {
  auto* option = sub->add_option("--activations", o.activations,
                                 several ? "Safetensors file: x [n,d] of F16, BF16, F32 or F64; "
                                           "several times for the parts of a fit, in their order"
                                         : "Safetensors file: x [n,d] of F16, BF16, F32 or F64");
  option->required();
  if (!several) {
    option->expected(1);
  }
  return option;
}

void add_certify(CLI::App& erase, const std::shared_ptr<Options>& options, Session& session) {
  Options& o = *options;
  auto* certify = erase.add_subcommand(
      "certify", "Bound, in exact integers, what affine predictors still read from erased rows");
  certify->add_option("--eraser", o.eraser, "Directory written by fit")->required();
  add_rows(certify, o, false);
  certify->add_option("--labels", o.labels, "Safetensors file: z [n] or [n,k] of 0 and 1")
      ->expected(1);
  certify->add_option("--out", o.out, "Directory for claims.json, erasure.request, erasure.cert")
      ->required();
  certify->add_option("--alpha", o.alpha,
                      "Also claim about the population the rows were drawn from, all such claims "
                      "together false with at most this probability");
  certify->add_option(
      "--ledger", o.ledger,
      "File that adds up what is spent of alpha, and on which rows; made when missing");
  certify->add_option("--ledger-total", o.total, "What a new ledger may spend in all");
  certify->add_flag("--independent-rows", o.independent_rows,
                    "Every row is a draw of its own, in a file without the tensor document");
  certify->add_option("--unembedding", o.unembedding,
                      "F64 u [V,d] and b [V] that predictions are read with: KL divergence, total "
                      "variation and most likely tokens, erased against not");
  certify->add_option(
      "--readouts", o.readouts,
      "F64 weights [m,d] and bias [m]: the most they can say of any input of --region");
  certify->add_option("--region", o.region,
                      "Inputs of the site: F64 center and radius, center and axes, gamma and beta, "
                      "or gamma");
  certify->add_option(
      "--probes", o.probes,
      "Registered probes, fixed before: F64 weights [m,d] and bias [m]; their accuracy "
      "on the population");
  certify
      ->add_option(
          "--symbols", o.symbols,
          "The tensor symbol beside x, 0 to N-1, is all that leaves: what one symbol tells")
      ->check(CLI::Range(2, 1'000'000));
  certify->callback([options, &session] { run_certify(*options, session); });
}

}  // namespace

void add_erase_tensors(CLI::App& erase, Session& session) {
  const auto options = std::make_shared<Options>();
  Options& o = *options;
  auto* fit = erase.add_subcommand("fit", "Fit an eraser on activations and labels");
  add_rows(fit, o, true);
  fit->add_option("--labels", o.labels,
                  "Safetensors file: z [n] of 0 and 1, or one-hot [n,k]; without it, z is in the "
                  "file of activations");
  fit->add_option("--out", o.out, "Directory for eraser.json and eraser.safetensors")->required();
  fit->add_option("--method", o.method, "leace (default), orth, mean or splince");
  fit->add_option("--keep", o.keep, "Labels whose covariance splince keeps: z [n] or [n,k]");
  fit->add_option("--hook", o.hook, "Site of the rows, where the files do not name it");
  fit->add_option("--name", o.name, "Name of the concept, for the eraser's file");
  fit->add_option("--grid-bits", o.grid_bits,
                  "Output grid 2^-N, 6 to 24 (default: the finest on which a claim can be shown)");
  fit->add_flag("--continuous", o.continuous,
                "Labels of whole numbers are quantities, not classes");
  fit->callback([options, &session] { run_fit(*options, session); });

  auto* apply = erase.add_subcommand("apply", "Erase: float32 outputs on the eraser's grid");
  apply->add_option("--eraser", o.eraser, "Directory written by fit")->required();
  add_rows(apply, o, false);
  apply->add_option("--out", o.out, "Safetensors file to write: x F32 [n,d]")->required();
  apply->callback([options, &session] { run_apply(*options, session); });
  add_certify(erase, options, session);
}

}  // namespace assay::cli
