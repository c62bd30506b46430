#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/features/cards.hpp"
#include "session.hpp"

namespace assay::cli {
namespace {

struct Options {
  std::string model, sae, text, out;
  std::size_t tokens = 100000, top = 200, show = 20;
};

std::string to_table(const features::CardSet& set, std::size_t show) {
  std::string text = std::to_string(set.live) + " live features on " + std::to_string(set.tokens) +
                     " held-out tokens (OBSERVED)\n";
  for (std::size_t i = 0; i < std::min(show, set.cards.size()); ++i) {
    const features::FeatureCard& card = set.cards[i];
    std::string line = "  f" + std::to_string(card.feature.at());
    line.resize(std::max<std::size_t>(line.size(), 9), ' ');
    line += fixed(100 * card.density, 2) + " %  " + card.name;
    if (!card.classes.empty()) {
      line += "  (F1 " + fixed(card.classes[0].f1, 2) + " as " + card.classes[0].name + ")";
    }
    if (!card.contexts.empty()) {
      line += "\n             " + card.contexts[0].left + "[" + card.contexts[0].token + "]" +
              card.contexts[0].right;
    }
    text += line + "\n";
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
  features::CardOptions card_options;
  card_options.top = options.top;
  const features::CardSet set = features::make_cards(
      model, sae, &tokenizer,
      features::part_sequences(model, tokenizer, documents, Part::held_out, options.tokens),
      card_options);
  const std::string json =
      features::cards_json(set, model, sae, &tokenizer, corpus_digest(documents));
  write_file_atomic(options.out, json);
  session.finish(ExitCode::ok, to_table(set, options.show) + "\nwritten to " + options.out,
                 {{"out", options.out},
                  {"sha256", sha256(json).hex()},
                  {"tokens", set.tokens},
                  {"live", set.live},
                  {"cards", set.cards.size()}});
}

}  // namespace

void add_features(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* sub = app.add_subcommand(
      "features", "Feature cards: top contexts, token lists, promoted tokens, names by rule");
  sub->add_option("--model", options->model, "Model directory with tokenizer.json")->required();
  sub->add_option("--sae", options->sae, "SAE or transcoder directory")->required();
  sub->add_option("--text", options->text, "Text file or directory of documents")->required();
  sub->add_option("--out", options->out, "JSON file for the cards")->required();
  sub->add_option("--tokens", options->tokens, "At most about this many tokens")
      ->capture_default_str();
  sub->add_option("--top", options->top, "Cards for the densest features; 0 = all live ones")
      ->capture_default_str();
  sub->add_option("--show", options->show, "Cards to print")->capture_default_str();
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
