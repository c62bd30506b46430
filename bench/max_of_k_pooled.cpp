#include "max_of_k_pooled.hpp"

#include <algorithm>
#include <optional>

namespace assay::bench {

using namespace bounds;

namespace {

/// Largest entries of a row over one pool of outputs, so that any one output can be left out.
struct Top {
  double first = -INFINITY, second = -INFINITY;
  std::uint32_t output = 0;

  [[nodiscard]] double without(std::size_t m) const { return output == m ? second : first; }
};

struct Pool {
  std::size_t begin = 0, end = 0;
  std::size_t low = 0, high = 0;  ///< the halves; 0: none
  std::vector<Top> V, D, P;       ///< a row of the table each
};

class Pools {
 public:
  Pools(const Tables& t, std::size_t depth) : t_(t) { add(0, t.v, depth); }

  [[nodiscard]] const Pool& operator[](std::size_t i) const { return all_[i]; }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  std::uint64_t comparisons = 0;

 private:
  std::size_t add(std::size_t begin, std::size_t end, std::size_t depth) {
    const std::size_t i = all_.size();
    all_.emplace_back();
    Pool pool{begin, end, 0, 0, {}, {}, {}};
    if (end - begin > 1 && depth > 0) {
      const std::size_t middle = begin + (end - begin) / 2;
      pool.low = add(begin, middle, depth - 1);
      pool.high = add(middle, end, depth - 1);
    }
    pool.V = tops(t_.V, pool, &Pool::V);
    pool.D = tops(t_.D, pool, &Pool::D);
    pool.P = tops(t_.P, pool, &Pool::P);
    all_[i] = std::move(pool);
    return i;
  }

  std::vector<Top> tops(const Rows& table, const Pool& pool, std::vector<Top> Pool::*member) {
    std::vector<Top> out(static_cast<std::size_t>(table.rows()));
    for (std::size_t row = 0; row < out.size(); ++row) {
      if (pool.low != 0) {
        out[row] = merge((all_[pool.low].*member)[row], (all_[pool.high].*member)[row]);
        continue;
      }
      for (std::size_t r = pool.begin; r < pool.end; ++r) {
        out[row] = merge(out[row],
                         {table(index(row), index(r)), -INFINITY, static_cast<std::uint32_t>(r)});
      }
    }
    return out;
  }

  Top merge(const Top& x, const Top& y) {
    comparisons += 2;
    const Top& high = x.first >= y.first ? x : y;
    const Top& low = x.first >= y.first ? y : x;
    return {high.first, std::max(high.second, low.first), high.output};
  }

  const Tables& t_;
  std::vector<Pool> all_;
};

class Certifier {
 public:
  Certifier(const Tables& tables, const PooledOptions& options)
      : t_(tables), options_(options), pools_(tables, options.depth) {
    out_.cost = t_.cost;
    out_.cost.comparisons += pools_.comparisons;
    const std::size_t before = t_.K - 1;
    for (std::size_t q = 0; q < t_.v; ++q) {
      std::vector<double> a(before);
      for (std::size_t p = 0; p < before; ++p) {
        a[p] = t_.a(index(q), index(p));
      }
      std::sort(a.begin(), a.end());
      std::vector<double> smallest(before + 1, 0), largest(before + 1, 0);
      for (std::size_t c = 0; c < before; ++c) {
        smallest[c + 1] = smallest[c] + a[c];
        largest[c + 1] = largest[c] + a[before - 1 - c];
      }
      out_.cost.multiply_adds += 2 * before;
      sorted_.push_back(std::move(a));
      smallest_.push_back(std::move(smallest));
      largest_.push_back(std::move(largest));
    }
  }

  Certified run() {
    for (m_ = 0; m_ < t_.v; ++m_) {
      ahead_.assign(pools_.size(), std::nullopt);
      for (q_ = 0; q_ <= m_; ++q_) {
        room_ = t_.room * t_.b.row(index(q_)).head(index(m_ + 1)).maxCoeff();
        ++out_.cost.multiply_adds;
        out_.cost.comparisons += m_;
        pair();
      }
    }
    return out_;
  }

 private:
  /// What a pool needs of the maximum alone, the same for every query.
  struct Ahead {
    std::vector<double> value;  ///< max_R V(u,.) - V(u,m), u = 0 … m
    double place = 0;           ///< max_p (max_R P(p,.) - P(p,m))
  };

  const Ahead& ahead(std::size_t i) {
    if (!ahead_[i]) {
      Ahead made;
      for (std::size_t u = 0; u <= m_; ++u) {
        made.value.push_back(pools_[i].V[u].without(m_) - t_.V(index(u), index(m_)));
      }
      made.place = -INFINITY;
      for (std::size_t p = 0; p < t_.K; ++p) {
        made.place = std::max(made.place, pools_[i].P[p].without(m_) - t_.P(index(p), index(m_)));
      }
      out_.cost.multiply_adds += made.value.size() + t_.K;
      out_.cost.comparisons += t_.K;
      ahead_[i] = std::move(made);
    }
    return *ahead_[i];
  }

  /// Inputs of the pair with c copies of the maximum before the query.
  [[nodiscard]] Wide inputs(std::size_t c) const {
    Wide n = power(m_, t_.K - 1 - c);
    for (std::size_t i = 0; i < c; ++i) {
      n = n * (t_.K - 1 - i) / (i + 1);  // times a binomial coefficient, exact at every step
    }
    return n;
  }

  void pair() {
    std::vector<std::size_t> copies;
    Wide all = 0;
    for (std::size_t c = q_ == m_ ? 0 : 1; c < t_.K; ++c) {
      if (inputs(c) != 0) {
        copies.push_back(c);
        all += inputs(c);
      }
    }
    open_.clear();
    hardest_.clear();
    test(0, copies);
    Wide proved = all;
    for (const std::size_t c : open_) {
      proved -= inputs(c);
    }
    if (!open_.empty() && options_.bins > 0) {
      proved = std::max(proved, counted());
    }
    out_.all += all;
    out_.certified += proved;
  }

  void test(std::size_t i, const std::vector<std::size_t>& copies) {
    const Pool& pool = pools_[i];
    if (pool.begin == m_ && pool.end == m_ + 1) {
      return;  // no rival
    }
    ++out_.pools;
    const Ahead& fixed = ahead(i);
    const double rest = pool.D[q_].without(m_) - t_.D(index(q_), index(m_)) + fixed.place;
    std::vector<double> g(m_ + 1);
    for (std::size_t u = 0; u <= m_; ++u) {
      g[u] = t_.b(index(q_), index(u)) * (fixed.value[u] + rest);
    }
    double other = m_ == 0 ? 0 : g[0];
    for (std::size_t u = 1; u < m_; ++u) {
      other = std::max(other, g[u]);
    }
    const std::vector<double>& s = g[m_] > other ? largest_[q_] : smallest_[q_];
    const double own = t_.a(index(q_), index(t_.K - 1)) * g[q_];
    std::vector<std::size_t> failed;
    for (const std::size_t c : copies) {
      if (!(own + s[c] * g[m_] + (smallest_[q_].back() - s[c]) * other < -room_)) {
        failed.push_back(c);
      }
    }
    out_.cost.multiply_adds += 2 * (m_ + 1) + 3 + 3 * copies.size();
    out_.cost.comparisons += m_ + copies.size();
    if (failed.empty()) {
      return;
    }
    if (pool.low != 0) {
      test(pool.low, failed);
      test(pool.high, failed);
      return;
    }
    leave_open(g, failed);
  }

  void leave_open(const std::vector<double>& g, const std::vector<std::size_t>& failed) {
    std::vector<std::size_t> open;
    std::set_union(open_.begin(), open_.end(), failed.begin(), failed.end(),
                   std::back_inserter(open));
    open_ = std::move(open);
    if (hardest_.empty()) {
      hardest_ = g;
    }
    for (std::size_t u = 0; u <= m_; ++u) {
      hardest_[u] = std::max(hardest_[u], g[u]);
    }
    out_.cost.comparisons += g.size();
  }

  [[nodiscard]] Wide counted() {
    FreeTokens free;
    free.a = sorted_[q_];
    free.g = hardest_;
    free.has_max = q_ == m_;
    free.start = t_.a(index(q_), index(t_.K - 1)) * hardest_[q_];
    free.room = room_;
    ++out_.cost.multiply_adds;
    return count_below(free, options_.bins, out_.cost);
  }

  const Tables& t_;
  PooledOptions options_;
  Pools pools_;
  Certified out_;
  std::vector<std::vector<double>> sorted_, smallest_, largest_;  ///< [v], of a(q, p < K)
  std::size_t q_ = 0, m_ = 0;
  double room_ = 0;
  std::vector<std::optional<Ahead>> ahead_;
  std::vector<std::size_t> open_;  ///< copies not proved for some rival
  std::vector<double> hardest_;    ///< the failing rivals' largest g
};

}  // namespace

Certified certify_pooled(const Tables& tables, const PooledOptions& options) {
  return Certifier(tables, options).run();
}

}  // namespace assay::bench
