#include <nlohmann/json.hpp>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/model/corpus.hpp"
#include "assay/model/transformer.hpp"
#include "assay/torch_bridge/train.hpp"
#include "assay/torch_bridge/twin.hpp"

namespace assay::torch_bridge {
namespace {

RunRecord load_record(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "training.json";
  return parse_record(read_file(file, std::size_t{1} << 20U), file.string());
}

void require_same_text(const RunRecord& model, const std::filesystem::path& text) {
  const std::string digest = "sha256:" + corpus_digest(load_corpus(text)).hex();
  if (digest != model.corpus) {
    throw InputError(text.string(), "text", "the one the model was trained on, " + model.corpus,
                     digest);
  }
}

}  // namespace

Outcome train_twin(const TwinOptions& twin) {
  const RunRecord model = load_record(twin.model);
  const std::string weights = load_transformer(twin.model).weights_digest.hex();
  ModelOptions o = model.options;
  o.text = twin.text.empty() ? model.options.text : twin.text;
  o.out = twin.out;
  o.device = twin.device;
  o.range_penalty = 0;
  resolve(o);
  require_same_text(model, o.text);
  Outcome outcome = train_model(o);
  if (outcome.code != ExitCode::ok) {
    return outcome;
  }
  const RunRecord plain = load_record(twin.out);
  const nlohmann::ordered_json price = {
      {"assay-price", 1},
      {"level", "OBSERVED"},
      {"model", weights},
      {"corpus", model.corpus},
      {"steps", model.steps},
      {"range_penalty", model.options.range_penalty.value_or(0)},
      {"validation_loss_nats_per_token", model.validation},
      {"twin_validation_loss_nats_per_token", plain.validation},
      {"price_nats_per_token", model.validation - plain.validation}};
  write_file_atomic(twin.model / "price.json", price.dump(1) + "\n");
  auto record = nlohmann::ordered_json::parse(outcome.json);
  record["what"] = "train twin";
  record["price"] = price;
  outcome.json = record.dump();
  outcome.text += "\n  price of provability: " + fixed(model.validation - plain.validation, 4) +
                  " nats per token (" + fixed(model.validation, 4) + " with the penalty, " +
                  fixed(plain.validation, 4) + " without), in " +
                  (twin.model / "price.json").string();
  return outcome;
}

}  // namespace assay::torch_bridge
