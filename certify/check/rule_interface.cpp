#include <algorithm>
#include <cstdlib>

#include "reject.hpp"
#include "units.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxSymbols = 1'000'000;

/// But with probability alpha / 2 the frequencies of m symbols in n draws are within this of their law in L1:
/// the smaller of Weissman's √(2(m ln 2 + l)/n) and McDiarmid's √((m − 1)/n) + √(2l/n), l = ln(2/α). Which one it
/// is depends on m, n and α only.
Interval distance(std::size_t symbols, std::size_t draws, const Interval& l) {
  const Interval m(static_cast<double>(symbols)), n(static_cast<double>(draws));
  const Interval weissman = square_root(Interval(2) * (m * logarithm(Interval(2)) + l) / n);
  const Interval spread = (m - Interval(1)) / n;
  const Interval mcdiarmid =
      (spread.is_zero() ? Interval(0) : square_root(spread)) + square_root(Interval(2) * l / n);
  return weissman.hi() < mcdiarmid.hi() ? weissman : mcdiarmid;
}

}  // namespace

// INTERFACE   (T13; c_zs = drawn rows with label z and symbol s, n_z those with label z)
//   TV^ = Σ_s |c_1s/n_1 − c_0s/n_0| / 2      TV^ + (distance(m, n_1) + distance(m, n_0)) / 2 <= t
//   -------------------------------------------------------------------------------------------
//   with probability at least 1 − α the laws of one symbol given z = 1 and z = 0 are within t in total
//   variation: no function of one symbol has a balanced accuracy above 1/2 + t/2
void rule_interface(Session& session, const Step& step) {
  const ErasureClaim claim = erasure_claim(session, step, "interface");
  if (!step.premises.empty() || step.words.size() != 3) {
    refuse(step, "expected INTERFACE : units n1 n0");
  }
  const ErasedRows rows(session, step, claim);
  const Fraction alpha = statistical_alpha(session, step, claim, rows);
  const Fraction most = positive_term(step, claim, "at-most");
  const std::size_t m = parse_nat(claim.at("symbols"));
  const std::size_t label = parse_nat_below(claim.at("label"), rows.k, "a label");
  if (m < 2 || m > kMaxSymbols) {
    refuse(step, "expected 2 to 1000000 symbols");
  }
  const std::vector<std::int64_t> symbol = rows.whole("symbol");
  const auto units = units_of(rows, step, claim);
  std::vector<std::int64_t> with(m), without(m);
  std::int64_t n1 = 0, n0 = 0;
  for (const std::int64_t s : symbol) {
    if (s < 0 || s >= static_cast<std::int64_t>(m)) {
      refuse(step, "a symbol is not below the number of symbols");
    }
  }
  for (const std::size_t row : drawn_rows(units)) {
    const bool one = rows.label(row, label) != 0;
    (one ? n1 : n0) += 1;
    (one ? with : without)[static_cast<std::size_t>(symbol[row])] += 1;
  }
  if (n1 == 0 || n0 == 0 || parse_nat(step.words[0]) != units.size() ||
      parse_nat(step.words[1]) != static_cast<std::size_t>(n1) ||
      parse_nat(step.words[2]) != static_cast<std::size_t>(n0)) {
    refuse(step, "a class is empty, or the counts are not " + std::to_string(units.size()) + " " +
                     std::to_string(n1) + " " + std::to_string(n0));
  }
  std::int64_t apart = 0;  // below 2 n1 n0 <= 10^14 / 2
  for (std::size_t s = 0; s < m; ++s) {
    apart += std::abs(with[s] * n0 - without[s] * n1);
  }
  const Interval l = log_of(alpha, 2);
  const Interval seen =
      Interval(static_cast<double>(apart)) / (Interval(2) * Interval(static_cast<double>(n1 * n0)));
  const Interval room = (distance(m, static_cast<std::size_t>(n1), l) +
                         distance(m, static_cast<std::size_t>(n0), l)) /
                        Interval(2);
  if (!((seen + room).hi() <= most.interval().lo())) {
    refuse(step, "the distance is not shown to be at most that of the statement");
  }
  session.conclusions.push_back(
      {step.id, "STATISTICAL",
       "of one symbol out of " + std::to_string(m) + " the laws with and without label " +
           claim.at("label") + " are within " + most.text() +
           " in total variation, so that no function of that one symbol, of any kind, has a "
           "balanced "
           "accuracy above 1/2 + " +
           most.text() + "/2, with probability at least 1 - " + alpha.text() +
           " over the draw of the " + drawn_units(units.size(), rows.has("document")) +
           (rows.has("document") ? ", and of a row of each, " : ", ") + rows.named() +
           "; nothing is said of several symbols together" + rows.tail(session)});
}

}  // namespace assay_check
