#include <cmath>
#include <optional>

#include "assay/base/text.hpp"
#include "claim_lines.hpp"

namespace assay::erase {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kQuadraticWidth = 128;  ///< wider: minutes

bool with_products(const GridRows& rows) {
  return rows.d <= kQuadraticWidth;
}

/// " label C unit U[ noise H] alpha A"
std::string common_terms(const Population& population, std::size_t label,
                         const std::optional<Rational>& noise, const Rational& each) {
  return " label " + std::to_string(label) + " unit " +
         (population.by_document() ? "document" : "row") +
         (noise ? " noise " + noise->text() : "") + " alpha " + each.text();
}

/// T7: a label that is the true one, flipped with probability h <= noise whatever the row and its label,
/// has 1 - 2h times the covariance.
double for_true_label(double bound, const std::optional<Rational>& noise) {
  return noise ? bound / (1.0 - 2.0 * noise->nearest()) : bound;
}

/// What noise makes of a statement about "the label".
void say_noise(Json& claim, const std::optional<Rational>& noise, bool least) {
  if (noise) {
    claim["labelNoise"] = noise->text();
    claim["labelMeant"] =
        least
            ? "recorded, and so of the true one, whose covariance is no smaller"
            : "true, of which the recorded one is a copy, flipped with one probability of at most "
              "labelNoise whatever the row and its label";
  }
}

/// One (label, products) with its figures.
struct Tried {
  const Population& population;
  PairFigures figures;
  std::size_t label = 0;
  bool quadratic = false;
  Rational each;
  std::string data, tail;
  std::optional<Rational> noise = {};

  /// Of the true label where labels are noisy, else of the one in the file.
  [[nodiscard]] std::string terms(bool noisy) const {
    return " " + data + " of " + (quadratic ? "quadratic" : "linear") +
           common_terms(population, label, noisy ? noise : std::nullopt, each);
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
  const double bound = for_true_label(covariance_bound(t.figures, t.each.nearest()), t.noise);
  const std::string most = fraction_above(bound * (1.0 + 0x1p-20)).text();
  ClaimLines out{"covariance " + id + t.terms(true) + " at-most " + most,
                 id + " TWO-HALVES : " + t.counts() + " " + hex_float(t.figures.lambda),
                 t.json(id, "TWO-HALVES",
                        "|Cov(phi(y), z)| is at most atMost for a row drawn from a unit of the "
                        "population, phi in units of the coordinates' scales, with probability at "
                        "least 1 - alpha over the draw of the units")};
  out.json["events"] = 3;
  out.json["atMost"] = most;
  out.json["lambda"] = t.figures.lambda;
  say_noise(out.json, t.noise, false);
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
  ClaimLines out{"leakage " + id + t.terms(false) + " at-least " + least.text(),
                 id + " LEAKAGE : " + t.counts(),
                 t.json(id, "LEAKAGE",
                        "|Cov(phi(y), z)| is at least atLeast, so the concept is NOT erased for "
                        "predictors of this kind, with probability at least 1 - alpha")};
  out.json["atLeast"] = least.text();
  say_noise(out.json, t.noise, true);
  return {out};
}

/// MMD and, where it shows anything, MMD-LEAKAGE of one label.
std::vector<ClaimLines> kernel_claims(const Population& population, std::size_t label,
                                      const Rational& each, const std::string& data,
                                      const std::optional<Rational>& noise,
                                      const std::string& tail) {
  const KernelFigures figures = population.kernel_figures(label);
  const std::string counts =
      std::to_string(population.units()) + " " + std::to_string(figures.quadruples);
  const auto json = [&](const std::string& id, const char* rule, const char* statement) {
    return Json{{"claim", id},
                {"rule", rule},
                {"theorem", "T4"},
                {"level", "STATISTICAL"},
                {"statement", statement},
                {"kernel", "exp(-|y - y'|^2 / d), y in units of the coordinates' scales"},
                {"label", label},
                {"alpha", each.text()},
                {"unit", population.by_document() ? "document" : "row"},
                {"units", population.units()},
                {"unitsForTheScales", population.scale_units()},
                {"quadruples", figures.quadruples},
                {"rowsBeyondIt", population.beyond()},
                {"estimateOfTheSquare", figures.mean}};
  };
  const double above = for_true_label(kernel_bound(figures, each.nearest()), noise);
  const std::string most = fraction_above(above * (1.0 + 0x1p-20)).text();
  std::vector<ClaimLines> out = {
      {"mmd mmd" + tail + " " + data + common_terms(population, label, noise, each) + " at-most " +
           most,
       "mmd" + tail + " MMD : " + counts,
       json("mmd" + tail, "MMD",
            "p (1 - p) times the maximum mean discrepancy of the classes, |Cov(k(y, .), z)| in the "
            "kernel's space, is at most atMost, with probability at least 1 - alpha: a number, not "
            "an erasure")}};
  out[0].json["atMost"] = most;
  out[0].json["logLossGainOfNormOne"] = most;
  say_noise(out[0].json, noise, false);
  const Rational least = fraction_below(kernel_leakage(figures, each.nearest()) * (1.0 - 0x1p-20));
  if (least.num > 0) {
    out.push_back({"mmd-leakage mmd-leakage" + tail + " " + data +
                       common_terms(population, label, {}, each) + " at-least " + least.text(),
                   "mmd-leakage" + tail + " MMD-LEAKAGE : " + counts,
                   json("mmd-leakage" + tail, "MMD-LEAKAGE",
                        "p (1 - p) times the maximum mean discrepancy of the classes is at least "
                        "atLeast, so the concept is NOT erased for predictors of this kernel, with "
                        "probability at least 1 - alpha")});
    out[1].json["atLeast"] = least.text();
    say_noise(out[1].json, noise, true);
  }
  return out;
}

}  // namespace

std::size_t planned_claims(const GridRows& rows) {
  return independent_labels(rows) * (with_products(rows) ? 6 : 4);
}

std::vector<ClaimLines> population_claims(const Population& population, const GridRows& rows,
                                          const Rational& each, const std::string& data,
                                          const std::optional<Rational>& noise) {
  require(!noise || rows.labels == 1, "population_claims: noise of one label only");
  std::vector<ClaimLines> out;
  const std::size_t labels = independent_labels(rows);
  for (std::size_t c = 0; c < labels; ++c) {
    const std::string tail = labels > 1 ? "-" + std::to_string(c) : "";
    for (const bool quadratic : {false, true}) {
      if (quadratic && !with_products(rows)) {
        continue;
      }
      const Tried tried{
          population, population.figures(c, quadratic ? Products::quadratic : Products::linear),
          c,          quadratic,
          each,       data,
          tail,       noise};
      out.push_back(covariance_claim(tried));
      for (ClaimLines& claim : leakage_claim(tried)) {
        out.push_back(std::move(claim));
      }
    }
    for (ClaimLines& claim : kernel_claims(population, c, each, data, noise, tail)) {
      out.push_back(std::move(claim));
    }
  }
  return out;
}

}  // namespace assay::erase
