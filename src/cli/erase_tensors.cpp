#include "erase_tensors.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/rational.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/apply.hpp"
#include "assay/erase/moment_files.hpp"
#include "assay/erase/tensor_claims.hpp"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::string> activations, labels, moments;
  std::string eraser, out;
  std::string method = "leace", hook, name, keep;
  int grid_bits = -1;
  bool continuous = false, bottleneck = false;
  std::string alpha, ledger, total, probes, unembedding, readouts, region, noise;
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

/// Oracle and quadratic LEACE: erasers that read labels where they are applied too.
void run_fit_labelled(const Options& o, Session& session) {
  if (o.activations.size() != 1 || !o.keep.empty()) {
    throw UsageError("erase fit: oracle and quadratic take one file of rows and no --keep");
  }
  const std::vector<erase::Shard> shards = shards_of(o);
  const erase::Tables tables =
      erase::read_tables(shards[0].activations, shards[0].labels, o.continuous);
  if (tables.x.hook && !o.hook.empty() && *tables.x.hook != o.hook) {
    throw InputError(tables.x.file, "__metadata__.hook", "'" + o.hook + "'",
                     "'" + *tables.x.hook + "'");
  }
  const std::string hook = o.hook.empty() ? tables.x.hook.value_or(erase::kUnnamedHook) : o.hook;
  const erase::LabelledEraser e =
      erase::fit_labelled(tables, o.method, hook, o.grid_bits < 0 ? 16 : o.grid_bits);
  erase::EraserOrigin origin{{}, o.name, {}, {tables.x.digest}, {}, {tables.x.rows_digest}};
  if (tables.apart) {
    origin.labels.push_back(tables.z.digest);
  }
  write_eraser(o.out, erase::labelled_json(e, origin), erase::labelled_tensors(e));
  session.finish(ExitCode::ok,
                 e.method + ": " + std::to_string(e.d) + " dimensions at " + e.hook + ", from " +
                     std::to_string(tables.x.n) + " rows; outputs on the grid 2^-" +
                     std::to_string(e.grid_bits) +
                     "\nit reads the label of every row it erases: no claim of certify is about it"
                     "\nwritten to " +
                     o.out,
                 {{"level", "OBSERVED"},
                  {"method", e.method},
                  {"hook", e.hook},
                  {"n", tables.x.n},
                  {"d", e.d},
                  {"labels", e.k},
                  {"gridBits", e.grid_bits},
                  {"readsLabels", true},
                  {"out", o.out}});
}

erase::TensorFit fit_of(const Options& o, const erase::TensorFitOptions& options) {
  if (o.activations.empty() == o.moments.empty() || (!o.moments.empty() && !o.labels.empty())) {
    throw UsageError("erase fit: expected --activations, perhaps with --labels, or --moments");
  }
  if (o.moments.empty()) {
    return erase::fit_tensors(shards_of(o), options);
  }
  erase::SavedMoments all = erase::load_moments(o.moments.front());
  for (std::size_t i = 1; i < o.moments.size(); ++i) {
    erase::merge_moments(all, erase::load_moments(o.moments[i]), o.moments[i]);
  }
  return erase::fit_moments(all, options);
}

void run_fit(const Options& o, Session& session) {
  erase::TensorFitOptions options;
  if (!o.hook.empty()) {
    erase::check_hook_word(o.hook);
  }
  if (o.grid_bits >= 0) {
    if (o.grid_bits < erase::kMinGridBits || o.grid_bits > erase::kMaxGridBits) {
      throw UsageError("grid-bits: expected 6 to 24, found " + std::to_string(o.grid_bits));
    }
    options.grid_bits = o.grid_bits;
  }
  if (erase::is_labelled_method(o.method)) {
    run_fit_labelled(o, session);
    return;
  }
  options.method = erase::method_of(o.method);
  options.hook = o.hook;
  options.labelled = o.name;
  options.quantities = o.continuous;
  if (!o.keep.empty()) {
    options.keep = o.keep;
  }
  const erase::TensorFit fit = fit_of(o, options);
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
  const bool reads_labels = erase::is_labelled_method(erase::kind_of_eraser(o.eraser));
  if (reads_labels && o.bottleneck) {
    throw UsageError("erase apply: --bottleneck belongs to erasers that read no labels");
  }
  erase::Applied applied;
  erase::ActivationTable x;
  int grid_bits = 0;
  if (reads_labels) {
    const erase::LabelledEraser e = erase::load_labelled(o.eraser);
    const erase::Shard rows = shards_of(o).front();
    const erase::Tables tables = erase::read_tables(rows.activations, rows.labels, true);
    applied = erase::apply_labelled(e, tables, o.out);
    x = tables.x;
    grid_bits = e.grid_bits;
  } else {
    const erase::LoadedEraser loaded = erase::load_eraser(o.eraser);
    x = erase::read_activations_unseen(o.activations.front());
    applied = erase::apply_table(loaded, x, o.out, o.bottleneck);
    grid_bits = loaded.eraser.grid_bits;
  }
  session.finish(ExitCode::ok,
                 std::to_string(x.n) + " rows of " + std::to_string(x.d) +
                     " erased, float32 on the grid 2^-" + std::to_string(grid_bits) +
                     "; mean square change " + short_number(applied.mean_square_change) +
                     ", largest " + short_number(applied.largest_change) + "\nwritten to " + o.out,
                 {{"level", "OBSERVED"},
                  {"n", x.n},
                  {"d", x.d},
                  {"gridBits", grid_bits},
                  {"meanSquareChange", applied.mean_square_change},
                  {"largestChange", applied.largest_change},
                  {"dropped", applied.dropped},
                  {"hookStatedByTheFile", x.hook.has_value()},
                  {"sha256", applied.digest.hex()},
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
      (o.alpha.empty() && (o.independent_rows || !o.total.empty() || !o.probes.empty() ||
                           o.symbols > 0 || !o.noise.empty()))) {
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
  if (!o.noise.empty()) {
    options.label_noise = probability("label-noise", o.noise);
    if (2 * options.label_noise->num >= options.label_noise->den) {
      throw UsageError("label-noise: expected a rate below 1/2, found " + o.noise);
    }
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
  certify->add_option(
      "--label-noise", o.noise,
      "Recorded labels are the true ones, flipped with one probability of at most this, "
      "whatever the row and its label: bounds on the population are then of the true label");
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
  add_rows(fit, o, true)->required(false);
  fit->add_option("--moments", o.moments,
                  "In place of rows, files written by moments or merge, one for each part");
  fit->add_option("--labels", o.labels,
                  "Safetensors file: z [n] of 0 and 1, or one-hot [n,k]; without it, z is in the "
                  "file of activations");
  fit->add_option("--out", o.out, "Directory for eraser.json and eraser.safetensors")->required();
  fit->add_option(
      "--method", o.method,
      "leace (default), orth, mean, splince; oracle and quadratic read labels where they "
      "are applied");
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
  apply->add_option("--labels", o.labels, "Labels of the rows, for oracle and quadratic")
      ->expected(1);
  apply->add_flag("--bottleneck", o.bottleneck,
                  "Leave out as many coordinates as were erased: the others determine them");
  apply->callback([options, &session] { run_apply(*options, session); });
  add_certify(erase, options, session);
}

}  // namespace assay::cli
