#include <locale>
#include <sstream>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/erasure.hpp"
#include "assay/erase/in_model.hpp"
#include "assay/spec/print.hpp"
#include "case_run.hpp"

namespace assay::certify {
namespace {

std::string percent(std::size_t part, std::size_t whole) {
  return fixed(100.0 * static_cast<double>(part) / static_cast<double>(whole), 2) + " %";
}

/// Four significant digits of a number that may be 10^-9.
std::string small(double value) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(4);
  out << value;
  return out.str();
}

/// On which rows, and of how many documents: a residual is OBSERVED on exactly these.
Claim residual_claim(const erase::EraseResult& r, const erase::ResidualClaim& residual,
                     const erase::SplitFigures& split, const char* part) {
  Claim c;
  c.id = "erasure." + residual.id;
  c.kind = "residual";
  c.formal = "residual " + residual.id + " data " + residual.data_digest.hex() + " max-r2 " +
             residual.residual.tau.text();
  c.text = "On the listed " + std::string(part) + " rows no affine predictor reads '" +
           r.labelled.name + "' from the erased activations with an R² above " +
           spec::decimal_text(residual.residual.tau) + ".";
  c.domain = "the rows of " + residual.data_file + ": activations of " + r.hook + " at " +
             std::to_string(split.rows) + " tokens of " + std::to_string(split.documents) +
             " documents";
  c.unit = "R²";
  c.bound = residual.residual.tau.text();
  c.status = Status::holds;
  c.level = Level::observed;
  c.assumptions = {kRows};
  c.chain = {
      {"exact integers: the outputs of the deployed eraser on the listed rows, and a "
       "positive-definiteness test",
       Level::observed}};
  c.defeaters.push_back(
      {"Tokens of one document depend on each other, so chance alone leaves more than d/n on "
       "rows that the eraser was not fitted on.",
       "accepted"});
  if (erase::bypass_of(r.hook) == erase::Bypass::residual) {
    c.defeaters.push_back({"The site is bypassed by " + erase::bypass_text(r.hook) +
                               ": nothing is claimed of what the model computes after it.",
                           "open"});
  }
  c.defeaters.push_back(
      {"A non-linear probe still finds the concept (see the erasure table).", "accepted"});
  return c;
}

void add_tables(CaseRun& run, const std::vector<erase::EraseResult>& results) {
  Table residuals{
      "erasure-residual",
      "What is left for affine predictors (OBSERVED, exact for the deployed bits)",
      "Largest R² of any affine predictor on exactly these rows. d/n is what noise "
      "leaves on independent rows; rows of one document are not independent.",
      {"Concept", "Base rate", "Rows", "Documents", "R² before", "R² after", "Noise d/n"},
      {}};
  Table probes{"erasure-probes",
               "Probes before and after, on held-out rows (OBSERVED)",
               "Accuracy / area under the ROC curve (0.5 is chance). Each probe is trained on its "
               "own inputs. The random-ReLU probe is non-linear: linear erasure does not stop it.",
               {"Concept", "Probe", "Before", "After", "Majority rate"},
               {}};
  Table cost{"erasure-cost",
             "What erasing costs (OBSERVED, held-out text)",
             "Mean next-token cross-entropy in nats with the deployed eraser at the site.",
             {"Concept", "Clean", "Erased", "Difference"},
             {}};
  for (const erase::EraseResult& r : results) {
    const std::string name =
        r.labelled.name + (r.planted ? " (planted in copies of the text)" : "");
    const auto row = [&](const char* part, const erase::ResidualClaim& c,
                         const erase::SplitFigures& s) {
      residuals.rows.push_back({name + ", " + part, percent(s.positive, s.rows),
                                std::to_string(s.rows), std::to_string(s.documents),
                                small(s.r2_before), small(c.residual.r2),
                                small(c.residual.noise_floor())});
    };
    row("fit", r.on_fit, r.fit_split);
    row("calibration", r.on_calibration, r.calibration_split);
    const auto probe = [&](const char* kind, const erase::ProbePair& p) {
      probes.rows.push_back({name, kind,
                             fixed(p.before.accuracy, 4) + " / " + fixed(p.before.auc, 3),
                             fixed(p.after.accuracy, 4) + " / " + fixed(p.after.auc, 3),
                             fixed(p.before.majority, 4)});
    };
    probe("logistic", r.logistic);
    probe("least squares", r.least_squares);
    probe("random ReLU, logistic", r.relu);
    cost.rows.push_back({name, fixed(r.cost.clean, 4), fixed(r.cost.erased, 4),
                         fixed(r.cost.erased - r.cost.clean, 4)});
  }
  for (Table* table : {&residuals, &probes, &cost}) {
    if (!table->rows.empty()) {
      run.statement.tables.push_back(std::move(*table));
    }
  }
}

void add_result(CaseRun& run, const erase::EraseResult& r) {
  const std::string folder = "erasure/" + r.labelled.name;
  for (const auto& [name, bytes] : r.files) {
    std::string path = folder;
    path.append("/").append(name);
    const std::string role = name == "erasure.cert"                                  ? "proof"
                             : name == "erasure.request"                             ? "request"
                             : name == "eraser.json" || name == "eraser.safetensors" ? "eraser"
                                                                                     : "erasure";
    add_evidence(run.statement, run.paths, path, role, bytes);
  }
  const std::string certificate = folder + "/erasure.cert";
  const std::vector<CheckInput> inputs = {{"eraser", folder},
                                          {"request", folder + "/erasure.request"},
                                          {"data", folder + "/" + r.on_fit.data_file},
                                          {"data", folder + "/" + r.on_calibration.data_file}};
  const CheckerRun checked = require_accepted(run, certificate, inputs);
  const auto add = [&](const erase::ResidualClaim& residual, const erase::SplitFigures& split,
                       const char* part) {
    Claim claim = residual_claim(r, residual, split, part);
    claim.spec_ref = folder + "/erasure.request";
    claim.evidence = {folder + "/erasure.request", folder + "/" + residual.data_file,
                      folder + "/eraser.json", folder + "/eraser.safetensors"};
    require_recheck(claim, checked, residual.id, certificate, inputs);
    run.statement.claims.push_back(std::move(claim));
  };
  add(r.on_fit, r.fit_split, "fit");
  add(r.on_calibration, r.calibration_split, "calibration");
  Readout probe = r.probe, erased = r.probe_erased;
  probe.digest = sha256(readout_json(probe));
  erased.digest = sha256(readout_json(erased));
  run.probes.emplace(r.labelled.name + "/probe", std::move(probe));
  run.probes.emplace(r.labelled.name + "/probe_erased", std::move(erased));
}

/// Nothing that may be called erased: UNKNOWN, with the reason.
Claim refused(const ErasureCase& e, const std::string& reason) {
  Claim c;
  c.id = "erasure." + e.concept_name;
  c.kind = "residual";
  c.text = "Nothing is claimed about erasing '" + e.concept_name + "'.";
  c.domain = "the case's text";
  c.reason = reason + ".";
  return c;
}

}  // namespace

void add_erasures(CaseRun& run) {
  std::vector<erase::EraseResult> results;
  for (const ErasureCase& e : run.file.erasures) {
    say("erase '" + e.concept_name + "'");
    const erase::Concept labelled = erase::make_concept(e.concept_name, e.regex, e.shift);
    try {
      results.push_back(erase::run_erasure({run.subject.model, run.subject.tokenizer,
                                            run.subject.documents, labelled, e.hook, e.max_tokens,
                                            run.file.seed, e.grid_bits, e.plant_emails}));
    } catch (const erase::Refusal& refusal) {
      run.statement.claims.push_back(refused(e, refusal.what()));
      continue;
    }
    add_result(run, results.back());
  }
  add_tables(run, results);
}

}  // namespace assay::certify
