#include "assay/erase/attack.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "assay/base/random.hpp"
#include "assay/erase/moments.hpp"
#include "attack_probes.hpp"

namespace assay::erase {
namespace {

using Eigen::Index;

constexpr std::array<std::size_t, 3> kShots = {10, 32, 100};  ///< examples of each label
constexpr int kRelearnSteps = 200;

/// Rows of the two halves, at most `most` of each, in the order of a hash.
struct Halves {
  std::vector<std::size_t> train, test;
  std::vector<std::size_t> test_document;  ///< of each test row, counted from 0
  std::size_t train_documents = 0, test_documents = 0;
};

std::int64_t document_of(const AttackRows& rows, std::size_t i) {
  return rows.document.empty() ? static_cast<std::int64_t>(i) : rows.document[i];
}

std::uint64_t hash_of(std::uint64_t seed, std::int64_t value) {
  return Random(seed * 0x9e3779b97f4a7c15ULL ^ static_cast<std::uint64_t>(value)).next();
}

Halves halve(const AttackRows& rows, const AttackOptions& options) {
  Halves out;
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < rows.z.size(); ++i) {
    order.emplace_back(hash_of(options.seed, static_cast<std::int64_t>(i)), i);
  }
  std::sort(order.begin(), order.end());
  std::map<std::int64_t, std::size_t> seen[2];
  for (const auto& [rank, i] : order) {
    const std::int64_t document = document_of(rows, i);
    const bool test = (hash_of(options.seed + 1, document) & 1U) != 0;
    std::vector<std::size_t>& half = test ? out.test : out.train;
    if (half.size() < options.most_rows) {
      half.push_back(i);
      const std::size_t number =
          seen[test ? 1 : 0].emplace(document, seen[test ? 1 : 0].size()).first->second;
      if (test) {
        out.test_document.push_back(number);
      }
    }
  }
  out.train_documents = seen[0].size();
  out.test_documents = seen[1].size();
  return out;
}

std::vector<std::uint8_t> labels_of(const AttackRows& rows, const std::vector<std::size_t>& which) {
  std::vector<std::uint8_t> z;
  for (const std::size_t i : which) {
    z.push_back(rows.z[i]);
  }
  const auto ones = std::count(z.begin(), z.end(), std::uint8_t{1});
  if (ones < 10 || ones + 10 > static_cast<std::ptrdiff_t>(z.size())) {
    throw Refusal("attack: a half of the documents has fewer than 10 rows of a label (" +
                  std::to_string(ones) + " ones of " + std::to_string(z.size()) + ")");
  }
  return z;
}

Rows64 take(const Matrix& m, const std::vector<std::size_t>& which) {
  Rows64 out(static_cast<Index>(which.size()), static_cast<Index>(m.cols));
  for (std::size_t r = 0; r < which.size(); ++r) {
    for (std::size_t j = 0; j < m.cols; ++j) {
      out(static_cast<Index>(r), static_cast<Index>(j)) = m.at(which[r], j);
    }
  }
  return out;
}

/// Both halves in units of the training half.
AttackSplit split_of(const Matrix& m, const Halves& halves, const std::vector<std::uint8_t>& z) {
  AttackSplit out{take(m, halves.train), take(m, halves.test), z};
  const Eigen::RowVectorXd mean = out.train.colwise().mean();
  Eigen::RowVectorXd scale = (out.train.rowwise() - mean).colwise().norm() /
                             std::sqrt(static_cast<double>(out.train.rows()));
  scale = scale.unaryExpr([](double sd) { return sd > 0 ? 1.0 / sd : 0.0; });
  for (Rows64* half : {&out.train, &out.test}) {
    *half = (half->rowwise() - mean).array().rowwise() * scale.array();
  }
  return out;
}

Matrix plain(const Rows64& rows) {
  return {static_cast<std::size_t>(rows.rows()),
          static_cast<std::size_t>(rows.cols()),
          {rows.data(), rows.data() + rows.size()}};
}

/// AUC where test document d counts weight[d] times; rows come in the order of their scores.
double weighted_auc(const Scores& scores, const std::vector<std::uint8_t>& z,
                    const std::vector<std::size_t>& order, const std::vector<std::size_t>& document,
                    const std::vector<double>& weight) {
  double wins = 0.0, zeros_below = 0.0, ones = 0.0;
  for (std::size_t i = 0; i < order.size();) {
    double tied_zeros = 0.0, tied_ones = 0.0;
    std::size_t j = i;
    for (; j < order.size() && scores[order[j]] == scores[order[i]]; ++j) {
      (z[order[j]] == 1 ? tied_ones : tied_zeros) += weight[document[order[j]]];
    }
    wins += tied_ones * (zeros_below + 0.5 * tied_zeros);
    zeros_below += tied_zeros;
    ones += tied_ones;
    i = j;
  }
  return ones > 0 && zeros_below > 0 ? wins / (ones * zeros_below) : 0.5;
}

class Reader {
 public:
  Reader(const Halves& halves, std::vector<std::uint8_t> z, const AttackOptions& options)
      : halves_(halves), z_(std::move(z)), options_(options) {}

  [[nodiscard]] ProbeReading read(const Scores& scores) const {
    ProbeReading out;
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    out.auc = auc(scores, z_);
    std::vector<double> drawn;
    Random random(options_.seed + 2);
    for (std::size_t r = 0; r < options_.resamples; ++r) {
      std::vector<double> weight(halves_.test_documents, 0.0);
      for (std::size_t d = 0; d < weight.size(); ++d) {
        weight[random.below(weight.size())] += 1.0;
      }
      drawn.push_back(weighted_auc(scores, z_, order, halves_.test_document, weight));
    }
    std::sort(drawn.begin(), drawn.end());
    if (!drawn.empty()) {
      const auto last = static_cast<double>(drawn.size() - 1);
      out.lo = drawn[static_cast<std::size_t>(std::floor(0.025 * last))];
      out.hi = drawn[static_cast<std::size_t>(std::ceil(0.975 * last))];
    }
    // As many predicted ones as there are: the cut is a quantile of the scores.
    const auto ones = static_cast<std::size_t>(std::count(z_.begin(), z_.end(), std::uint8_t{1}));
    std::size_t right = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      right += (i + ones >= order.size()) == (z_[order[i]] == 1) ? 1 : 0;
    }
    out.accuracy = static_cast<double>(right) / static_cast<double>(order.size());
    return out;
  }

 private:
  const Halves& halves_;
  std::vector<std::uint8_t> z_;
  AttackOptions options_;
};

/// The logistic probe of `start`, trained on with `shots` examples of each label of `tuned`, by
/// gradient steps on the log-loss; its scores of the tuned test rows.
Scores relearned(const Probe& start, const AttackSplit& tuned, std::size_t shots) {
  std::vector<std::size_t> rows;
  std::size_t left[2] = {shots, shots};
  for (std::size_t i = 0; i < tuned.z.size(); ++i) {
    if (left[tuned.z[i]] > 0) {
      --left[tuned.z[i]];
      rows.push_back(i);
    }
  }
  Eigen::VectorXd w = Eigen::Map<const Eigen::VectorXd>(start.weights.data(),
                                                        static_cast<Index>(start.weights.size()));
  double b = start.bias;
  const Rows64 x = tuned.train(std::vector<Index>(rows.begin(), rows.end()), Eigen::all);
  Eigen::VectorXd z(x.rows());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    z(static_cast<Index>(i)) = tuned.z[rows[i]];
  }
  const double rate = 4.0 / (1.0 + x.rowwise().squaredNorm().maxCoeff());  // below 1 / smoothness
  for (int step = 0; step < kRelearnSteps; ++step) {
    const Eigen::VectorXd p = 1.0 / (1.0 + (-((x * w).array() + b)).exp());
    const Eigen::VectorXd g = (p - z) / static_cast<double>(z.size());
    w -= rate * (x.transpose() * g);
    b -= rate * g.sum();
  }
  const Eigen::VectorXd scores = (tuned.test * w).array() + b;
  return {scores.data(), scores.data() + scores.size()};
}

}  // namespace

AttackReport run_attacks(const AttackRows& rows, const AttackOptions& options) {
  require(rows.before.rows == rows.z.size() && rows.after.rows == rows.z.size() &&
              (rows.document.empty() || rows.document.size() == rows.z.size()),
          "run_attacks: shapes disagree");
  const Halves halves = halve(rows, options);
  const std::vector<std::uint8_t> train_z = labels_of(rows, halves.train);
  const std::vector<std::uint8_t> test_z = labels_of(rows, halves.test);
  const Reader reader(halves, test_z, options);
  const AttackSplit before = split_of(rows.before, halves, train_z);
  const AttackSplit after = split_of(rows.after, halves, train_z);
  AttackReport out;
  out.train_rows = halves.train.size();
  out.test_rows = halves.test.size();
  out.train_documents = halves.train_documents;
  out.test_documents = halves.test_documents;
  out.positive = static_cast<std::size_t>(std::count(test_z.begin(), test_z.end(), 1));
  const double rate = static_cast<double>(out.positive) / static_cast<double>(test_z.size());
  out.majority = std::max(rate, 1.0 - rate);

  const Probe start = fit_logistic({plain(before.train), train_z}, 1e-3);
  const auto logistic = [&](const AttackSplit& s) {
    return scores_of(fit_logistic({plain(s.train), s.z}, 1e-3), plain(s.test));
  };
  const auto least_squares = [](const AttackSplit& s) {
    return scores_of(fit_least_squares({plain(s.train), s.z}), plain(s.test));
  };
  using Attacker = std::function<Scores(const AttackSplit&)>;
  std::vector<std::pair<std::string, Attacker>> battery = {
      {"logistic", logistic},
      {"least squares", least_squares},
      {"linear SVM", [&](const AttackSplit& s) { return svm_scores(s, options.seed); }},
      {"RBF kernel", rbf_scores},
      {"MLP", [&](const AttackSplit& s) { return mlp_scores(s, options.seed); }},
      {"15 nearest neighbours", neighbour_scores},
      {"quadratic", quadratic_scores}};
  for (const std::size_t shots : kShots) {
    if (before.train.cols() == after.train.cols()) {
      battery.emplace_back(
          "relearned from " + std::to_string(shots) + " of each label",
          [&start, shots](const AttackSplit& s) { return relearned(start, s, shots); });
    }
  }
  for (const auto& [name, attacker] : battery) {
    out.attacks.push_back({name, reader.read(attacker(before)), reader.read(attacker(after))});
  }
  return out;
}

}  // namespace assay::erase
