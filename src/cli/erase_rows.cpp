#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/label_source.hpp"
#include "assay/model/safetensors.hpp"
#include "erase_tensors.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string model, text, out, concept_name, regex, name, token_class, labels, sae, program, part;
  std::string hook = "blocks.0.hook_resid_mid";
  std::size_t shift = 0, feature = 0, most = 30000;
  std::uint64_t seed = 1;
};

erase::LabelSource source_of(const Options& o) {
  erase::LabelSource source;
  const int given = static_cast<int>(!o.concept_name.empty()) + static_cast<int>(!o.regex.empty()) +
                    static_cast<int>(!o.token_class.empty()) + static_cast<int>(!o.labels.empty()) +
                    static_cast<int>(!o.sae.empty());
  if (given != 1) {
    throw UsageError(
        "erase rows: expected one of --concept, --regex, --token-class, --labels and --sae, "
        "found " +
        std::to_string(given));
  }
  if (o.regex.empty() != o.name.empty()) {
    throw UsageError("erase rows: --regex needs a --name, and no other source has one");
  }
  if (!o.program.empty() && o.labels.empty()) {
    throw UsageError("erase rows: --labelled-by belongs to --labels");
  }
  if (!o.concept_name.empty() || !o.regex.empty()) {
    source.rule = erase::make_concept(o.regex.empty() ? o.concept_name : o.name, o.regex, o.shift);
  } else if (!o.token_class.empty()) {
    source.token_class = o.token_class;
  } else if (!o.labels.empty()) {
    source.file = o.labels;
  } else {
    source.sae = o.sae;
    source.feature = o.feature;
  }
  return source;
}

std::optional<Part> part_of_text(const std::string& name) {
  if (name.empty()) {
    return std::nullopt;
  }
  for (const auto& [word, part] :
       {std::pair("fit", Part::fit), std::pair("calibration", Part::calibration),
        std::pair("held-out", Part::held_out)}) {
    if (name == word) {
      return part;
    }
  }
  throw UsageError("part: expected fit, calibration or held-out, found '" + visible(name) + "'");
}

void run(const Options& o, Session& session) {
  const erase::LabelSource source = source_of(o);
  const Transformer model = load_transformer(o.model);
  const Tokenizer tokenizer = Tokenizer::load(std::filesystem::path(o.model) / "tokenizer.json");
  erase::LabelledRows made = erase::label_rows(model, tokenizer, o.hook, load_corpus(o.text),
                                               source, o.most, o.seed, part_of_text(o.part));
  SafetensorsFile file;
  file.metadata = {{"hook", o.hook},
                   {"model", model.weights_digest.hex()},
                   {"labels", made.words},
                   {"labelsSha256", made.digest.hex()}};
  if (!o.program.empty()) {
    file.metadata["labellingProgramSha256"] = sha256_file(o.program).hex();
  }
  const std::size_t n = made.rows.n(), positive = made.rows.positive();
  const std::size_t documents = made.rows.documents();
  file.integers["z"].assign(made.rows.z.begin(), made.rows.z.end());
  file.integers["document"].assign(made.rows.document.begin(), made.rows.document.end());
  file.integer_shapes = {{"z", {n}}, {"document", {n}}};
  file.floats["x"] = {{n, made.rows.d}, std::move(made.rows.x)};
  const std::string bytes = to_safetensors(file);
  write_file_atomic(o.out, bytes);
  session.finish(ExitCode::ok,
                 std::to_string(n) + " rows of " + std::to_string(documents) + " documents at " +
                     o.hook + ", " + std::to_string(positive) + " labelled 1: " + made.words +
                     "\nwritten to " + o.out + "; next: assay erase split, fit, certify, attack",
                 {{"level", "OBSERVED"},
                  {"n", n},
                  {"positive", positive},
                  {"documents", documents},
                  {"metadata", file.metadata},
                  {"sha256", sha256(bytes).hex()},
                  {"out", o.out}});
}

}  // namespace

void add_erase_rows(CLI::App& erase, Session& session) {
  const auto options = std::make_shared<Options>();
  Options& o = *options;
  auto* rows = erase.add_subcommand(
      "rows",
      "Activations of a model's site with labels and documents, for fit, certify and attack");
  rows->add_option("--model", o.model, "Model directory with tokenizer.json")->required();
  rows->add_option("--text", o.text, "Text file or directory of documents")->required();
  rows->add_option("--out", o.out, "Safetensors file to write: x, z, document")->required();
  rows->add_option("--hook", o.hook, "Site (default blocks.0.hook_resid_mid)");
  rows->add_option("--concept", o.concept_name,
                   "Label: digit, url, email, or next-digit, next-url, next-email");
  rows->add_option("--regex", o.regex, "Label: matches of an ECMAScript expression");
  rows->add_option("--name", o.name, "Name of the --regex concept");
  rows->add_option("--shift", o.shift, "Label a token by the one this many places later");
  rows->add_option("--token-class", o.token_class,
                   "Label: digit, letter, upper, lower, space or punctuation");
  rows->add_option(
      "--labels", o.labels,
      "Label: a JSON file {\"assay-labels\":1,\"documents\":{NAME: 0, 1 or [[FROM,TO],…]}}");
  rows->add_option("--labelled-by", o.program,
                   "The program that wrote --labels; its digest is recorded");
  rows->add_option("--sae", o.sae, "Label: a feature of this dictionary fires");
  rows->add_option("--feature", o.feature, "The feature (default 0)");
  rows->add_option("--max-tokens", o.most, "Rows, at most (default 30000)");
  rows->add_option("--part", o.part,
                   "Only documents of one part of the text: fit, calibration or held-out, as assay "
                   "erase --model divides it");
  rows->add_option("--seed", o.seed, "Seed of the choice of windows (default 1)");
  rows->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
