#include "assay/erase/attack.hpp"

#include "catch.hpp"
#include "synthetic.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

namespace {

AttackRows attacked(const Eraser& eraser, const Rows& rows) {
  AttackRows out{raw_data(rows).x, erased_data(eraser, rows).x, rows.z, {}};
  out.document.assign(rows.document.begin(), rows.document.end());
  return out;
}

const Attack& named(const AttackReport& report, const std::string& probe) {
  for (const Attack& a : report.attacks) {
    if (a.probe == probe) {
      return a;
    }
  }
  throw std::runtime_error("no probe " + probe);
}

/// The label is in the variance of coordinate 0 alone.
Rows variance_coded(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  Rows out;
  out.d = 5;
  for (std::size_t i = 0; i < n; ++i) {
    const bool one = random.unit() < 0.5;
    for (std::size_t j = 0; j < out.d; ++j) {
      out.x.push_back(static_cast<float>(gauss(random) * (j == 0 && one ? 3.0 : 1.0) +
                                         (j == 1 && one ? 1.0 : 0.0)));
    }
    out.z.push_back(one ? 1 : 0);
    out.document.push_back(i / 10);
  }
  return out;
}

}  // namespace

TEST_CASE("every probe reads a shifted concept, and none of them reads it after LEACE") {
  const Rows fit = rows({4000, 10, 0.4, 2.5, 1}), other = rows({4000, 10, 0.4, 2.5, 2});
  AttackOptions options;
  options.most_rows = 900;
  options.resamples = 100;
  const AttackReport report = run_attacks(attacked(fitted(fit), other), options);
  REQUIRE(report.attacks.size() == 10);
  REQUIRE(report.test_rows == 900);
  REQUIRE(report.test_documents > 20);
  REQUIRE(report.majority == Approx(0.6).margin(0.06));
  for (const Attack& a : report.attacks) {
    INFO(a.probe << " " << a.before.auc << " " << a.after.auc);
    REQUIRE(a.before.auc > 0.85);
    REQUIRE(a.before.accuracy > 0.75);
    REQUIRE(a.after.auc < 0.65);
    for (const ProbeReading& r : {a.before, a.after}) {
      REQUIRE(r.lo <= r.auc);
      REQUIRE(r.auc <= r.hi);
      REQUIRE(r.hi - r.lo < 0.2);
    }
  }
  const std::string svg = attack_svg(report, "a <b>");
  REQUIRE(svg.find("a &lt;b&gt;") != std::string::npos);
  REQUIRE(svg.find("RBF kernel") != std::string::npos);
}

TEST_CASE(
    "a concept in the variance is left by LEACE, and the quadratic, kernel and MLP probes say so") {
  const Rows fit = variance_coded(4000, 1), other = variance_coded(4000, 2);
  AttackOptions options;
  options.most_rows = 1200;
  options.resamples = 50;
  const AttackReport report = run_attacks(attacked(fitted(fit), other), options);
  for (const char* linear : {"logistic", "least squares", "linear SVM"}) {
    REQUIRE(named(report, linear).after.auc < 0.6);
  }
  for (const char* curved : {"quadratic", "RBF kernel", "MLP", "15 nearest neighbours"}) {
    INFO(curved);
    REQUIRE(named(report, curved).after.auc > 0.7);
  }
}

TEST_CASE("attacks are the same on every run, and halves without a label are refused") {
  const Rows data = rows({800, 4, 0.4, 1.5, 3});
  AttackOptions options;
  options.most_rows = 200;
  options.resamples = 20;
  const AttackRows input = attacked(fitted(data), data);
  const AttackReport a = run_attacks(input, options), b = run_attacks(input, options);
  for (std::size_t i = 0; i < a.attacks.size(); ++i) {
    REQUIRE(a.attacks[i].after.auc == b.attacks[i].after.auc);
    REQUIRE(a.attacks[i].after.lo == b.attacks[i].after.lo);
  }
  AttackRows constant = input;
  std::fill(constant.z.begin(), constant.z.end(), std::uint8_t{1});
  REQUIRE_THROWS_AS(run_attacks(constant, options), Refusal);
  AttackRows one_document = input;
  std::fill(one_document.document.begin(), one_document.document.end(), std::int64_t{7});
  REQUIRE_THROWS_AS(run_attacks(one_document, options), Refusal);
}
