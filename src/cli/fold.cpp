#include "assay/erase/fold.hpp"

#include <cmath>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/change.hpp"
#include "assay/erase/fold_claims.hpp"
#include "assay/features/encode.hpp"
#include "erase_json.hpp"
#include "named_files.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string model, eraser, out, text;
  ConceptOptions labels;
  std::vector<std::string> saes, readouts;
  std::size_t tokens = 20000;
  std::uint64_t seed = 1;
  bool site_only = false, unbound = false;
};

struct Folded {
  erase::LoadedEraser eraser;
  Transformer before;
  erase::Fold fold;
  Transformer after;  ///< as read back from what was written
};

nlohmann::ordered_json not_claimed(const erase::Fold& fold) {
  auto out = nlohmann::ordered_json::array();
  if (erase::bypass_of(fold.eraser.hook) == erase::Bypass::residual) {
    out.push_back("anything about what the model computes after the site: " +
                  erase::bypass_text(fold.eraser.hook));
  }
  for (const char* line :
       {"that no non-linear reader finds the concept: what follows the site is one",
        "anything about what attention reads before the site, or about other tokens' sites",
        "that agreement on the compared tokens is agreement on all",
        "anything after further training of the folded weights"}) {
    out.push_back(line);
  }
  return out;
}

/// The folded model beside the one that runs the eraser, and the original beside the folded one.
nlohmann::ordered_json compare(const Options& options, const Folded& f, std::string& table) {
  const Tokenizer tokenizer =
      Tokenizer::load(std::filesystem::path(options.model) / "tokenizer.json");
  const std::vector<Document> documents = load_corpus(options.text);
  const auto sequences =
      features::part_sequences(f.before, tokenizer, documents, Part::held_out, options.tokens);
  const Splice real = erase::real_splice(f.fold.eraser);
  const Splice deployed = erase::deployed_splice(f.fold.eraser);
  const auto logits = [](const Transformer& model, const Splice* splice) {
    return [&model, splice](const std::vector<TokenId>& tokens) {
      return forward(model, tokens, {}, splice).logits;
    };
  };
  const auto folded = logits(f.after, nullptr);
  const auto exact = erase::measure_change(sequences, logits(f.before, &real), folded);
  const auto grid = erase::measure_change(sequences, logits(f.before, &deployed), folded);
  const auto cost = erase::measure_change(sequences, logits(f.before, nullptr), folded);
  table = "  folded beside the model that runs the eraser, largest |logit difference| over " +
          std::to_string(exact.tokens) + " held-out tokens (OBSERVED):\n    " +
          decimal(exact.max_difference) + " in double, " + decimal(grid.max_difference) +
          " beside the deployed eraser on its grid\n  cost of erasing (OBSERVED):\n" +
          change_table(cost);
  return {{"level", "OBSERVED"},
          {"text", corpus_digest(documents).hex()},
          {"beside the eraser in double", change_json(exact)},
          {"beside the deployed eraser", change_json(grid)},
          {"cost", change_json(cost)}};
}

void write_parts(const Options& options, const erase::Fold& fold, nlohmann::ordered_json& object) {
  const std::filesystem::path out = options.out;
  for (const auto& [name, path] : named_paths(options.saes, "--sae")) {
    save_sae(out / "sae" / name, erase::fold_sae(fold, load_sae(path)));
    object["saes"][name] = (out / "sae" / name).string();
  }
  for (const auto& [name, path] : named_paths(options.readouts, "--readout")) {
    make_directory(out / "readouts");
    const std::filesystem::path file = out / "readouts" / (name + ".json");
    save_readout(file, erase::fold_readout(fold, load_readout(path)));
    object["readouts"][name] = file.string();
  }
}

void write_model(const Options& options, Folded& f) {
  const std::filesystem::path out = options.out;
  save_transformer(out, f.fold.model);
  const std::filesystem::path tokenizer = std::filesystem::path(options.model) / "tokenizer.json";
  if (std::filesystem::exists(tokenizer)) {
    write_file_atomic(out / "tokenizer.json", read_file(tokenizer));
  }
  f.after = load_transformer(out);
  if (f.fold.changes_coordinates) {
    const auto view = erase::view_files(f.fold, f.after.weights_digest, f.eraser.origin);
    make_directory(out / "view");
    write_file_atomic(out / "view" / "eraser.json", view.config);
    write_file_atomic(out / "view" / "eraser.safetensors", view.weights);
  }
}

/// OUT/view: the claims about what later layers read of the site.
void write_claims(const Options& options, const Folded& f, nlohmann::ordered_json& object,
                  std::string& table) {
  std::optional<erase::Concept> labelled = given_concept(options.labels);
  labelled = labelled ? labelled : erase::own_concept(f.eraser.origin);
  if (!labelled || !f.fold.changes_coordinates) {
    object["claims"] = {{"none", labelled ? "folded in place: float32 weights keep a trace of what "
                                            "is erased, and nothing bounds it here"
                                          : "give --concept, or --regex with --name"}};
    return;
  }
  const std::filesystem::path view = std::filesystem::path(options.out) / "view";
  const Tokenizer tokenizer =
      Tokenizer::load(std::filesystem::path(options.model) / "tokenizer.json");
  const auto documents = load_corpus(options.text);
  const erase::FoldClaims claims = erase::certify_fold(
      f.fold, {f.after, tokenizer, documents, *labelled, options.tokens, options.seed},
      read_file(view / "eraser.json"), read_file(view / "eraser.safetensors"));
  for (const auto& [name, bytes] : claims.files) {
    write_file_atomic(view / name, bytes);
  }
  object["claims"] = residuals_json(claims.residuals);
  table += "  what later layers read of the site (OBSERVED, exact, on these rows):\n" +
           residuals_table(claims.residuals) + "  re-check: assay-check " +
           (view / "erasure.cert").string() + " --model " + options.out + " --eraser " +
           view.string() + " --request " + (view / "erasure.request").string() + " --data " +
           (view / "fit.safetensors").string() + " --data " +
           (view / "calibration.safetensors").string() + "\n";
}

void run(const Options& options, Session& session) {
  Folded f;
  f.before = load_transformer(options.model);
  f.eraser = erase::load_eraser(options.eraser);
  erase::need_model(f.eraser, f.before, options.unbound);
  const std::string& hook = f.eraser.eraser.hook;
  if (erase::bypass_of(hook) == erase::Bypass::residual && !options.site_only) {
    throw erase::Refusal("an eraser at " + hook + " is bypassed by " + erase::bypass_text(hook) +
                         "; --site-only folds it, and then nothing is claimed beyond the site");
  }
  f.fold = erase::fold(f.before, f.eraser.eraser);
  write_model(options, f);
  nlohmann::ordered_json object = {
      {"assay-fold", 1},
      {"model", f.before.weights_digest.hex()},
      {"eraser", {{"config", f.eraser.config.hex()}, {"weights", f.eraser.weights.hex()}}},
      {"concept", f.eraser.origin.labelled},
      {"hook", hook},
      {"rank", f.eraser.eraser.rank},
      {"way", f.fold.changes_coordinates ? "change of coordinates" : "in place"},
      {"bypass", erase::bypass_text(hook)},
      {"claimed", erase::bypass_of(hook) == erase::Bypass::none ? "the site and what follows it"
                                                                : "the site alone"},
      {"addedCoordinates", f.fold.added},
      {"pivots", f.fold.pivots},
      {"unreadCoordinates", f.fold.unread},
      {"folded", f.after.weights_digest.hex()}};
  write_parts(options, f.fold, object);
  std::string table;
  if (!options.text.empty()) {
    object["compared"] = compare(options, f, table);
    write_claims(options, f, object, table);
  }
  object["notClaimed"] = not_claimed(f.fold);
  write_file_atomic(std::filesystem::path(options.out) / "fold.json", object.dump(1) + "\n");
  std::string text = "folded an eraser of rank " + std::to_string(f.eraser.eraser.rank) + " at " +
                     hook + " into " + options.out + " (" + object["way"].get<std::string>() +
                     "; " + std::to_string(f.fold.added) + " coordinates added)\n  bypassed by " +
                     erase::bypass_text(hook) + "\n" + table;
  for (const auto& line : object["notClaimed"]) {
    text += "  not claimed: " + line.get<std::string>() + "\n";
  }
  text.pop_back();
  object["out"] = options.out;
  session.finish(ExitCode::ok, text, std::move(object));
}

}  // namespace

void add_fold(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* sub = app.add_subcommand("fold", "Write a model whose weights contain an eraser");
  sub->add_option("--model", options->model, "Model directory")->required();
  sub->add_option("--eraser", options->eraser, "Directory of the eraser")->required();
  sub->add_option("--out", options->out, "Directory of the folded model")->required();
  sub->add_option(
      "--sae", options->saes,
      "NAME=DIR of a dictionary: written to OUT/sae/NAME, with the features that it has "
      "in the model that runs the eraser; may be repeated");
  sub->add_option("--readout", options->readouts,
                  "NAME=FILE of a readout, to OUT/readouts/NAME.json; may be repeated");
  sub->add_option(
      "--text", options->text,
      "Compare on this text's held-out part: logits with the model that runs the eraser, "
      "cross-entropy with the original");
  sub->add_option("--tokens", options->tokens, "At most about this many tokens of it")
      ->capture_default_str();
  add_concept(sub, options->labels, "of the claims (default: the eraser's, where it is built in)");
  sub->add_option("--seed", options->seed, "Seed of the choice of windows (default 1)");
  sub->add_flag(
      "--site-only", options->site_only,
      "Fold at a site that the residual stream bypasses; then nothing is claimed beyond it");
  sub->add_flag("--unbound", options->unbound, "Take an eraser that names no model");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
