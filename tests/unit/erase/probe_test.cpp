#include "assay/erase/probe.hpp"

#include "catch.hpp"
#include "synthetic.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

TEST_CASE("the area under the curve counts ties by half") {
  REQUIRE(auc({1, 2, 3, 4}, {0, 0, 1, 1}) == 1.0);
  REQUIRE(auc({1, 2, 3, 4}, {1, 1, 0, 0}) == 0.0);
  REQUIRE(auc({1, 1, 1, 1}, {0, 1, 0, 1}) == 0.5);
  REQUIRE(auc({1, 2, 2, 3}, {0, 0, 1, 1}) == 0.875);
}

TEST_CASE("before erasure a probe learns; after it none does") {
  const Recipe recipe{6000, 12, 0.4, 1.5, 21};
  Recipe other = recipe;
  other.seed = 22;
  const Rows train = rows(recipe);
  const Rows test = rows(other);
  const Eraser eraser = fitted(train);
  const ProbeFigures before = evaluate(fit_logistic(raw_data(train)), raw_data(test));
  REQUIRE(before.auc > 0.9);
  REQUIRE(before.accuracy > before.majority + 0.2);
  REQUIRE(before.log_loss < before.constant_loss - 0.2);
  const ProbeData erased_train = erased_data(eraser, train);
  const ProbeData erased_test = erased_data(eraser, test);
  const ProbeFigures after = evaluate(fit_logistic(erased_train), erased_test);
  REQUIRE(after.auc == Approx(0.5).margin(0.06));
  REQUIRE(after.accuracy <= after.majority + 0.01);
  REQUIRE(after.balanced_accuracy == Approx(0.5).margin(0.06));
  REQUIRE(after.log_loss >= after.constant_loss - 0.002);
  // The rounding hides the scaled-down copy of the signal from a probe without ridge too.
  const ProbeFigures least = evaluate(fit_least_squares(erased_train), erased_test);
  REQUIRE(least.auc == Approx(0.5).margin(0.06));
}

TEST_CASE("an eraser computed in float32 leaves a copy that least squares reads back") {
  const Rows train = rows({6000, 12, 0.4, 1.5, 23});
  const Eraser eraser = fitted(train);
  ProbeData leaky = raw_data(train);
  for (std::size_t i = 0; i < train.n(); ++i) {
    float c = 0.0F;
    for (std::size_t j = 0; j < train.d; ++j) {
      c += static_cast<float>(eraser.proj_right[j]) *
           (train.row(i)[j] - static_cast<float>(eraser.bias[j]));
    }
    for (std::size_t j = 0; j < train.d; ++j) {
      // 1 - R L = 1e-5, as float32 parameters of a wide site leave it.
      leaky.x.at(i, j) = static_cast<double>(train.row(i)[j]) -
                         eraser.proj_left[j] * static_cast<double>(c) * (1 - 1e-5);
    }
  }
  REQUIRE(evaluate(fit_least_squares(leaky), leaky).auc > 0.8);
  // Deployed bits of the same eraser: residual about d/n, not half the variance.
  const Residual deployed = exact_residual(deploy_rows(eraser, train));
  REQUIRE(deployed.r2 < 4 * deployed.noise_floor());
}

TEST_CASE("a concept coded in the variance survives, and the non-linear probe shows it") {
  Random random(31);
  const auto make = [&random](std::size_t n) {
    Rows out;
    out.d = 6;
    for (std::size_t i = 0; i < n; ++i) {
      const bool one = random.unit() < 0.5;
      for (std::size_t j = 0; j < out.d; ++j) {
        const double size = j == 2 && one ? 3.0 : 1.0;
        const double mean = j == 4 && one ? 1.0 : 0.0;
        out.x.push_back(static_cast<float>(size * gauss(random) + mean));
      }
      out.z.push_back(one ? 1 : 0);
    }
    return out;
  };
  const Rows train = make(4000);
  const Rows test = make(4000);
  const Eraser eraser = fitted(train);
  const ProbeData a = erased_data(eraser, train);
  const ProbeData b = erased_data(eraser, test);
  REQUIRE(evaluate(fit_logistic(a), b).auc == Approx(0.5).margin(0.06));
  const ReluFeatures features = make_relu_features(a.x, 48, 1);
  const Probe relu = fit_logistic({features.apply(a.x), a.z});
  REQUIRE(evaluate(relu, {features.apply(b.x), b.z}).auc > 0.7);
}

TEST_CASE("a constant label is refused, separable data still ends") {
  ProbeData data;
  data.x = {4, 1, {1, 2, 3, 4}};
  data.z = {1, 1, 1, 1};
  REQUIRE_THROWS_AS(fit_logistic(data), Refusal);
  data.z = {0, 0, 1, 1};
  const Probe probe = fit_logistic(data);
  REQUIRE(probe.converged);
  REQUIRE(evaluate(probe, data).accuracy == 1.0);
}
