#include "units.hpp"

#include <algorithm>
#include <map>

#include "reject.hpp"
#include "sha256.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxUnits = 10'000'000, kMaxUnitRows = 65'536;

}  // namespace

std::vector<std::vector<std::size_t>> units_of(const ErasedRows& rows, const Step& step,
                                               const ErasureClaim& claim) {
  const std::string& unit = claim.at("unit");
  const bool documents = unit == "document";
  if ((!documents && unit != "row") || documents != rows.has("document")) {
    refuse(step, "unit document needs the tensor document, unit row that there is none");
  }
  std::vector<std::vector<std::size_t>> found;
  std::map<std::int64_t, std::size_t> known;
  const std::vector<std::int64_t> names =
      documents ? rows.whole("document") : std::vector<std::int64_t>{};
  for (std::size_t row = 0; row < rows.n; ++row) {
    const std::size_t at =
        documents ? known.emplace(names[row], found.size()).first->second : found.size();
    if (at == found.size()) {
      found.emplace_back();
    }
    found[at].push_back(row);
  }
  std::vector<std::pair<std::string, std::size_t>> keys;
  std::size_t longest = 0;
  for (std::size_t u = 0; u < found.size(); ++u) {
    keys.emplace_back(sha256("assay " + std::to_string(u)), u);
    longest = std::max(longest, found[u].size());
  }
  if (found.size() > kMaxUnits || longest > kMaxUnitRows) {
    refuse(step, "too many documents or rows, or a document of too many rows");
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::vector<std::size_t>> order;
  for (const auto& [key, u] : keys) {
    order.push_back(std::move(found[u]));
  }
  return order;
}

std::vector<std::size_t> drawn_rows(const std::vector<std::vector<std::size_t>>& units) {
  std::vector<std::size_t> rows;
  for (std::size_t u = 0; u < units.size(); ++u) {
    const std::string key = sha256("assay row " + std::to_string(u)).substr(0, 15);
    rows.push_back(units[u][std::stoull(key, nullptr, 16) % units[u].size()]);
  }
  return rows;
}

Fraction statistical_alpha(const Session& session, const Step& step, const ErasureClaim& claim,
                           const ErasedRows& rows) {
  if (rows.eraser.fitted.empty()) {
    refuse(step, "the eraser does not say which rows it was fitted on");
  }
  const bool fitted = rows.fitted;
  bool ledger = false;
  for (std::size_t i = 0; i < session.claim_count(); ++i) {
    ledger = ledger || ErasureClaim(session.request().claims.at(i)).form == "ledger";
  }
  const Fraction alpha = positive_term(step, claim, "alpha");
  if (fitted || alpha.num >= alpha.den || !ledger) {
    refuse(step, fitted ? "rows of the fit say nothing of others"
                        : "alpha is not below 1, or the statement has no ledger");
  }
  return alpha;
}

std::string drawn_units(std::size_t n, bool documents) {
  return std::to_string(n) + (documents ? " documents" : " rows") +
         ", independent and alike, the eraser, the claim and the order in the file fixed before "
         "they were seen";
}

Interval log_of(const Fraction& alpha, int parts) {
  return logarithm(Interval(parts) * Interval(static_cast<double>(alpha.den)) /
                   Interval(static_cast<double>(alpha.num)));
}

Interval root_of_mean(const Interval& seen, const Interval& size, const Interval& l,
                      std::size_t n) {
  const Interval k = size * square_root(Interval(2) * l / Interval(static_cast<double>(n)));
  return (k + square_root(k * k + Interval(4) * positive_part(seen))) / Interval(2);
}

Interval room(const Interval& root, const Interval& size, const Interval& l, std::size_t n) {
  const Interval share = l / Interval(static_cast<double>(n));
  return root * square_root(Interval(2) * share) + size * share / Interval(3);
}

// NOISE (T7): the label in the file is the true one, flipped with one probability of at most h < 1/2 whatever the row
// and its label: its covariance with anything of the row is that of the true one times at least 1 − 2h.
Interval share_without_noise(const Step& step, const ErasureClaim& claim, const ErasedRows& rows) {
  if (!claim.terms.contains("noise")) {
    return {1};
  }
  const Fraction noise = positive_term(step, claim, "noise");
  const Interval share = Interval(1) - Interval(2) * noise.interval();
  if (rows.k != 1 || !(share.lo() > 0)) {
    refuse(step, "noise is not below 1/2, or not of one label");
  }
  return share;
}

std::string label_meant(const ErasureClaim& claim) {
  const std::string label = "label " + claim.at("label");
  return !claim.terms.contains("noise")
             ? label
             : "the true label, of which " + label +
                   " is a copy flipped with one probability of at most " + claim.at("noise") +
                   " whatever the row and its label,";
}

}  // namespace assay_check
