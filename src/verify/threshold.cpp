#include "assay/verify/threshold.hpp"

#include <numeric>

#include "assay/base/errors.hpp"
#include "assay/base/progress.hpp"

namespace assay::verify {
namespace {

constexpr std::int64_t kMaxPoints = 1'000'000;
constexpr std::int64_t kMaxPart = 1'000'000'000;  ///< of a fraction, so that products fit

/// from, from + resolution, …, to.
class Grid {
 public:
  explicit Grid(const ThresholdInput& input)
      : from_(input.from), to_(input.to), step_(input.resolution) {
    for (const Rational& r : {from_, to_, step_}) {
      if (r.num <= 0 || r.num > kMaxPart || r.den > kMaxPart) {
        throw UsageError(
            "threshold: --from, --to and --resolution: expected fractions above 0 with at most 9 "
            "digits, found " +
            r.text());
      }
    }
    if (to_.num > to_.den || !(value(from_) < value(to_))) {
      throw UsageError("threshold: expected 0 < --from < --to <= 1, found " + from_.text() +
                       " and " + to_.text());
    }
    while (last_ <= kMaxPoints && value(at_step(last_)) < value(to_)) {
      ++last_;
    }
    if (last_ > kMaxPoints) {
      throw UsageError("threshold: --resolution: expected at most 1000000 points, found more");
    }
  }
  [[nodiscard]] std::int64_t last() const { return last_; }
  [[nodiscard]] Rational at(std::int64_t i) const { return i == last_ ? to_ : at_step(i); }

 private:
  static long double value(const Rational& r) {
    return static_cast<long double>(r.num) / static_cast<long double>(r.den);
  }
  [[nodiscard]] Rational at_step(std::int64_t i) const {
    const std::int64_t common = std::lcm(from_.den, step_.den);
    if (common > kMaxPart * 1000) {
      throw UsageError(
          "threshold: --from and --resolution: expected denominators with a smaller common "
          "multiple");
    }
    const std::int64_t num =
        from_.num * (common / from_.den) + i * step_.num * (common / step_.den);
    const std::int64_t g = std::gcd(num, common);
    return {num / g, common / g};
  }

  Rational from_, to_, step_;
  std::int64_t last_ = 0;
};

}  // namespace

ExitCode Threshold::code() const {
  if (holds && !interrupted) {
    return ExitCode::ok;
  }
  const bool violated =
      !holds && below && std::holds_alternative<ExactViolated>(below->property().verdict);
  return violated ? ExitCode::violated : ExitCode::unknown;
}

Threshold find_threshold(const ThresholdInput& input, const ThresholdEngine& decide) {
  if (input.exact.emission.kind() != automata::Emission::Kind::min_p) {
    throw UsageError("threshold: expected a min-p decoder, found " + input.exact.emission.text());
  }
  require(input.exact.subject.properties.size() == 1, "find_threshold: one property");
  const Grid grid(input);
  Threshold out;
  const auto holds_at = [&](std::int64_t i) {
    ExactInput at = input.exact;
    at.emission = at.emission.at_min_p(grid.at(i));
    ThresholdPoint point{grid.at(i), decide(at)};
    out.tried.emplace_back(point.min_p, point.property().verdict_name());
    say("min-p " + point.min_p.text() + ": " + point.property().verdict_name());
    const bool holds = point.holds();
    (holds ? out.holds : out.below) = std::move(point);
    return holds;
  };
  if (!holds_at(grid.last())) {
    out.interrupted = interrupted();
    return out;
  }
  if (interrupted() || holds_at(0)) {
    out.interrupted = interrupted();
    return out;
  }
  std::int64_t below = 0, above = grid.last();  // INV: not HOLDS at below, HOLDS at above
  while (above - below > 1 && !interrupted()) {
    const std::int64_t middle = below + (above - below) / 2;
    (holds_at(middle) ? above : below) = middle;
  }
  out.interrupted = above - below > 1;
  return out;
}

}  // namespace assay::verify
