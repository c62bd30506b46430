#include "max_of_k_count.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace assay::bench {

std::string decimal(Wide n) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(n % 10)));
    n /= 10;
  } while (n != 0);
  return digits;
}

Wide power(Wide base, std::size_t exponent) {
  Wide all = 1;
  for (std::size_t i = 0; i < exponent; ++i) {
    all *= base;
  }
  return all;
}

namespace {

using Steps = std::int64_t;
constexpr double kMostSteps = 0x1p24;  // a sum of 2^32 of them is exact

/// One free position: how many tokens below m take each number of steps, and what m takes.
struct Position {
  std::map<Steps, Wide> below;
  Steps of_max = 0, most = 0, least = 0;
};

/// Partial sums first … last; [0]: m has not been drawn yet, [1]: it has.
struct Sums {
  Steps first = 0, last = 0;
  std::vector<Wide> count[2];
};

class Grid {
 public:
  Grid(const FreeTokens& free, std::size_t bins, Cost& cost)
      : m_(free.g.size() - 1), has_max_(free.has_max), cost_(cost) {
    const double most = std::max(0.0, *std::max_element(free.g.begin(), free.g.end()));
    double spread = std::fabs(free.start) + free.room;
    for (const double a : free.a) {
      spread += a * most;
    }
    step_ = std::exp2(std::ceil(std::log2(spread / static_cast<double>(bins))));
    // Down, never clipped: |start| / step <= bins, and room is far below it or nothing is proved.
    limit_ = static_cast<Steps>(std::ceil((-free.room - free.start) / step_)) - 1;
    for (const double a : free.a) {
      place(a, free.g);
    }
  }

  Wide count() {
    Sums sums;
    sums.count[has_max_ ? 0 : 1] = {0};
    sums.count[has_max_ ? 1 : 0] = {1};
    for (std::size_t p = 0; p < positions_.size(); ++p) {
      sums = extend(sums, p);
    }
    return good_;
  }

 private:
  /// Up, and clipped: a number that is raised only loses contexts.
  static Steps steps(double x) {
    return static_cast<Steps>(std::ceil(std::clamp(x, -kMostSteps, kMostSteps)));
  }

  void place(double a, const std::vector<double>& g) {
    Position position;
    for (std::size_t u = 0; u <= m_; ++u) {
      const Steps n = steps(a * g[u] / step_);
      position.most = u == 0 ? n : std::max(position.most, n);
      position.least = u == 0 ? n : std::min(position.least, n);
      if (u == m_) {
        position.of_max = n;
      } else {
        ++position.below[n];
      }
    }
    cost_.multiply_adds += 2 * g.size();
    positions_.push_back(std::move(position));
  }

  Sums extend(const Sums& from, std::size_t p) {
    Steps most = 0, least = 0;  // of the positions that follow
    for (std::size_t i = p + 1; i < positions_.size(); ++i) {
      most += positions_[i].most;
      least += positions_[i].least;
    }
    const std::size_t rest = positions_.size() - p - 1;
    const Wide any = power(m_ + 1, rest);
    const Wide completions[2] = {any - power(m_, rest), any};
    // Above the last sum nothing completes to limit_ or below, or nothing gets there.
    Sums to;
    to.first = limit_ - most + 1;
    to.last = std::min(limit_ - least, from.last + positions_[p].most);
    for (std::vector<Wide>& c : to.count) {
      c.assign(static_cast<std::size_t>(std::max<Steps>(to.last - to.first + 1, 0)), 0);
    }
    const auto add = [&](std::size_t drawn, Steps sum, Wide n) {
      ++cost_.multiply_adds;
      if (sum < to.first) {
        good_ += n * completions[drawn];
      } else if (sum <= to.last) {
        to.count[drawn][static_cast<std::size_t>(sum - to.first)] += n;
      }
    };
    const Position& position = positions_[p];
    for (std::size_t drawn = 0; drawn < 2; ++drawn) {
      for (std::size_t i = 0; i < from.count[drawn].size(); ++i) {
        const Wide n = from.count[drawn][i];
        if (n == 0) {
          continue;
        }
        const Steps sum = from.first + static_cast<Steps>(i);
        add(1, sum + position.of_max, n);
        for (const auto& [s, tokens] : position.below) {
          add(drawn, sum + s, n * tokens);
        }
      }
    }
    return to;
  }

  std::size_t m_;
  bool has_max_;
  Cost& cost_;
  double step_ = 1;
  Steps limit_ = 0;
  std::vector<Position> positions_;
  Wide good_ = 0;
};

}  // namespace

Wide count_below(const FreeTokens& free, std::size_t bins, Cost& cost) {
  return Grid(free, bins, cost).count();
}

}  // namespace assay::bench
