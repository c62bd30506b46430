// Certified accuracy of an attention-only max-of-K model, over all V^K inputs.
//   bench_max_of_k MODEL [K [NODES]]
// Input: K tokens; the model's answer is read at the last position and is right when the logit of
// the largest token is strictly the largest. Inputs are counted exactly, case by case: query q,
// maximum m, first position of m; a case is counted when for every rival y the outward-rounded
// check F(L) <= 0 of ATTN-MAX shows l_y - l_m < 0 over all its inputs, and is halved otherwise,
// NODES times at most for each (q, m).
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "../src/bounds/ready_case.hpp"
#include "assay/bounds/mlp_fold.hpp"

using namespace assay;
using namespace assay::bounds;

namespace {

__extension__ using Wide = unsigned __int128;  // 64^20 fits

std::string decimal(Wide n) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(n % 10)));
    n /= 10;
  } while (n != 0);
  return digits;
}

struct Count {
  Wide certified = 0, all = 0;
  std::uint64_t cases = 0, multiply_adds = 0;
};

class Certifier {
 public:
  Certifier(const Network& net, const Places& places, std::size_t nodes)
      : net_(net), places_(places), nodes_(nodes) {
    const Ball W_U{net.W_U, Rows::Zero(net.W_U.rows(), net.W_U.cols())};
    along_ = product(places.values(0), product(net.W_O[0], W_U));
    count.multiply_adds += places.rows() * net.d_head * net.vocab;
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
      count.multiply_adds += net_.d;
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

  Count count;

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
    ++count.cases;
    std::vector<std::size_t> failed;
    for (const std::size_t i : open) {
      // l_y - l_m = base + mean <= base + L < 0
      const double L = round_down(-base_[i]);
      for (std::size_t j = 0; j < box.back.size(); ++j) {
        count.multiply_adds += box.back[j]->size();
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

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_max_of_k MODEL [K [NODES]]\n");
    return 2;
  }
  const Transformer model = load_transformer(argv[1]);
  const std::size_t K = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 4;
  const std::size_t nodes = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1024;
  if (!model.config.attn_only || model.config.n_heads != 1 || model.config.norm != NormKind::none) {
    std::fprintf(stderr, "bench_max_of_k: one head, attention only, no normalisation\n");
    return 2;
  }
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::uint32_t> any;
  for (std::uint32_t u = 0; u < model.config.d_vocab; ++u) {
    any.push_back(u);
  }
  const Network net(model);
  const Places places(net, fixed_domain(std::vector(K, any)));
  Certifier certifier(net, places, nodes);
  for (std::size_t q = 0; q < net.vocab; ++q) {
    const auto weights = std::make_shared<const QueryWeights>(places, TokenId(q), K);
    certifier.count.multiply_adds += K * net.vocab * net.d_head;
    for (std::size_t m = q; m < net.vocab; ++m) {
      certifier.pair(q, m, K, weights);
    }
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  const Count& c = certifier.count;
  const auto v = static_cast<double>(net.vocab);
  std::printf(
      "inputs %s certified %s accuracy >= %.6f cases %llu multiply-adds %.3g "
      "(v^3 K^2 = %.3g, v^(K+1) K d = %.3g) seconds %.2f\n",
      decimal(c.all).c_str(), decimal(c.certified).c_str(),
      static_cast<double>(c.certified) / static_cast<double>(c.all),
      static_cast<unsigned long long>(c.cases), static_cast<double>(c.multiply_adds),
      v * v * v * static_cast<double>(K * K),
      std::pow(v, static_cast<double>(K + 1)) * static_cast<double>(K * net.d), spent.count());
  return 0;
}
