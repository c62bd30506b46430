#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/features/evaluate.hpp"
#include "assay/model/strict_json.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

std::string number(double value) {
  return std::isnan(value)            ? "undefined"
         : value == std::floor(value) ? fixed(value, 0)
                                      : fixed(value, 4);
}

/// `assay eval` on the held-out part, for every dictionary.
void add_metrics(CaseRun& run) {
  const Subject& s = run.subject;
  if (s.documents.empty() || !run.file.needs_model()) {
    return;
  }
  const features::Sequences text = features::part_sequences(s.model, s.tokenizer, s.documents,
                                                            Part::held_out, run.file.eval_tokens);
  for (const auto& [name, sae] : s.dictionaries) {
    const features::Evaluation e = features::evaluate(s.model, sae, text);
    for (const features::Metric& m : e.metrics) {
      run.statement.figures.push_back(
          {"Dictionary " + name, m.id, number(m.value),
           m.definition + " (n = " + std::to_string(m.n) + ", held-out)"});
    }
  }
}

/// What the trainer left beside the weights: figures for people, not part of the subject.
void add_training_record(CaseRun& run) {
  const fs::path file = run.file.model / "training.json";
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    return;
  }
  const nlohmann::json record = parse_strict_json(read_file(file, 1U << 20U), file.string());
  if (!record.is_object() || !record.contains("figures") || !record["figures"].is_object()) {
    throw InputError(file.string(), "figures", "an object", "something else");
  }
  for (const auto& [name, value] : record["figures"].items()) {
    if (!value.is_number()) {
      throw InputError(file.string(), "figures." + visible(name), "a number", value.type_name());
    }
    run.statement.figures.push_back(
        {"Training", name, number(value.get<double>()), "training.json, as the trainer wrote it"});
  }
}

/// What provability cost, as `assay train twin` measured it on this model.
void add_price(CaseRun& run) {
  const fs::path file = run.file.model / "price.json";
  std::error_code error;
  if (!fs::is_regular_file(file, error) || !run.file.needs_model()) {
    return;
  }
  const nlohmann::json price = parse_strict_json(read_file(file, 1U << 20U), file.string());
  const auto loss = [&](const char* key) {
    if (!price.is_object() || !price.contains(key) || !price[key].is_number()) {
      throw InputError(file.string(), key, "a number", "something else");
    }
    return price[key].get<double>();
  };
  if (price.value("model", "") != run.subject.model.weights_digest.hex()) {
    throw InputError(file.string(), "model", "the digest of this model's weights", "another");
  }
  run.statement.figures.push_back(
      {"Training", "price of provability", fixed(loss("price_nats_per_token"), 4),
       "nats per token: validation loss as trained for provability (" +
           fixed(loss("validation_loss_nats_per_token"), 4) +
           ") less that of the same run trained freely (" +
           fixed(loss("twin_validation_loss_nats_per_token"), 4) + ")"});
}

Material material_of(const std::string& name, const std::string& role, const fs::path& file) {
  return {name, role, sha256_file(file)};
}

void add_materials(CaseRun& run) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!run.subject.documents.empty()) {
    run.statement.materials.push_back(
        {"text corpus, " + std::to_string(run.subject.documents.size()) + " documents", "dataset",
         corpus_digest(run.subject.documents)});
  }
  for (const auto& [name, sae] : run.subject.dictionaries) {
    run.statement.materials.push_back({"dictionary " + name, "sae", sae.weights_digest});
  }
  run.statement.materials.push_back({"case file", "samplingPlan", sha256(run.file.bytes)});
  if (!error) {
    run.statement.materials.push_back(material_of("assay", "tool", self));
  }
  run.statement.materials.push_back(material_of("assay-check", "checker", run.checker));
}

}  // namespace

void add_figures(CaseRun& run) {
  say("figures of the dictionaries");
  add_training_record(run);
  add_price(run);
  add_metrics(run);
  add_materials(run);
  if (run.file.bounds || run.file.automaton) {  // other claims name their own, or none
    run.statement.environment["decoder"] = run.file.decoder.text();
  }
  run.statement.environment.insert(
      {{"toolVersion", ASSAY_VERSION},
       {"seed", std::to_string(run.file.seed)},
       {"arithmetic", "double, outward-rounded by nextafter; no fused operations"},
       {"threads", "1"}});
}

}  // namespace assay::certify
