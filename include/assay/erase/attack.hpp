#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/erase/probe.hpp"

namespace assay::erase {

/// Rows of a site before and after an eraser, one 0/1 label, and the document of each row.
struct AttackRows {
  Matrix before, after;  ///< [n,d], [n,d']
  std::vector<std::uint8_t> z;
  std::vector<std::int64_t> document;  ///< empty: every row is a document
};

struct AttackOptions {
  std::uint64_t seed = 1;
  std::size_t most_rows = 4000;  ///< of each half
  std::size_t resamples = 400;   ///< of the bootstrap
};

/// What a probe trained on one half of the documents reads on the other half.
struct ProbeReading {
  double auc = 0, lo = 0,
         hi = 0;        ///< 95 %: percentiles of a bootstrap over documents of the test half
  double accuracy = 0;  ///< the cut at the training half's base rate of scores
};

struct Attack {
  std::string probe;  ///< "logistic", …
  ProbeReading before, after;
};

/// OBSERVED: these probes, these rows. Nothing follows for other probes.
struct AttackReport {
  std::vector<Attack> attacks;
  std::size_t train_rows = 0, test_rows = 0, train_documents = 0, test_documents = 0;
  std::size_t positive = 0;  ///< of the test rows
  double majority = 0;       ///< accuracy of always the commoner label of the test half
};

/// The battery, before and after: logistic, least squares, linear SVM, RBF kernel, multi-layer perceptron,
/// nearest neighbours, quadratic, and relearning (the probe that read the raw rows, trained on with a
/// few erased ones). Documents fall into halves by a hash of (seed, document). Throws Refusal when a
/// half lacks a label.
[[nodiscard]] AttackReport run_attacks(const AttackRows& rows, const AttackOptions& options);

/// Dots and intervals, before and after, as an SVG picture.
[[nodiscard]] std::string attack_svg(const AttackReport& report, const std::string& title);

}  // namespace assay::erase
