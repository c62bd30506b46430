#include <cmath>
#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/features/evaluate.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string model, sae, text, out;
  std::size_t tokens = 50000;
};

nlohmann::ordered_json to_json(const features::Evaluation& e, const Transformer& model,
                               const Sae& sae, const Digest& text) {
  nlohmann::ordered_json metrics = nlohmann::ordered_json::array(), bins = metrics;
  for (const features::Metric& m : e.metrics) {
    metrics.push_back({{"id", m.id}, {"definition", m.definition}, {"value", m.value}, {"n", m.n}});
  }
  for (std::size_t b = 0; b < features::kDensityBins; ++b) {
    bins.push_back({{"log10p", static_cast<int>(b) - 8}, {"features", e.density_histogram[b]}});
  }
  return {{"assay-metrics", 1},
          {"level", "OBSERVED"},
          {"model", model.weights_digest.hex()},
          {"sae", sae.weights_digest.hex()},
          {"text", text.hex()},
          {"part", "held_out"},
          {"tokens", e.tokens},
          {"metrics", metrics},
          {"density", bins}};
}

std::string number(double value) {
  return std::isnan(value)                                      ? "undefined"
         : value == std::floor(value) && std::fabs(value) < 1e9 ? fixed(value, 0)
                                                                : fixed(value, 4);
}

std::string pad(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string to_table(const features::Evaluation& e) {
  std::string text = "held-out text, " + std::to_string(e.tokens) + " tokens (OBSERVED)\n";
  for (const features::Metric& m : e.metrics) {
    text += "  " + pad(m.id, 15) + pad(number(m.value), 12) + "n=" + pad(std::to_string(m.n), 8) +
            m.definition + "\n";
  }
  text += "  density: features by log10 of firing frequency\n";
  for (std::size_t b = 0; b < features::kDensityBins; ++b) {
    const std::uint64_t n = e.density_histogram[b];
    if (n > 0) {
      const std::size_t bar =
          std::min<std::size_t>(40, (40 * n + e.firings.size() - 1) / e.firings.size());
      text +=
          "    " +
          pad(b + 1 == features::kDensityBins ? "always"
                                              : std::to_string(static_cast<int>(b) - 8) + " … " +
                                                    std::to_string(static_cast<int>(b) - 7),
              12) +
          pad(std::to_string(n), 7) + std::string(bar, '#') + "\n";
    }
  }
  text.pop_back();
  return text;
}

void run(const Options& options, Session& session) {
  const Transformer model = load_transformer(options.model);
  const Sae sae = load_sae(options.sae);
  const Tokenizer tokenizer =
      Tokenizer::load(std::filesystem::path(options.model) / "tokenizer.json");
  const std::vector<Document> documents = load_corpus(options.text);
  const features::Evaluation e = features::evaluate(
      model, sae,
      features::part_sequences(model, tokenizer, documents, Part::held_out, options.tokens));
  nlohmann::ordered_json object = to_json(e, model, sae, corpus_digest(documents));
  if (!options.out.empty()) {
    write_file_atomic(options.out, object.dump(1) + "\n");
  }
  session.finish(ExitCode::ok, to_table(e), std::move(object));
}

}  // namespace

void add_eval(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* sub = app.add_subcommand(
      "eval", "Reconstruction, loss recovered and dead features of an SAE on held-out text");
  sub->add_option("--model", options->model, "Model directory with tokenizer.json")->required();
  sub->add_option("--sae", options->sae, "SAE or transcoder directory")->required();
  sub->add_option("--text", options->text, "Text file or directory of documents")->required();
  sub->add_option("--tokens", options->tokens, "At most about this many tokens")
      ->capture_default_str();
  sub->add_option("--out", options->out, "Also write the figures to this JSON file");
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
