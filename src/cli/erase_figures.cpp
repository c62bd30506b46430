#include "erase_figures.hpp"

#include <locale>
#include <sstream>

#include "assay/base/text.hpp"

namespace assay::cli {
namespace {

using certify::Table;
using Json = nlohmann::json;

/// Four significant digits of a number that may be 10^-9.
std::string small(const Json& value) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(4);
  out << value.get<double>();
  return out.str();
}

std::string count(const Json& value) {
  return std::to_string(value.get<std::uint64_t>());
}

std::string places(const Json& value, int digits) {
  return fixed(value.get<double>(), digits);
}

void add_residuals(const Json& rows, std::vector<Table>& out) {
  Table t{"erasure-residual",
          "How well the best weighted sum predicts the concept (largest R²)",
          "1 is perfectly, 0 not at all; d/n is what noise leaves on independent rows.",
          {"Rows", "How many", "Before", "After", "Noise d/n"},
          {}};
  for (const Json& r : rows) {
    t.rows.push_back({r.at("claim").get<std::string>(),
                      count(r.contains("n") ? r["n"] : r.at("rows")), small(r.at("maxR2Before")),
                      small(r.at("maxR2")), small(r.at("noiseFloor"))});
  }
  out.push_back(std::move(t));
}

void add_probes(const Json& probes, std::vector<Table>& out) {
  Table t{
      "erasure-probes",
      "Readers that were trained before and after",
      "Accuracy / area under the curve on held-out rows; 0.5 is chance. The random-ReLU reader is "
      "not a weighted sum: linear erasure does not stop it.",
      {"Reader", "Before", "After", "Always the commoner answer"},
      {}};
  for (const auto& [key, name] :
       {std::pair("logistic", "logistic"), std::pair("leastSquares", "least squares"),
        std::pair("reluFeatures", "random ReLU, logistic")}) {
    const Json& p = probes.at(key);
    const auto cell = [](const Json& f) {
      return places(f.at("accuracy"), 4) + " / " + places(f.at("auc"), 3);
    };
    t.rows.push_back({name, cell(p.at("before")), cell(p.at("after")),
                      places(p.at("after").at("majorityRate"), 4)});
  }
  out.push_back(std::move(t));
}

/// Where a concept stays when features are taken away: the selected, all others, what the dictionary does not rebuild.
void add_where(const Json& where, std::vector<Table>& out) {
  Table t{
      "erasure-where",
      "Where the concept stays (largest R² of a weighted sum)",
      "On " + count(where.at("rows")) +
          " calibration rows. What the dictionary does not rebuild is added back when the error "
          "is kept.",
      {"What was done", "Selected features", "All other features", "Reconstruction",
       "Reconstruction error", "What goes on", "Rows where a selected one is on"},
      {}};
  for (const Json& w : where.at("where")) {
    t.rows.push_back({w.at("action").get<std::string>(), places(w.at("selectedFeatures"), 4),
                      places(w.at("otherFeatures"), 4), places(w.at("reconstruction"), 4),
                      places(w.at("reconstructionError"), 4), places(w.at("outputSite"), 4),
                      count(w.at("rowsWhereASelectedFeatureIsOn"))});
  }
  out.push_back(std::move(t));
  Table aligned{"erasure-aligned",
                "Other features that go with the concept",
                "Correlation of the feature's activation with the label before, and behind the "
                "projection.",
                {"Feature", "Correlation", "Behind the projection", "Cosine of the encoder rows"},
                {}};
  for (const Json& f : where.at("alignedFeatures")) {
    aligned.rows.push_back({count(f.at("feature")), places(f.at("correlation"), 3),
                            places(f.at("behindTheProjection"), 3),
                            places(f.at("encoderCosine"), 3)});
  }
  out.push_back(std::move(aligned));
}

Table cost_table() {
  return {"erasure-cost",
          "What erasing costs",
          "Mean next-token cross-entropy in nats on held-out text.",
          {"What was done", "Before", "After", "Difference"},
          {}};
}

}  // namespace

void add_erasure_figures(const Json& object, std::vector<Table>& out) {
  if (object.contains("residuals")) {
    add_residuals(object["residuals"], out);
  }
  if (object.contains("everyAffineReading")) {
    add_residuals(object["everyAffineReading"].at("residuals"), out);
  }
  if (object.contains("probes")) {
    add_probes(object["probes"], out);
  }
  if (object.contains("where")) {
    add_where(object["where"], out);
  }
  Table cost = cost_table();
  if (object.contains("crossEntropy")) {
    const Json& c = object["crossEntropy"];
    cost.rows.push_back({"the deployed eraser", places(c.at("clean"), 4), places(c.at("erased"), 4),
                         places(c.at("difference"), 4)});
  }
  if (object.contains("cost")) {
    for (const Json& c : object["cost"]) {
      cost.rows.push_back({c.at("action").get<std::string>(), places(c.at("crossEntropyBefore"), 4),
                           places(c.at("crossEntropyAfter"), 4),
                           places(c.at("crossEntropyCost"), 4)});
    }
  }
  if (!cost.rows.empty()) {
    out.push_back(std::move(cost));
  }
}

Table attack_table(const Json& object) {
  Table t{"erasure-attack",
          "Attacks on " + object.at("hook").get<std::string>(),
          "Area under the curve with its 95 % interval, and accuracy, on " +
              count(object.at("testRows")) + " rows" +
              (object.at("documentsStated").get<bool>()
                   ? " of " + count(object.at("testDocuments")) + " documents"
                   : ", each taken as a document of its own: the file names none, so the intervals "
                     "may be too short") +
              ". Always the commoner answer: accuracy " + places(object.at("majorityAccuracy"), 3) +
              "." +
              (object.at("rowsOfTheFit").get<bool>()
                   ? " These are rows that the eraser was FITTED on: others may say more."
                   : ""),
          {"Reader", "Before", "After", "Accuracy before", "Accuracy after"},
          {}};
  const auto auc = [](const Json& r) {
    return places(r.at("auc"), 3) + " [" + places(r.at("auc95").at(0), 3) + ", " +
           places(r.at("auc95").at(1), 3) + "]";
  };
  for (const Json& a : object.at("attacks")) {
    t.rows.push_back({a.at("probe").get<std::string>(), auc(a.at("before")), auc(a.at("after")),
                      places(a.at("before").at("accuracy"), 3),
                      places(a.at("after").at("accuracy"), 3)});
  }
  return t;
}

}  // namespace assay::cli
