#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/torch_bridge/twin.hpp"

namespace assay::torch_bridge {
namespace {

ModelOptions options_of(const nlohmann::json& j) {
  ModelOptions o;
  o.text = j.at("text").get<std::string>();
  j.at("steps").get_to(o.steps);
  j.at("batch").get_to(o.batch);
  j.at("lr").get_to(o.lr);
  j.at("seed").get_to(o.seed);
  j.at("tokenizer").get_to(o.tokenizer);
  j.at("vocab").get_to(o.vocab);
  j.at("d-model").get_to(o.d_model);
  j.at("n-heads").get_to(o.n_heads);
  j.at("d-head").get_to(o.d_head);
  j.at("d-mlp").get_to(o.d_mlp);
  j.at("window").get_to(o.window);
  j.at("n-ctx").get_to(o.n_ctx);
  j.at("positions").get_to(o.positions);
  j.at("layer-norm").get_to(o.layer_norm);
  o.provable = j.value("provable", 0.0);  // records of earlier versions lack these two
  o.far_heads = j.value("far-heads", o.n_heads);
  j.at("range-penalty").get_to(o.range_penalty);
  j.at("known").get_to(o.known);
  return o;
}

}  // namespace

RunRecord parse_record(const std::string& json, const std::string& file) {
  RunRecord record;
  try {
    const nlohmann::json root = nlohmann::json::parse(json);
    const auto what = root.at("what").get<std::string>();
    const auto ending = root.at("ending").get<std::string>();
    if (what != "train model" || ending != "finished") {
      throw InputError(file, "what, ending", "train model, finished", what + ", " + ending);
    }
    record.options = options_of(root.at("options"));
    root.at("corpus").get_to(record.corpus);
    root.at("steps").get_to(record.steps);
    root.at("figures").at("validation_loss_nats_per_token").get_to(record.validation);
  } catch (const nlohmann::json::exception& e) {
    throw InputError(file, "contents", "what assay train model writes", e.what());
  }
  return record;
}

}  // namespace assay::torch_bridge
