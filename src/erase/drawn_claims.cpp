#include <algorithm>
#include <cmath>

#include "assay/base/text.hpp"
#include "assay/erase/moments.hpp"
#include "claim_lines.hpp"

namespace assay::erase {
namespace {

using Json = nlohmann::ordered_json;

/// See docs/theorems.md, INTERFACE.
double distance(double symbols, double draws, double log) {
  const double weissman = std::sqrt(2.0 * (symbols * std::log(2.0) + log) / draws);
  const double mcdiarmid = std::sqrt((symbols - 1.0) / draws) + std::sqrt(2.0 * log / draws);
  return std::min(weissman, mcdiarmid);
}

/// P(X >= k) for X ~ Binomial(n, p), 0 < p < 1
double tail(std::size_t n, std::size_t k, double p) {
  const double odds = p / (1.0 - p);
  const auto centre = std::min(n, static_cast<std::size_t>(static_cast<double>(n) * p));
  double sum = 0, below = 0, w = 1;
  const auto add = [&](std::size_t j) { (j >= k ? sum : below) += w; };
  add(centre);
  for (std::size_t j = centre; j < n && w > 0; ++j) {
    w *= static_cast<double>(n - j) / static_cast<double>(j + 1) * odds;
    add(j + 1);
  }
  w = 1;
  for (std::size_t j = centre; j > 0 && w > 0; --j) {
    w *= static_cast<double>(j) / static_cast<double>(n - j + 1) / odds;
    add(j - 1);
  }
  return sum / (sum + below);
}

/// The largest lower end, in millionths, whose tail is at most `most`.
std::int64_t lower_end(std::size_t n, std::size_t k, double most) {
  std::int64_t good = 0, bad = 1'000'000;
  while (k > 0 && bad - good > 1) {
    const std::int64_t middle = good + (bad - good) / 2;
    (tail(n, k, static_cast<double>(middle) / 1e6) <= most * (1.0 - 0x1p-20) ? good : bad) = middle;
  }
  return good;
}

std::string millionths(std::int64_t x) {
  return Rational{x, 1'000'000}.text();
}

const char* unit_of(const Population& population) {
  return population.by_document() ? "document" : "row";
}

}  // namespace

ClaimLines interface_claim(const Population& population, const GridRows& rows, std::size_t label,
                           const std::vector<std::int64_t>& symbol, std::size_t symbols,
                           const Rational& each, const std::string& data) {
  std::vector<std::int64_t> with(symbols), without(symbols);
  std::int64_t n1 = 0, n0 = 0;
  for (const std::size_t row : population.drawn_rows()) {
    const bool one = rows.z[row * rows.labels + label] != 0;
    (one ? n1 : n0) += 1;
    (one ? with : without)[static_cast<std::size_t>(symbol[row])] += 1;
  }
  if (n1 == 0 || n0 == 0) {
    throw Refusal("no row with, or none without, label " + std::to_string(label) + " was drawn");
  }
  double seen = 0;
  for (std::size_t s = 0; s < symbols; ++s) {
    seen += std::fabs(static_cast<double>(with[s]) / static_cast<double>(n1) -
                      static_cast<double>(without[s]) / static_cast<double>(n0)) /
            2.0;
  }
  const double log = std::log(2.0 / each.nearest()), m = static_cast<double>(symbols);
  const double most =
      seen +
      (distance(m, static_cast<double>(n1), log) + distance(m, static_cast<double>(n0), log)) / 2.0;
  const std::string bound = fraction_above(most * (1.0 + 0x1p-30)).text();
  const std::string id = "interface-" + std::to_string(label);
  return {"interface " + id + " " + data + " label " + std::to_string(label) + " symbols " +
              std::to_string(symbols) + " unit " + unit_of(population) + " alpha " + each.text() +
              " at-most " + bound,
          id + " INTERFACE : " + std::to_string(population.units()) + " " + std::to_string(n1) +
              " " + std::to_string(n0),
          Json{{"claim", id},
               {"rule", "INTERFACE"},
               {"theorem", "T13"},
               {"level", "STATISTICAL"},
               {"statement",
                "whoever sees one symbol and nothing else, whatever they compute, has a balanced "
                "accuracy of "
                "at most 1/2 + atMost/2 for the label"},
               {"label", label},
               {"symbols", symbols},
               {"alpha", each.text()},
               {"unit", unit_of(population)},
               {"units", population.units()},
               {"drawnWith", n1},
               {"drawnWithout", n0},
               {"seen", seen},
               {"atMost", bound},
               {"balancedAccuracyAtMost", std::min(0.5 + most / 2.0, 1.0)}}};
}

ClaimLines probe_claim(const Population& population, const GridRows& rows, int grid_bits,
                       std::size_t label, const RegisteredProbes& probes, std::size_t index,
                       const Rational& each, const std::string& data) {
  std::size_t n[2] = {0, 0}, right[2] = {0, 0};
  for (const std::size_t row : population.drawn_rows()) {
    double score = probes.bias[index];
    for (std::size_t j = 0; j < rows.d; ++j) {
      score += probes.weights[index * rows.d + j] *
               std::ldexp(static_cast<double>(rows.y[row * rows.d + j]), -grid_bits);
    }
    const std::size_t one = rows.z[row * rows.labels + label];
    n[one] += 1;
    right[one] += (score > 0) == (one != 0) ? 1 : 0;
  }
  if (n[0] == 0 || n[1] == 0) {
    throw Refusal("no row with, or none without, label " + std::to_string(label) + " was drawn");
  }
  const double quarter = each.nearest() / 4.0;
  std::int64_t lo[2], hi[2];
  for (const std::size_t one : {0U, 1U}) {
    lo[one] = lower_end(n[one], right[one], quarter);
    hi[one] = 1'000'000 - lower_end(n[one], n[one] - right[one], quarter);
  }
  const std::string least = Rational{lo[0] + lo[1], 2'000'000}.text(),
                    most = Rational{hi[0] + hi[1], 2'000'000}.text();
  const std::string id = "probe-" + std::to_string(index) + "-" + std::to_string(label);
  std::string step = id + " PROBE : " + std::to_string(population.units());
  for (const std::size_t one : {1U, 0U}) {
    step += " " + std::to_string(n[one]) + " " + std::to_string(right[one]);
  }
  for (const std::size_t one : {1U, 0U}) {
    step += " " + millionths(lo[one]) + " " + millionths(hi[one]);
  }
  return {
      "probe " + id + " " + data + " probes " + probes.digest.hex() + " index " +
          std::to_string(index) + " label " + std::to_string(label) + " unit " +
          unit_of(population) + " alpha " + each.text() + " at-least " + least + " at-most " + most,
      step,
      Json{
          {"claim", id},
          {"rule", "PROBE"},
          {"theorem", "T8"},
          {"level", "STATISTICAL"},
          {"statement",
           "the balanced accuracy of this one registered probe is in [atLeast, atMost]; nothing is "
           "said of any other"},
          {"probes", probes.digest.hex()},
          {"index", index},
          {"label", label},
          {"alpha", each.text()},
          {"events", 4},
          {"unit", unit_of(population)},
          {"units", population.units()},
          {"drawnWith", n[1]},
          {"rightWith", right[1]},
          {"drawnWithout", n[0]},
          {"rightWithout", right[0]},
          {"atLeast", least},
          {"atMost", most}}};
}

}  // namespace assay::erase
