#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/base/files.hpp"
#include "assay/erase/ledger.hpp"
#include "assay/erase/population.hpp"
#include "catch.hpp"
#include "rational_r2.hpp"
#include "table_files.hpp"

using namespace assay;
using namespace assay::erase;
using namespace assay::erase::synthetic;

// What may be said of erased rows, on the cases that mislead a reader.

namespace {

nlohmann::json claims_of(const TensorCertificate& made) {
  return nlohmann::json::parse(made.json);
}

nlohmann::json claim_of(const TensorCertificate& made, const std::string& id) {
  const nlohmann::json root = claims_of(made);
  for (const auto& claim : root["claims"]) {
    if (claim["claim"] == id) {
      return claim;
    }
  }
  return nullptr;
}

double number(const nlohmann::json& claim, const char* key) {
  return parse_rational(claim.at(key).get<std::string>()).nearest();
}

PopulationOptions options_in(const TableFolder& folder, const char* alpha = "1/100") {
  PopulationOptions options;
  options.alpha = parse_rational(alpha);
  options.ledger = folder / "ledger.json";
  options.total = parse_rational("1/10");
  options.independent_rows = true;
  return options;
}

TensorFit fit_of(const TableFolder& folder, const Planted& rows) {
  return fit_tensors({{folder.write("fit.safetensors", rows.file()), {}}}, {});
}

TensorCertificate certified(const TableFolder& folder, const TensorFit& fit, const Planted& rows,
                            const std::optional<PopulationOptions>& population = {}) {
  const auto path = folder.write("rows.safetensors", rows.file());
  CertifyOptions options;
  options.population = population;
  return certify_tensors(loaded(fit), read_tables(path, {}), options);
}

/// No claim bounds accuracy, balanced accuracy or AUC of probes that are not named.
void says_nothing_of_accuracy(const nlohmann::json& root) {
  for (const auto& claim : root["claims"]) {
    const std::string text = claim.dump();
    CHECK(text.find("AUC") == std::string::npos);
    CHECK((claim["rule"] == "PROBE" || claim["rule"] == "INTERFACE" ||
           text.find("ccuracy") == std::string::npos));
  }
  CHECK(root["notClaimed"].dump().find("balanced accuracy") != std::string::npos);
}

}  // namespace

TEST_CASE(
    "claims: mirrored classes of equal moments get no claim on accuracy, though a cut tells them "
    "apart") {
  const TableFolder folder("mirrored");
  // Class 1 is +1 with probability 0.98 and -49 otherwise, class 0 its mirror image: means and variances agree.
  Planted rows = planted({6000, 4, 0.5, 1.5, 3});
  Random random(4);
  std::size_t right = 0;
  for (std::size_t i = 0; i < rows.n; ++i) {
    const double side = random.unit() < 0.98 ? 1.0 : -49.0;
    rows.x[i * 4 + 3] = rows.z[i] != 0 ? side : -side;
    right += (rows.x[i * 4 + 3] > 0) == (rows.z[i] != 0) ? 1 : 0;
  }
  REQUIRE(right > 5800);
  const TensorFit fit = fit_of(folder, rows);
  const TensorCertificate made = certified(folder, fit, rows);
  CHECK(made.claim.residual.r2 < 0.01);
  says_nothing_of_accuracy(claims_of(made));
}

TEST_CASE(
    "claims: a concept in the variance is flagged as leakage of products, on the population") {
  const TableFolder folder("variance");
  const auto with_spread = [](std::uint64_t seed) {
    Planted rows = planted({12000, 4, 0.5, 1.5, seed});
    for (std::size_t i = 0; i < rows.n; ++i) {
      rows.x[i * 4 + 3] *= rows.z[i] != 0 ? 2.0 : 0.5;
    }
    return rows;
  };
  const TensorFit fit = fit_of(folder, with_spread(5));
  const TensorCertificate made = certified(folder, fit, with_spread(6), options_in(folder));
  const nlohmann::json leak = claim_of(made, "leakage-quadratic"),
                       above = claim_of(made, "covariance-quadratic");
  REQUIRE(leak.is_object());
  CHECK(number(leak, "atLeast") > 0.02);
  CHECK(number(leak, "atLeast") < number(above, "atMost"));
  CHECK(leak["level"] == "STATISTICAL");
  CHECK(claim_of(made, "leakage-linear").is_null());
  says_nothing_of_accuracy(claims_of(made));
  CHECK(claims_of(made)["notClaimed"].dump().find("quadratic probes") != std::string::npos);
}

TEST_CASE(
    "claims: bfloat16 outputs are another deployment, whose covariance the claim does not cover") {
  const TableFolder folder("bfloat");
  const Planted rows = planted({6000, 6, 0.4, 1.5, 7});
  const TensorFit fit = fit_of(folder, rows);
  const TensorCertificate made = certified(folder, fit, rows);
  const double certified_gain = number(claim_of(made, "gain-log-norm"), "maxGain");
  const auto path = folder.write("rows.safetensors", rows.file());
  GridRows coarse{6, deploy_table(fit.fit.eraser, read_tables(path, {}).x), {}, 1};
  double squares = 0;
  for (std::int32_t& y : coarse.y) {  // eight significant bits
    int exponent = 0;
    static_cast<void>(std::frexp(static_cast<double>(y), &exponent));
    const double unit = std::ldexp(1.0, std::max(exponent - 8, 0));
    y = static_cast<std::int32_t>(std::nearbyint(y / unit) * unit);
  }
  for (std::size_t j = 0; j < 6; ++j) {
    double mean = 0, with = 0, ones = 0;
    const auto n = static_cast<double>(rows.n);
    for (std::size_t i = 0; i < rows.n; ++i) {
      const double y = std::ldexp(coarse.y[i * 6 + j], -fit.fit.eraser.grid_bits);
      mean += y / n;
      with += y * static_cast<double>(rows.z[i]) / n;
      ones += static_cast<double>(rows.z[i]) / n;
    }
    squares += (with - ones * mean) * (with - ones * mean);
  }
  INFO(std::sqrt(squares) << " against " << certified_gain);
  CHECK(std::sqrt(squares) > 5 * certified_gain);
  CHECK(claims_of(made)["notClaimed"].dump().find("bfloat16") != std::string::npos);
}

TEST_CASE(
    "claims: a direction of almost no variance that carries the concept is refused, whatever its "
    "covariance") {
  const TableFolder folder("near_null");
  Planted rows = planted({4000, 4, 0.5, 1.5, 9});
  const TensorFit fit = fit_of(folder, rows);
  // One grid unit, along an axis the eraser leaves: its covariance is 2^-18, its R^2 is 1.
  GridRows tiny{4, {}, {}, 1};
  for (std::size_t i = 0; i < rows.n; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      tiny.y.push_back(static_cast<std::int32_t>(std::lround(rows.x[i * 4 + j] * 65536)));
    }
    tiny.y.push_back(static_cast<std::int32_t>(rows.z[i]));
    tiny.z.push_back(static_cast<std::uint8_t>(rows.z[i]));
  }
  const Residual r = exact_residual(tiny);
  CHECK(r.r2 == 1.0);
  CHECK_FALSE(r.certifiable());
  // And through the tool: the last column is the label, a ten-thousandth of the others' size.
  for (std::size_t i = 0; i < rows.n; ++i) {
    rows.x[i * 4 + 3] = 1e-4 * static_cast<double>(rows.z[i]);
  }
  TensorFit first = fit;
  first.fit.eraser.proj_left = {1, 0, 0, 0};
  first.fit.eraser.proj_right = {1, 0, 0, 0};
  CHECK_THROWS_AS(certified(folder, first, rows), Refusal);
}

TEST_CASE("claims: an empty class and a label that all rows have are refused") {
  const TableFolder folder("empty");
  Planted rows = planted({2000, 4, 0.5, 1.5, 10});
  const TensorFit fit = fit_of(folder, rows);
  for (const std::int64_t all : {0, 1}) {
    rows.z.assign(rows.n, all);
    CHECK_THROWS_AS(certified(folder, fit, rows), Refusal);
    CHECK_THROWS_AS(certified(folder, fit, rows, options_in(folder)), Refusal);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "ledger.json"));  // nothing was looked at
}

TEST_CASE("claims: gains are those of the exact covariance and of the bound on R^2") {
  const TableFolder folder("gains");
  const Planted rows = planted({3000, 5, 0.3, 1.5, 11}), others = planted({3000, 5, 0.3, 1.5, 12});
  const TensorFit fit = fit_of(folder, rows);
  const TensorCertificate made = certified(folder, fit, others);
  const double tau = made.claim.residual.tau.nearest();
  const double p = static_cast<double>(made.claim.residual.ones[0]) / 3000.0;
  const double norm = claim_of(made, "gain-log-norm")["covarianceNorm"];
  CHECK(number(claim_of(made, "gain-log-norm"), "maxGain") == Approx(norm).epsilon(1e-6));
  CHECK(number(claim_of(made, "gain-hinge-norm"), "maxGain") ==
        Approx(norm / (1 - p)).epsilon(1e-6));
  CHECK(number(claim_of(made, "gain-square-free"), "maxGain") ==
        Approx(p * (1 - p) * tau).epsilon(1e-6));
  CHECK(number(claim_of(made, "gain-log-spread"), "maxGain") ==
        Approx(std::sqrt(p * (1 - p) * tau)).epsilon(1e-6));
}

TEST_CASE("ledger: every alpha is added up, rows are used once, and a file that lies is refused") {
  Ledger ledger;
  ledger.total = parse_rational("1/50");
  const auto entry = [](const char* rows, const char* alpha) {
    return Ledger::Entry{sha256(rows), sha256("e"), parse_rational(alpha)};
  };
  ledger.spend(entry("a", "1/100"));
  CHECK_THROWS_AS(ledger.spend(entry("a", "1/1000")), Refusal);
  CHECK_THROWS_AS(ledger.spend(entry("b", "11/1000")), Refusal);
  ledger.spend(entry("b", "1/100"));
  CHECK(ledger.spent() == parse_rational("1/50"));
  CHECK_THROWS_AS(ledger.spend(entry("c", "1/100000")), Refusal);

  const TableFolder folder("ledger");
  const auto path = folder.write("l.json", ledger_json(ledger));
  const Ledger again = load_ledger(path, {});
  CHECK(again.entries.size() == 2);
  CHECK(ledger_json(again) == ledger_json(ledger));
  CHECK_THROWS_AS(load_ledger(path, parse_rational("1/10")), UsageError);
  CHECK_THROWS_AS(load_ledger(folder / "none.json", {}), UsageError);
  ledger.total = parse_rational("1/100");
  CHECK_THROWS_AS(load_ledger(folder.write("over.json", ledger_json(ledger)), {}), InputError);
  CHECK_THROWS_AS(load_ledger(folder.write("bad.json", "{\"assay-ledger\":2}"), {}), InputError);
}

TEST_CASE("ledger: the same rows in another file are the same rows") {
  const TableFolder folder("again");
  const Planted rows = planted({2000, 4, 0.4, 1.5, 13}), others = planted({2000, 4, 0.4, 1.5, 14});
  const TensorFit fit = fit_of(folder, rows);
  static_cast<void>(certified(folder, fit, others, options_in(folder, "1/1000")));
  SafetensorsFile renamed = others.file("unnamed");
  const auto path = folder.write("renamed.safetensors", renamed);
  CertifyOptions options;
  options.population = options_in(folder, "1/1000");
  CHECK_THROWS_AS(certify_tensors(loaded(fit), read_tables(path, {}), options), Refusal);
}
