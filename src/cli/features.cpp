#include <algorithm>
#include <memory>
#include <set>

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

constexpr std::uint64_t kFewFirings = 20;

/// The cards whose names say most exactly when they are on; of equal names the best one alone.
/// Features that were on at a few places only come last.
std::vector<const features::FeatureCard*> clearest(const features::CardSet& set, std::size_t show) {
  std::vector<const features::FeatureCard*> order;
  for (const features::FeatureCard& card : set.cards) {
    order.push_back(&card);
  }
  const auto rank = [](const features::FeatureCard* card) {
    return card->count < kFewFirings ? -1.0 : card->name_f1;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto* a, const auto* b) { return rank(a) > rank(b); });
  std::set<std::string> seen;
  std::erase_if(order, [&](const features::FeatureCard* card) {
    return !seen.insert(card->name.substr(0, card->name.rfind(' ', card->name.size() - 3))).second;
  });
  order.resize(std::min(show, order.size()));
  return order;
}

std::string to_table(const features::CardSet& set, std::size_t show) {
  std::string text = std::to_string(set.live) + " live features on " + std::to_string(set.tokens) +
                     " held-out tokens (OBSERVED); those whose name says best when they are on:\n";
  for (const features::FeatureCard* card : clearest(set, show)) {
    std::string line = "  f" + std::to_string(card->feature.at());
    line.resize(std::max<std::size_t>(line.size(), 9), ' ');
    line += fixed(100 * card->density, 2) + " %  " + card->name + "  (F1 " +
            fixed(card->name_f1, 2) + ")";
    for (std::size_t i = 0; i < std::min<std::size_t>(2, card->contexts.size()); ++i) {
      const features::Context& c = card->contexts[i];
      line += "\n             " + c.left + "[" + c.token + "]" + c.right;
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
  sub->add_option("--show", options->show, "Cards to print: those named best")
      ->capture_default_str();
  sub->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
