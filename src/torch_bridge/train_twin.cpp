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

struct Comparison {
  std::string name;  ///< price or gain
  nlohmann::ordered_json record;
  std::string text;
};

/// price: what provability costs, model less free twin; gain: what the tokens beyond a hard
/// window are worth, its twin less model.
Comparison compare(const TwinOptions& twin, const RunRecord& model, const RunRecord& other,
                   const std::string& weights) {
  const bool is_price = twin.hard_window == 0;
  const double difference =
      is_price ? model.validation - other.validation : other.validation - model.validation;
  Comparison c{is_price ? "price" : "gain", {}, {}};
  c.record = {{"assay-" + c.name, 1},
              {"level", "OBSERVED"},
              {"model", weights},
              {"corpus", model.corpus},
              {"steps", model.steps},
              {"provable", model.options.provable.value_or(0)},
              {"far_heads", model.options.far_heads.value_or(0)},
              {"range_penalty", model.options.range_penalty}};
  if (!is_price) {
    c.record["hard_window"] = twin.hard_window;
  }
  c.record["validation_loss_nats_per_token"] = model.validation;
  c.record["twin_validation_loss_nats_per_token"] = other.validation;
  c.record[c.name + "_nats_per_token"] = difference;
  const std::string percent = fixed(100 * difference / other.validation, 1) + " %";
  c.text = (is_price ? "price of provability: " + fixed(difference, 4) + " nats per token, " +
                           percent + " (" + fixed(model.validation, 4) + " beside " +
                           fixed(other.validation, 4) + " trained freely)"
                     : "tokens beyond the last " + std::to_string(twin.hard_window) + " gain " +
                           fixed(difference, 4) + " nats per token, " + percent + " (" +
                           fixed(model.validation, 4) + " beside " + fixed(other.validation, 4) +
                           " with that window)");
  return c;
}

}  // namespace

Outcome train_twin(const TwinOptions& twin) {
  const RunRecord model = load_record(twin.model);
  const std::string weights = load_transformer(twin.model).weights_digest.hex();
  ModelOptions o = without_provability(model.options);
  if (twin.hard_window > 0) {
    if (model.options.window > 0 && twin.hard_window >= model.options.window) {
      throw UsageError("--hard-window: expected less than the model's window, " +
                       std::to_string(model.options.window) + ", found " +
                       std::to_string(twin.hard_window));
    }
    o.window = twin.hard_window;
  }
  o.text = twin.text.empty() ? model.options.text : twin.text;
  o.out = twin.out;
  o.device = twin.device;
  resolve(o);
  require_same_text(model, o.text);
  Outcome outcome = train_model(o);
  if (outcome.code != ExitCode::ok) {
    return outcome;
  }
  const RunRecord plain = load_record(twin.out);
  const Comparison c = compare(twin, model, plain, weights);
  const std::filesystem::path file = twin.model / (c.name + ".json");
  write_file_atomic(file, c.record.dump(1) + "\n");
  auto record = nlohmann::ordered_json::parse(outcome.json);
  record["what"] = "train twin";
  record[c.name] = c.record;
  outcome.json = record.dump();
  outcome.text += "\n  " + c.text + ", in " + file.string();
  return outcome;
}

}  // namespace assay::torch_bridge
