#include <memory>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/attack_rows.hpp"
#include "assay/erase/documents.hpp"
#include "erase_tensors.hpp"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string eraser, activations, labels, out;
  std::size_t label = 0, most_rows = 4000;
  std::uint64_t seed = 1;
};

Json reading_json(const erase::ProbeReading& r) {
  return {{"auc", r.auc}, {"auc95", {r.lo, r.hi}}, {"accuracy", r.accuracy}};
}

Json not_claimed() {
  return Json::array({"that another probe, or the same with more rows, reads no more",
                      "anything about rows that were not attacked, or sites other than this one",
                      "that an AUC near 1/2 means the concept is gone"});
}

Json report_json(const Options& o, const erase::LoadedAttack& loaded,
                 const erase::AttackReport& report) {
  Json attacks = Json::array();
  for (const erase::Attack& a : report.attacks) {
    attacks.push_back(
        {{"probe", a.probe}, {"before", reading_json(a.before)}, {"after", reading_json(a.after)}});
  }
  return {{"assay-erasure-attack", 1},
          {"level", "OBSERVED"},
          {"method", loaded.method},
          {"hook", loaded.hook},
          {"label", o.label},
          {"activationsSha256", loaded.activations.hex()},
          {"rowsOfTheFile", loaded.file_rows},
          {"rowsOfTheFit", loaded.rows_of_the_fit},
          {"documentsStated", !loaded.rows.document.empty()},
          {"trainRows", report.train_rows},
          {"testRows", report.test_rows},
          {"trainDocuments", report.train_documents},
          {"testDocuments", report.test_documents},
          {"positive", report.positive},
          {"majorityAccuracy", report.majority},
          {"seed", o.seed},
          {"attacks", attacks},
          {"notClaimed", not_claimed()}};
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
}

std::string reading_text(const erase::ProbeReading& r) {
  return fixed(r.auc, 3) + " [" + fixed(r.lo, 3) + ", " + fixed(r.hi, 3) + "]";
}

void run(const Options& o, Session& session) {
  erase::AttackFiles files{o.eraser, o.activations, {}, o.label, 3 * o.most_rows, o.seed};
  if (!o.labels.empty()) {
    files.labels = o.labels;
  }
  if (o.most_rows < 50) {
    throw UsageError("erase attack: expected --max-rows of at least 50, found " +
                     std::to_string(o.most_rows));
  }
  const erase::LoadedAttack loaded = erase::load_attack(files);
  erase::AttackOptions options;
  options.seed = o.seed;
  options.most_rows = o.most_rows;
  const erase::AttackReport report = erase::run_attacks(loaded.rows, options);
  const Json json = report_json(o, loaded, report);
  make_directory(o.out);
  write_file_atomic(std::filesystem::path(o.out) / "attack.json", json.dump(1) + "\n");
  write_file_atomic(std::filesystem::path(o.out) / "attack.svg",
                    erase::attack_svg(report, "Probes at " + loaded.hook + ", label " +
                                                  std::to_string(o.label) + ", " + loaded.method));
  std::string text = padded("AUC on " + std::to_string(report.test_rows) + " rows of " +
                                std::to_string(report.test_documents) + " documents",
                            38) +
                     padded("before", 22) + "after\n";
  for (const erase::Attack& a : report.attacks) {
    text += padded(a.probe, 38) + padded(reading_text(a.before), 22) + reading_text(a.after) + "\n";
  }
  Json object = json;
  object["out"] = o.out;
  session.finish(
      ExitCode::ok,
      text + "always the commoner label: accuracy " + fixed(report.majority, 3) + "\n" +
          (loaded.rows_of_the_fit ? "these are rows the eraser was FITTED on: others may say more\n"
                                  : "") +
          "OBSERVED: another probe may read more. Written to " + o.out,
      std::move(object));
}

void run_split(const Options& o, Session& session) {
  std::optional<std::filesystem::path> labels;
  if (!o.labels.empty()) {
    labels = o.labels;
  }
  const erase::Tables tables = erase::read_tables(o.activations, labels, true);
  Json parts = Json::array();
  std::string text;
  for (const erase::WrittenPart& part : erase::split_table(tables, o.seed, o.out)) {
    parts.push_back({{"part", part.name},
                     {"rows", part.rows},
                     {"documents", part.documents},
                     {"sha256", part.digest.hex()}});
    text += padded(part.name, 13) + std::to_string(part.rows) + " rows of " +
            std::to_string(part.documents) + " documents\n";
  }
  session.finish(ExitCode::ok, text + "written to " + o.out,
                 {{"seed", o.seed}, {"parts", parts}, {"out", o.out}});
}

}  // namespace

void add_erase_split(CLI::App& erase, Session& session) {
  const auto options = std::make_shared<Options>();
  Options& o = *options;
  auto* split = erase.add_subcommand(
      "split", "Rows by document: six tenths to fit, two to calibrate, two to attack");
  split->add_option("--activations", o.activations, "Safetensors file: x [n,d] and document [n]")
      ->required();
  split->add_option("--labels", o.labels, "Safetensors file: z [n] or [n,k]");
  split->add_option("--seed", o.seed, "Seed of the hash of a document (default 1)");
  split->add_option("--out", o.out, "Directory for fit, calibration and attack.safetensors")
      ->required();
  split->callback([options, &session] { run_split(*options, session); });
}

void add_erase_attack(CLI::App& erase, Session& session) {
  const auto options = std::make_shared<Options>();
  Options& o = *options;
  auto* attack = erase.add_subcommand(
      "attack", "What probes read before and after an eraser: eight kinds, with intervals");
  attack->add_option("--eraser", o.eraser, "Directory written by fit")->required();
  attack
      ->add_option("--activations", o.activations,
                   "Safetensors file: x [n,d], perhaps document [n] of integers")
      ->required();
  attack->add_option("--labels", o.labels, "Safetensors file: z [n] or [n,k] of 0 and 1");
  attack->add_option("--label", o.label, "Column of z (default 0)");
  attack->add_option("--max-rows", o.most_rows, "Rows of each half, at most (default 4000)");
  attack->add_option("--seed", o.seed, "Seed of halves, probes and intervals (default 1)");
  attack->add_option("--out", o.out, "Directory for attack.json and attack.svg")->required();
  attack->callback([options, &session] { run(*options, session); });
}

}  // namespace assay::cli
