#include <cmath>

#include "assay/base/text.hpp"
#include "claim_lines.hpp"

namespace assay::erase {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kQuadraticWidth = 128;  ///< wider: minutes

bool with_products(const GridRows& rows) {
  return rows.d <= kQuadraticWidth;
}

/// One (label, products) with its figures.
struct Tried {
  const Population& population;
  PairFigures figures;
  std::size_t label = 0;
  bool quadratic = false;
  Rational each;
  std::string data, tail;

  [[nodiscard]] std::string terms() const {
    return " " + data + " of " + (quadratic ? "quadratic" : "linear") + " label " +
           std::to_string(label) + " unit " + (population.by_document() ? "document" : "row") +
           " alpha " + each.text();
  }
  [[nodiscard]] std::string counts() const {
    return std::to_string(population.units()) + " " + std::to_string(figures.a) + " " +
           std::to_string(figures.b);
  }
  [[nodiscard]] Json json(const std::string& id, const char* rule, const char* statement) const {
    return {{"claim", id},
            {"rule", rule},
            {"theorem", "T10"},
            {"level", "STATISTICAL"},
            {"statement", statement},
            {"of", quadratic ? "quadratic" : "linear"},
            {"label", label},
            {"alpha", each.text()},
            {"unit", population.by_document() ? "document" : "row"},
            {"units", population.units()},
            {"unitsForTheScales", population.scale_units()},
            {"pairsA", figures.a},
            {"pairsB", figures.b},
            {"largestNorm", figures.largest},
            {"rowsBeyondIt", population.beyond()},
            {"plugInNorm", figures.norm}};
  }
};

ClaimLines covariance_claim(const Tried& t) {
  const std::string id =
      std::string("covariance-") + (t.quadratic ? "quadratic" : "linear") + t.tail;
  const double bound = covariance_bound(t.figures, t.each.nearest());
  const std::string most = fraction_above(bound * (1.0 + 0x1p-20)).text();
  ClaimLines out{"covariance " + id + t.terms() + " at-most " + most,
                 id + " TWO-HALVES : " + t.counts() + " " + hex_float(t.figures.lambda),
                 t.json(id, "TWO-HALVES",
                        "|Cov(phi(y), z)| is at most atMost for a row drawn from a unit of the "
                        "population, phi in units of the coordinates' scales, with probability at "
                        "least 1 - alpha over the draw of the units")};
  out.json["events"] = 3;
  out.json["atMost"] = most;
  out.json["lambda"] = t.figures.lambda;
  out.json["byMcDiarmid"] = mcdiarmid_bound(t.figures.norm, t.figures.largest,
                                            t.figures.a + t.figures.b, t.each.nearest());
  if (!t.quadratic) {
    out.json["logLossGainOfNormOne"] = most;  // T4 on the population
  }
  return out;
}

std::vector<ClaimLines> leakage_claim(const Tried& t) {
  const Rational least =
      fraction_below(leakage_bound(t.figures, t.each.nearest()) * (1.0 - 0x1p-20));
  if (least.num == 0) {
    return {};
  }
  const std::string id = std::string("leakage-") + (t.quadratic ? "quadratic" : "linear") + t.tail;
  ClaimLines out{"leakage " + id + t.terms() + " at-least " + least.text(),
                 id + " LEAKAGE : " + t.counts(),
                 t.json(id, "LEAKAGE",
                        "|Cov(phi(y), z)| is at least atLeast, so the concept is NOT erased for "
                        "predictors of this kind, with probability at least 1 - alpha")};
  out.json["atLeast"] = least.text();
  return {out};
}

}  // namespace

std::size_t planned_claims(const GridRows& rows) {
  return independent_labels(rows) * (with_products(rows) ? 4 : 2);
}

std::vector<ClaimLines> population_claims(const Population& population, const GridRows& rows,
                                          const Rational& each, const std::string& data) {
  std::vector<ClaimLines> out;
  const std::size_t labels = independent_labels(rows);
  for (std::size_t c = 0; c < labels; ++c) {
    for (const bool quadratic : {false, true}) {
      if (quadratic && !with_products(rows)) {
        continue;
      }
      const Tried tried{population,
                        population.figures(c, quadratic ? Products::quadratic : Products::linear),
                        c,
                        quadratic,
                        each,
                        data,
                        labels > 1 ? "-" + std::to_string(c) : ""};
      out.push_back(covariance_claim(tried));
      for (ClaimLines& claim : leakage_claim(tried)) {
        out.push_back(std::move(claim));
      }
    }
  }
  return out;
}

}  // namespace assay::erase
