#include <algorithm>
#include <locale>
#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/base/text.hpp"
#include "assay/erase/erasure.hpp"
#include "assay/erase/in_model.hpp"
#include "assay/model/forward.hpp"

namespace assay::erase {
namespace {

using Json = nlohmann::ordered_json;

Json count_json(const ConceptCount& c) {
  return {{"tokens", c.tokens},
          {"positive", c.positive},
          {"baseRate",
           c.tokens > 0 ? static_cast<double>(c.positive) / static_cast<double>(c.tokens) : 0.0},
          {"documentsWithConcept", c.documents}};
}

Json split_json(const SplitFigures& s) {
  return {{"rows", s.rows}, {"positive", s.positive}, {"documents", s.documents}};
}

Json claim_json(const ResidualClaim& claim, double before) {
  const Residual& r = claim.residual;
  return {{"claim", claim.id},
          {"level", "OBSERVED"},
          {"exact", true},
          {"data", claim.data_file},
          {"dataSha256", claim.data_digest.hex()},
          {"n", r.n},
          {"positive", r.ones.front()},
          {"d", r.d},
          {"distinctRows", r.distinct_rows},
          {"tau", r.tau.text()},
          {"maxR2", r.r2},
          {"noiseFloor", r.noise_floor()},
          {"maxR2Before", before}};
}

Json probe_json(const ProbeFigures& f, bool converged, bool likelihood) {
  Json out = {{"n", f.n},
              {"positive", f.positive},
              {"accuracy", f.accuracy},
              {"majorityRate", f.majority},
              {"balancedAccuracy", f.balanced_accuracy},
              {"auc", f.auc}};
  if (likelihood) {
    out["logLoss"] = f.log_loss;
    out["constantLogLoss"] = f.constant_loss;
    out["converged"] = converged;
  }
  return out;
}

Json pair_json(const ProbePair& p, bool likelihood) {
  return {{"level", "OBSERVED"},
          {"before", probe_json(p.before, p.converged_before, likelihood)},
          {"after", probe_json(p.after, p.converged_after, likelihood)}};
}

Json definitions() {
  return {
      {"maxR2",
       "largest R^2 of any affine predictor of the label from the deployed outputs, on exactly "
       "these rows, as the nearest double; tau is shown in exact integers"},
      {"tau",
       "a k/10^9 above maxR2, the smallest one up to 64 dimensions; the claim is maxR2 < tau"},
      {"noiseFloor",
       "d / n: the maxR2 to expect of d coordinates that have nothing to do with the label, over n "
       "independent rows; tokens of one document depend on each other, which raises it"},
      {"distinctRows", "different deployed rows; repeated rows raise the floor above d / n"},
      {"maxR2Before", "the same of the raw site, computed in double"},
      {"accuracy", "share of test rows where (logit > 0) equals the label"},
      {"majorityRate", "accuracy of always answering the commoner label"},
      {"balancedAccuracy",
       "mean of the recalls of both labels, cutting at the training half's base rate"},
      {"auc", "probability that a row labelled 1 scores above a row labelled 0; ties count half"},
      {"logLoss", "mean negative log-likelihood in nats on the test half"},
      {"constantLogLoss", "log-loss of always answering the training half's base rate"},
      {"crossEntropy",
       "mean next-token cross-entropy in nats on the held-out windows, clean and with the deployed "
       "eraser in place at every position"},
      {"relativeChange", "mean |deployed - raw| over mean |raw - fit mean| on held-out rows"},
      {"operatorNorm", "largest factor by which the real-arithmetic eraser can stretch a row"}};
}

Json not_claimed(const EraseResult& r) {
  Json out = Json::array(
      {"that no non-linear probe finds the concept: see the reluFeatures probe",
       "a bound on the accuracy, balanced accuracy or AUC of probes that were not registered here",
       "anything about other layers, other sites or other positions than the ones listed",
       "anything about text outside the listed rows: a residual on a sample is OBSERVED",
       "that the concept cannot be relearned after further training",
       "that the data files hold the model's activations: assay-check re-checks the eraser on "
       "them, and whoever wants more recomputes them from model and text",
       "that the labelling rule is the concept a person means"});
  if (bypass_of(r.hook) == Bypass::residual) {
    out.push_back(
        "that the concept does not reach the output around the site: the residual "
        "stream bypasses it");
  }
  return out;
}

Json concept_json(const EraseResult& r) {
  return {{"name", r.labelled.name},
          {"labellingRule", r.labelled.rule()},
          {"labellingRuleSha256", r.labelled.digest().hex()},
          {"inText", count_json(r.natural)},
          {"planted", r.planted},
          {"inLabelledText", count_json(r.used)},
          {"corpusSha256", r.corpus.hex()},
          {"labelledCorpusSha256", r.used_corpus.hex()}};
}

Json fit_json(const LeaceFit& fit) {
  return {{"method", "LEACE, binary label, affine, from streamed moments in double"},
          {"rankErased", 1},
          {"d", fit.eraser.d()},
          {"directionsKept", fit.rank},
          {"directionsMasked", fit.masked},
          {"maskedCorrelation", fit.masked_sigma},
          {"canonicalR2", fit.canonical_r2},
          {"confidenceFloorR2", fit.floor_r2},
          {"operatorNorm", fit.operator_norm},
          {"gridBits", fit.eraser.grid_bits},
          {"arithmetic", "IEEE double, sums from index 0 up, one rounding to the grid"}};
}

std::string cell(const std::string& text, std::size_t width) {
  return text.size() >= width ? text : std::string(width - text.size(), ' ') + text;
}

std::string percent(std::size_t part, std::size_t whole) {
  return whole == 0
             ? "-"
             : fixed(100.0 * static_cast<double>(part) / static_cast<double>(whole), 2) + " %";
}

/// An R^2 as people read it: two digits of a number that may be 10^-9.
std::string small(double value) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(3);
  out << value;
  return out.str();
}

void claim_line(std::string& text, const ResidualClaim& claim, double before) {
  const Residual& r = claim.residual;
  std::string id = claim.id;
  id.resize(std::max<std::size_t>(id.size(), 22), ' ');
  text += "  " + id + cell(std::to_string(r.n), 8) + cell(small(before), 11) +
          cell(small(r.r2), 11) + cell(small(r.noise_floor()), 11) + cell(r.tau.text(), 24) + "\n";
}

void probe_line(std::string& text, const char* name, const ProbePair& p, bool likelihood) {
  std::string id = name;
  id.resize(24, ' ');
  const auto part = [&](const ProbeFigures& f) {
    return cell(fixed(f.accuracy, 4), 9) + cell(fixed(f.balanced_accuracy, 4), 10) +
           cell(fixed(f.auc, 4), 8) + cell(likelihood ? fixed(f.log_loss, 4) : "-", 9);
  };
  text += "  " + id + part(p.before) + "  |" + part(p.after) + "\n";
}

}  // namespace

std::string erasure_json(const EraseResult& r) {
  const Json root = {{"assay-erasure", 1},
                     {"level", "OBSERVED"},
                     {"concept", concept_json(r)},
                     {"hook", r.hook},
                     {"dataFlow", bypass_text(r.hook)},
                     {"seed", r.seed},
                     {"maxTokensPerSplit", r.max_tokens},
                     {"eraser", fit_json(r.fit)},
                     {"splits",
                      {{"fit", split_json(r.fit_split)},
                       {"calibration", split_json(r.calibration_split)},
                       {"probeTrain", split_json(r.train_half)},
                       {"probeTest", split_json(r.test_half)}}},
                     {"calibrationUses", 1},
                     {"residuals",
                      {claim_json(r.on_fit, r.fit_split.r2_before),
                       claim_json(r.on_calibration, r.calibration_split.r2_before)}},
                     {"probes",
                      {{"logistic", pair_json(r.logistic, true)},
                       {"leastSquares", pair_json(r.least_squares, false)},
                       {"reluFeatures", pair_json(r.relu, true)},
                       {"reluFeatureCount", r.relu_features}}},
                     {"crossEntropy",
                      {{"level", "OBSERVED"},
                       {"tokens", r.cost.tokens},
                       {"clean", r.cost.clean},
                       {"erased", r.cost.erased},
                       {"difference", r.cost.erased - r.cost.clean}}},
                     {"relativeChange", r.mean_change},
                     {"definitions", definitions()},
                     {"notClaimed", not_claimed(r)}};
  return root.dump(1) + "\n";
}

std::string erasure_table(const EraseResult& r) {
  const ProbeFigures& test = r.logistic.before;
  std::string text = "Erasure of '" + r.labelled.name + "' at " + r.hook + " (" +
                     std::to_string(r.fit.eraser.d()) + " dimensions, rank 1 erased, grid 2^-" +
                     std::to_string(r.fit.eraser.grid_bits) + ")\n";
  text += "concept: " + std::to_string(r.used.positive) + " of " + std::to_string(r.used.tokens) +
          " tokens (" + percent(r.used.positive, r.used.tokens) + ") in " +
          std::to_string(r.used.documents) + " documents" +
          (r.planted ? ", SYNTHETIC: planted in copies; the text itself has " +
                           std::to_string(r.natural.positive) + " in " +
                           std::to_string(r.natural.documents) + " documents"
                     : "") +
          "\nlabelling rule sha256 " + r.labelled.digest().hex() + "\n\n";
  text +=
      "max R^2 of any affine predictor (OBSERVED; after: exact, of the deployed bits)\n"
      "  claim                     rows     before      after  noise d/n                     "
      "tau\n";
  claim_line(text, r.on_fit, r.fit_split.r2_before);
  claim_line(text, r.on_calibration, r.calibration_split.r2_before);
  text +=
      "\nprobes on " + std::to_string(test.n) + " held-out test rows (OBSERVED; majority rate " +
      fixed(test.majority, 4) + ", constant log-loss " + fixed(test.constant_loss, 4) +
      ")\n                           before                              | after\n"
      "  probe                    accuracy  balanced     AUC log-loss  | accuracy  balanced     "
      "AUC log-loss\n";
  probe_line(text, "logistic", r.logistic, true);
  probe_line(text, "least squares, no ridge", r.least_squares, false);
  probe_line(text, "random ReLU, non-linear", r.relu, true);
  const double change = r.cost.erased - r.cost.clean;
  text += "\nnext-token cross-entropy on held-out text, nats: " + fixed(r.cost.clean, 4) +
          " clean, " + fixed(r.cost.erased, 4) + " erased (" + (change < 0 ? "" : "+") +
          fixed(change, 4) + ")\n";
  if (bypass_of(r.hook) == Bypass::residual) {
    text += "claimed of the site alone: it is bypassed by " + bypass_text(r.hook) + "\n";
  }
  text +=
      "not claimed: non-linear probes, other layers and sites, AUC of other probes, other text, "
      "relearning";
  return text;
}

}  // namespace assay::erase
