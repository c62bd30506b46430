#include <memory>

#include "assay/base/files.hpp"
#include "assay/erase/erasure.hpp"
#include "erase_feature.hpp"
#include "erase_json.hpp"
#include "erase_report.hpp"
#include "erase_tensors.hpp"
#include "erase_worst.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string model, text, out;
  ConceptOptions labels;
  std::string hook = "blocks.0.hook_resid_mid";
  std::size_t max_tokens = 30000;
  std::uint64_t seed = 1;
  int grid_bits = 16;
  bool plant_emails = false;
};

erase::Concept concept_of(const Options& options) {
  const auto given = given_concept(options.labels);
  if (!given) {
    throw UsageError("erase: give either --concept or --regex with --name");
  }
  return *given;
}

void run(const Options& options, Session& session) {
  for (const auto& [name, value] :
       {std::pair("--model", &options.model), std::pair("--text", &options.text),
        std::pair("--out", &options.out)}) {
    if (value->empty()) {
      throw UsageError(std::string("erase: ") + name +
                       " is required (or one of fit, apply, certify)");
    }
  }
  const erase::Concept labelled = concept_of(options);
  const Transformer model = load_transformer(options.model);
  const Tokenizer tokenizer =
      Tokenizer::load(std::filesystem::path(options.model) / "tokenizer.json");
  const std::vector<Document> documents = load_corpus(options.text);
  const erase::EraseResult result =
      erase::run_erasure({model, tokenizer, documents, labelled, options.hook, options.max_tokens,
                          options.seed, options.grid_bits, options.plant_emails});
  erase::write_erasure(result, options.out);
  nlohmann::ordered_json object = nlohmann::ordered_json::parse(erase::erasure_json(result));
  object["out"] = options.out;
  for (const auto& [name, bytes] : result.files) {
    object["files"].push_back({{"name", name}, {"sha256", sha256(bytes).hex()}});
  }
  session.finish(ExitCode::ok,
                 erase::erasure_table(result) + "\nwritten to " + options.out +
                     "; re-check with: assay-check erasure.cert --model DIR --eraser . --request "
                     "erasure.request --data fit.safetensors --data calibration.safetensors",
                 std::move(object));
}

}  // namespace

void add_erase(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* sub = app.add_subcommand(
      "erase",
      "Erase a concept at one site with LEACE and measure exactly what is left; fit, apply and "
      "certify do it for activations in files");
  sub->add_option("--model", options->model, "Model directory with tokenizer.json");
  sub->add_option("--text", options->text, "Text file or directory of documents");
  sub->add_option("--out", options->out, "Directory for eraser, evidence and certificate");
  add_concept(sub, options->labels, "to erase");
  sub->add_option("--hook", options->hook,
                  "Site: blocks.0.hook_resid_mid, blocks.0.mlp.hook_post or blocks.0.hook_mlp_out");
  sub->add_option("--max-tokens", options->max_tokens, "Rows per split, at most (default 30000)");
  sub->add_option("--seed", options->seed, "Seed of the choice of windows (default 1)");
  sub->add_option("--grid-bits", options->grid_bits,
                  "Finest output grid 2^-N, 6 to 24 (default 16); coarser when outputs are large");
  sub->add_flag("--plant-emails", options->plant_emails,
                "Write synthetic addresses into copies where the text has too few");
  add_erase_tensors(*sub, session);
  add_erase_moments(*sub, session);
  add_erase_rows(*sub, session);
  add_erase_attack(*sub, session);
  add_erase_split(*sub, session);
  add_erase_feature(*sub, session);
  add_erase_report(*sub, session);
  add_erase_worst(*sub, session);
  sub->callback([options, sub, &session] {
    if (sub->get_subcommands().empty()) {
      run(*options, session);
    }
  });
}

}  // namespace assay::cli
