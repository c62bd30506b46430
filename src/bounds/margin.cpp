#include "margin.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>
#include <utility>

#include "assay/base/progress.hpp"

namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

class MarginSearch {
 public:
  MarginSearch(DomainWork& work, std::uint32_t token, const BoundOptions& options)
      : work_(work),
        options_(options),
        progress_(std::exchange(options_.progress, nullptr)),
        token_(token),
        hi_(tokens()),
        lo_(tokens()),
        start_(std::chrono::steady_clock::now()) {}

  MarginBound run() {
    result_.exhausted = true;
    for (std::uint32_t y = 0; y < tokens(); ++y) {
      if (y != token_) {
        hi_[y] = branch(target(y), 1);
        lo_[y] = branch(negated(target(y)), 1);
      }
      report(y);
    }
    const std::uint32_t best = refine_hi();
    refine_lo();
    finish(best);
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::size_t tokens() const {
    return static_cast<std::size_t>(work_.places().net().b_U.cols());
  }

  /// l_A - l_y
  [[nodiscard]] Target target(std::uint32_t y) const {
    Quantity q;
    q.kind = QuantityKind::logit_difference;
    q.index = token_;
    q.other = y;
    return make_target(work_.places().net(), nullptr, q);
  }

  BranchResult branch(const Target& target, std::size_t budget) {
    BranchResult r = bounds::branch(work_, target, options_, budget);
    result_.nodes += r.nodes;
    result_.stopped = result_.stopped || r.stopped;
    result_.contexts.push_back(r.context);
    if (!r.before_text.empty()) {
      result_.contexts.push_back(r.before_text);
    }
    return r;
  }

  /// The same with the whole budget of one side.
  void refine(BranchResult& r, const Target& target) {
    BranchResult fine = branch(target, std::max<std::size_t>(1, options_.nodes / 2));
    result_.exhausted = result_.exhausted && (fine.closed || fine.exhausted);
    if (fine.hi <= r.hi) {
      r = std::move(fine);
    }
  }

  bool is_stopped() {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    const bool late = interrupted() || (options_.seconds > 0 && spent.count() > options_.seconds);
    result_.stopped = result_.stopped || late;
    return late;
  }

  void report(std::size_t done) const {
    if (progress_) {
      progress_(done, 3 * tokens());
    }
  }

  [[nodiscard]] std::vector<std::uint32_t> rivals() const {
    std::vector<std::uint32_t> all(tokens());
    std::iota(all.begin(), all.end(), 0U);
    all.erase(all.begin() + token_);
    return all;
  }

  /// min over y of hi_y. A rival whose lead is known to reach `least` somewhere cannot lower it.
  std::uint32_t refine_hi() {
    std::vector<std::uint32_t> order = rivals();
    const auto by_hi = [&](std::uint32_t a, std::uint32_t b) { return hi_[a].hi < hi_[b].hi; };
    std::uint32_t best = *std::min_element(order.begin(), order.end(), by_hi);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return hi_[a].attained < hi_[b].attained;
    });
    for (std::size_t i = 0; i < order.size(); ++i) {
      report(tokens() + i);
      const std::uint32_t y = order[i];
      if (hi_[y].attained >= hi_[best].hi || is_stopped()) {
        break;
      }
      if (!hi_[y].closed) {
        refine(hi_[y], target(y));
      }
      best = hi_[y].hi < hi_[best].hi ? y : best;
    }
    return best;
  }

  /// max over y of lo_y. A rival whose first bound is below a refined one does not matter.
  void refine_lo() {
    std::vector<std::uint32_t> order = rivals();
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return lo_[a].hi > lo_[b].hi; });
    double most = -kInf;
    for (std::size_t i = 0; i < order.size(); ++i) {
      report(2 * tokens() + i);
      const std::uint32_t y = order[i];
      if (lo_[y].hi <= most || is_stopped()) {
        break;
      }
      if (!lo_[y].closed) {
        refine(lo_[y], negated(target(y)));
      }
      most = std::max(most, lo_[y].hi);
    }
  }

  void finish(std::uint32_t best) {
    result_.rival = best;
    result_.hi_value = hi_[best].hi;
    result_.hi = std::move(hi_[best]);
    double most = -kInf;
    for (const std::uint32_t y : rivals()) {
      most = std::max(most, lo_[y].hi);
    }
    result_.lo_value = -most;
    result_.lo = std::move(lo_);
  }

  DomainWork& work_;
  BoundOptions options_;
  std::function<void(std::size_t done, std::size_t budget)> progress_;
  std::uint32_t token_;
  std::vector<BranchResult> hi_, lo_;
  std::chrono::steady_clock::time_point start_;
  MarginBound result_;
};

}  // namespace

MarginBound bound_margin(DomainWork& work, std::uint32_t token, const BoundOptions& options) {
  return MarginSearch(work, token, options).run();
}

}  // namespace assay::bounds
