#include "max_of_k_each.hpp"

#include <algorithm>
#include <cmath>

#include "../src/bounds/ready_case.hpp"
#include "assay/bounds/mlp_fold.hpp"

namespace assay::bench {

using namespace bounds;

namespace {

class EachRival {
 public:
  EachRival(const Network& net, const Places& places, std::size_t nodes)
      : net_(net), places_(places), nodes_(nodes) {
    const Ball W_U{net.W_U, Rows::Zero(net.W_U.rows(), net.W_U.cols())};
    along_ = product(places.values(0), product(net.W_O[0], W_U));
    count.cost.multiply_adds += places.rows() * net.d_head * net.vocab;
  }

  /// Every input of length K whose query is q and whose maximum is m.
  void pair(std::size_t q, std::size_t m, std::size_t K,
            const std::shared_ptr<const QueryWeights>& weights) {
    std::vector<double> logit(net_.vocab);
    rivals_.clear();
    base_.clear();
    for (std::size_t y = 0; y < net_.vocab; ++y) {
      if (y == m) {
        continue;
      }
      rivals_.push_back(y);
      Interval base = Interval(net_.b_U(index(y))) - Interval(net_.b_U(index(m)));
      for (std::size_t i = 0; i < net_.d; ++i) {
        base += weights->base[i] *
                (Interval(net_.W_U(index(i), index(y))) - Interval(net_.W_U(index(i), index(m))));
      }
      base_.push_back(base.hi);
      count.cost.multiply_adds += net_.d;
    }
    make_nu(m);
    budget_ = nodes_;
    const std::size_t first_end = q == m ? 1 : K;
    for (std::size_t first = q == m ? 0 : 1; first < first_end; ++first) {
      // back index `first` (0: the query) holds the earliest m; positions further back are < m.
      if (q != m && m == 0) {
        continue;
      }
      Box box{K, K, {}};
      for (std::size_t j = 0; j < K; ++j) {
        TokenSet set;
        const bool is_query = j == 0;
        const bool is_max = q != m && j == first;
        const std::size_t end = q != m && j > first ? m : m + 1;
        for (std::size_t t = 0; t < end; ++t) {
          if ((!is_query && !is_max) || (is_query && t == q) || (is_max && t == m)) {
            set.emplace_back(t);
          }
        }
        box.back.push_back(std::make_shared<const TokenSet>(set));
      }
      if (std::all_of(box.back.begin(), box.back.end(),
                      [](const SetRef& s) { return !s->empty(); })) {
        std::vector<std::size_t> open(rivals_.size());
        for (std::size_t i = 0; i < open.size(); ++i) {
          open[i] = i;
        }
        count.all += size(box);
        certify(weights, box, open);
      }
    }
  }

  Certified count;

 private:
  static Wide size(const Box& box) {
    Wide n = 1;
    for (const SetRef& set : box.back) {
      n *= set->size();
    }
    return n;
  }

  void make_nu(std::size_t m) {
    nu_.clear();
    for (const std::size_t y : rivals_) {
      Ball nu{along_.mid.col(index(y)) - along_.mid.col(index(m)),
              along_.radius.col(index(y)) + along_.radius.col(index(m))};
      nu.radius += 0x1p-51 * (nu.mid.cwiseAbs() + nu.radius);
      nu_.push_back(std::move(nu));
    }
  }

  void certify(const std::shared_ptr<const QueryWeights>& weights, const Box& box,
               const std::vector<std::size_t>& open) {
    const ReadyCase ready(weights, box);
    ++count.pools;
    std::vector<std::size_t> failed;
    for (const std::size_t i : open) {
      // l_y - l_m = base + mean <= base + L < 0
      const double L = round_down(-base_[i]);
      for (std::size_t j = 0; j < box.back.size(); ++j) {
        count.cost.multiply_adds += box.back[j]->size();
      }
      if (!ready.holds(0, nu_[i].mid.data(), nu_[i].radius.data(), L)) {
        failed.push_back(i);
      }
    }
    if (failed.empty()) {
      count.certified += size(box);
      return;
    }
    if (budget_ == 0 || size(box) == 1) {
      return;
    }
    --budget_;
    const auto [slot, order] = choose(ready, box, failed);
    for (const bool upper : {false, true}) {
      TokenSet set;
      const std::size_t half = order.size() / 2;
      for (std::size_t e = 0; e < order.size(); ++e) {
        if ((e >= half) == upper) {
          set.push_back((*box.back[slot])[order[e]]);
        }
      }
      std::sort(set.begin(), set.end());
      Box part = box;
      part.back[slot] = std::make_shared<const TokenSet>(set);
      certify(weights, part, failed);
    }
  }

  /// The slot whose choice moves the worst rival most, its entries by rising effect.
  std::pair<std::size_t, std::vector<std::size_t>> choose(const ReadyCase& ready, const Box& box,
                                                          const std::vector<std::size_t>& failed) {
    const std::size_t i = failed.front();
    std::size_t slot = 0;
    double widest = -1;
    std::vector<std::size_t> best;
    for (std::size_t j = 1; j < box.back.size(); ++j) {
      const ReadyCase::Group& group = ready.group(j);
      if (group.rows.size() < 2) {
        continue;
      }
      std::vector<double> gain;
      for (std::size_t e = 0; e < group.rows.size(); ++e) {
        gain.push_back(ready.slot_factor(j, 0) * group.mid[0][e] *
                       (nu_[i].mid(group.rows[e], 0) + base_[i]));
      }
      const auto [lo, hi] = std::minmax_element(gain.begin(), gain.end());
      if (*hi - *lo > widest) {
        widest = *hi - *lo;
        slot = j;
        best.resize(gain.size());
        for (std::size_t e = 0; e < gain.size(); ++e) {
          best[e] = e;
        }
        std::stable_sort(best.begin(), best.end(),
                         [&](std::size_t a, std::size_t b) { return gain[a] < gain[b]; });
      }
    }
    return {slot, best};
  }

  const Network& net_;
  const Places& places_;
  std::size_t nodes_, budget_ = 0;
  Ball along_;
  std::vector<std::size_t> rivals_;
  std::vector<double> base_;
  std::vector<Ball> nu_;
};

}  // namespace

Certified certify_each(const Network& net, std::size_t K, std::size_t nodes) {
  std::vector<std::uint32_t> any;
  for (std::uint32_t u = 0; u < net.vocab; ++u) {
    any.push_back(u);
  }
  const Places places(net, fixed_domain(std::vector(K, any)));
  EachRival certifier(net, places, nodes);
  for (std::size_t q = 0; q < net.vocab; ++q) {
    const auto weights = std::make_shared<const QueryWeights>(places, TokenId(q), K);
    certifier.count.cost.multiply_adds += K * net.vocab * net.d_head;
    for (std::size_t m = q; m < net.vocab; ++m) {
      certifier.pair(q, m, K, weights);
    }
  }
  return certifier.count;
}

}  // namespace assay::bench
