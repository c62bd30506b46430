#include "ready_case.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "assay/base/errors.hpp"
#include "assay/num/trigonometry.hpp"
#include "weighted_sum.hpp"

namespace assay::bounds {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kGrid = 0x1p-30;  // L is a multiple of it, so that certificates stay short

double middle(Interval i) {
  return i.lo + (i.hi - i.lo) / 2;
}

/// R_j q: the query turned by the angle of j positions (docs/certificate-format.md).
Ball turned(const Network& net, const Ball& q, std::size_t j) {
  if (!net.rotary) {
    return q;
  }
  const auto& c = net.model->config;
  const std::size_t half = c.rotary_dim / 2;
  const Interval log_base = log(Interval(round_down(c.rotary_base), round_up(c.rotary_base)));
  std::vector<Interval> out(net.d_head);
  for (std::size_t i = 0; i < net.d_head; ++i) {
    out[i] = q.at(0, index(i));
  }
  for (std::size_t i = 0; i < half; ++i) {
    const Interval share = Interval(static_cast<double>(i)) / Interval(static_cast<double>(half));
    const Interval angle = Interval(static_cast<double>(j)) * exp(-(share * log_base));
    const Interval a = out[i];
    const Interval b = out[i + half];
    out[i] = a * cos(angle) - b * sin(angle);
    out[i + half] = b * cos(angle) + a * sin(angle);
  }
  return to_ball(out);
}

/// Scores of some rows for one (turned) query, without the relative bias.
std::vector<Interval> scores(const Places& places, std::size_t head, const Ball& q,
                             const std::vector<std::uint32_t>& rows) {
  const Ball& all = places.keys(head);
  Ball k{Rows(all.mid.cols(), index(rows.size())), Rows(all.mid.cols(), index(rows.size()))};
  for (std::size_t r = 0; r < rows.size(); ++r) {
    k.mid.col(index(r)) = all.mid.row(rows[r]).transpose();
    k.radius.col(index(r)) = all.radius.row(rows[r]).transpose();
  }
  const Ball s = product(q, k);
  std::vector<Interval> out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out.push_back(s.at(0, index(r)) / places.net().scale);
  }
  return out;
}

}  // namespace

std::uint64_t Box::contexts(const Network& net) const {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62U;
  std::uint64_t total = 0;
  std::uint64_t running = 1;
  for (std::size_t n = 1; n <= max_length; ++n) {
    const std::size_t keys = net.keys(n);
    if (keys == n) {
      const std::uint64_t choices = back[n - 1]->size();
      running = running > kMost / choices ? kMost : running * choices;
    } else if (!net.absolute && n > min_length) {
      break;  // the same keys again: not read apart
    }
    total = n >= min_length ? std::min(kMost, total + running) : total;
  }
  return total;
}

Box root_box(const Network& net, const Domain& domain) {
  Box box{domain.min_length, domain.max_length, {}};
  const auto rest = std::make_shared<const TokenSet>(domain.rest);
  for (std::size_t j = 0; j < net.keys(domain.max_length); ++j) {
    box.back.push_back(j < domain.last.size() ? std::make_shared<const TokenSet>(domain.back(j))
                                              : rest);
  }
  return box;
}

QueryWeights::QueryWeights(const Places& where, TokenId c, std::size_t n)
    : places(&where), token(c), length(where.net().absolute ? n : 0) {
  const Network& net = where.net();
  const Domain& domain = where.domain();
  const std::size_t longest = net.absolute ? n : domain.max_length;
  const std::size_t slots = net.keys(longest);
  const std::size_t position = net.absolute ? n - 1 : 0;
  const Ball x = net.embed({c}, position);
  for (std::size_t i = 0; i < net.d; ++i) {
    const Interval b(net.b_O(index(i)));
    base.push_back((x.radius(0, index(i)) == 0 ? Interval(x.mid(0, index(i))) : x.at(0, index(i))) +
                   b);
  }
  const bool shared = !net.absolute && !net.rotary;
  for (std::size_t j = 0; j < (shared ? 1 : slots); ++j) {
    Pool pool;
    const auto add = [&](TokenId t) {
      const std::uint32_t row = where.row(net.absolute ? n - 1 - j : 0, t);
      if (row != Places::kNone) {
        pool.rows.push_back(row);
        pool.tokens.push_back(t);
      }
    };
    if (shared) {
      for (std::size_t u = 0; u < net.vocab; ++u) {
        add(TokenId(u));
      }
    } else {
      std::for_each(domain.back(j).begin(), domain.back(j).end(), add);
    }
    pools.push_back(std::move(pool));
  }
  factor.assign(slots, std::vector<Interval>(net.heads, Interval(1.0)));
  for (std::size_t h = 0; h < net.heads; ++h) {
    const Ball q = where.query(h, where.row(position, c));
    std::vector<std::vector<Interval>> all;
    double top = -kInf;
    double largest = 0;
    for (std::size_t j = 0; j < pools.size(); ++j) {
      all.push_back(scores(where, h, turned(net, q, j), pools[j].rows));
      for (const Interval s : all.back()) {
        top = std::max(top, s.hi);
        largest = std::max({largest, s.hi, -s.lo});
      }
    }
    for (std::size_t j = 0; j < pools.size(); ++j) {
      for (Interval& s : all[j]) {
        s = attention_weight(s, top, weight_room(largest, where.unevenness()));
      }
      pools[j].weight.push_back(std::move(all[j]));
    }
    if (net.model->config.relative_bias) {
      const auto bias = [&](std::size_t j) {
        return static_cast<double>(net.model->rel_bias.at(h, j));
      };
      double highest = -kInf;
      for (std::size_t j = 0; j < slots; ++j) {
        highest = std::max(highest, bias(j));
      }
      for (std::size_t j = 0; j < slots; ++j) {
        factor[j][h] = exp(Interval(bias(j)) - Interval(highest));
      }
    }
  }
}

Interval QueryWeights::along(const std::vector<Interval>& g) const {
  require(g.size() == base.size(), "along: direction size");
  Interval sum(0.0);
  for (std::size_t i = 0; i < g.size(); ++i) {
    sum += g[i] * base[i];
  }
  return sum;
}

const std::vector<Interval>& QueryWeights::along_neurons() const {
  const Network& net = places->net();
  for (std::size_t j = along_neurons_.size(); j < net.f; ++j) {
    along_neurons_.push_back(along(net.neuron_direction(j)));
  }
  return along_neurons_;
}

ReadyCase::ReadyCase(std::shared_ptr<const QueryWeights> query, Box box)
    : query_(std::move(query)), box_(std::move(box)) {
  const Network& net = query_->places->net();
  heads_ = net.heads;
  require(box_.back[0]->size() == 1 && box_.back[0]->front() == query_->token,
          "ReadyCase: the query's set");
  require(
      !net.absolute || (box_.min_length == box_.max_length && box_.min_length == query_->length),
      "ReadyCase: the length");
  fewest_ = net.keys(box_.min_length);
  most_ = net.keys(box_.max_length);
  require(box_.back.size() >= most_, "ReadyCase: sets");
  std::map<std::pair<const void*, const void*>, std::size_t> known;
  for (std::size_t j = 0; j < most_; ++j) {
    const auto key = std::pair<const void*, const void*>(&query_->pool(j), box_.back[j].get());
    const auto [at, is_new] = known.emplace(key, groups_.size());
    if (is_new) {
      gather(j, *box_.back[j]);
    }
    group_of_.push_back(at->second);
    for (std::size_t h = 0; h < heads_; ++h) {
      factor_mid_.push_back(middle(query_->factor[j][h]));
    }
  }
}

void ReadyCase::gather(std::size_t slot, const TokenSet& set) {
  const QueryWeights::Pool& pool = query_->pool(slot);
  Group group;
  group.lo.resize(heads_);
  group.hi.resize(heads_);
  group.mid.resize(heads_);
  std::size_t at = 0;
  for (const TokenId t : set) {
    at = static_cast<std::size_t>(
        std::lower_bound(pool.tokens.begin() + static_cast<std::ptrdiff_t>(at), pool.tokens.end(),
                         t) -
        pool.tokens.begin());
    require(at < pool.tokens.size() && pool.tokens[at] == t,
            "ReadyCase: a token out of the domain");
    group.rows.push_back(pool.rows[at]);
    group.tokens.push_back(t);
    for (std::size_t h = 0; h < heads_; ++h) {
      const Interval w = pool.weight[h][at];
      group.lo[h].push_back(w.lo);
      group.hi[h].push_back(w.hi);
      group.mid[h].push_back(middle(w));
    }
  }
  groups_.push_back(std::move(group));
}

CaseMaximum ReadyCase::ascend(std::size_t head, const double* nu, bool with_context) const {
  std::vector<std::size_t> chosen(groups_.size(), 0);
  std::vector<double> value(groups_.size()), weight(groups_.size());
  double highest = -kInf;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    for (std::size_t e = 1; e < group.rows.size(); ++e) {
      chosen[g] = nu[group.rows[e]] > nu[group.rows[chosen[g]]] ? e : chosen[g];
    }
    highest = std::max(highest, nu[group.rows[chosen[g]]]);
  }
  CaseMaximum best{-kInf, {}};
  std::vector<std::size_t> best_chosen = chosen;
  std::size_t best_keys = fewest_;
  for (int round = 0; round < 100; ++round) {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      weight[g] = groups_[g].mid[head][chosen[g]];
      value[g] = weight[g] * nu[groups_[g].rows[chosen[g]]];
    }
    double total = 0;
    double moment = 0;
    double L = -kInf;
    std::size_t keys = fewest_;
    for (std::size_t j = 0; j < most_; ++j) {
      const double factor = factor_mid_[j * heads_ + head];
      total += factor * weight[group_of_[j]];
      moment += factor * value[group_of_[j]];
      if (j + 1 >= fewest_ && moment / total > L) {
        L = moment / total;
        keys = j + 1;
      }
    }
    if (!(L > best.L)) {
      break;
    }
    best.L = L;
    best_chosen = chosen;
    best_keys = keys;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const Group& group = groups_[g];
      const double* w = group.mid[head].data();
      double top = -kInf;
      for (std::size_t e = 0; e < group.rows.size(); ++e) {
        const double term = w[e] * (nu[group.rows[e]] - L);
        if (term > top) {
          top = term;
          chosen[g] = e;
        }
      }
    }
  }
  if (!(best.L > -kInf)) {
    best.L = highest;  // every weight underflowed: the hull
  }
  for (std::size_t j = 0; with_context && j < best_keys; ++j) {
    best.back.push_back(groups_[group_of_[j]].tokens[best_chosen[group_of_[j]]]);
  }
  return best;
}

bool ReadyCase::holds(std::size_t head, const double* mid, const double* radius, double L) const {
  if (!(std::fabs(L) < LargestTerm::kLargest)) {
    return false;
  }
  std::vector<double> tops(groups_.size());
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    LargestTerm top;
    for (std::size_t e = 0; e < group.rows.size(); ++e) {
      const std::uint32_t r = group.rows[e];
      if (!top.add(group.lo[head][e], group.hi[head][e], mid[r], radius[r], L)) {
        return false;
      }
    }
    tops[g] = top.hi();
  }
  double sum = 0;
  for (std::size_t j = 0; j < most_; ++j) {
    const Interval factor = query_->factor[j][head];
    sum = sum_hi(sum, weighted_hi(factor.lo, factor.hi, tops[group_of_[j]]));
    if (j + 1 >= fewest_ && !(sum <= 0)) {
      return false;
    }
  }
  return true;
}

CaseMaximum ReadyCase::maximum(std::size_t head, const double* mid, const double* radius) const {
  CaseMaximum best = ascend(head, mid, true);
  double widest = 0;
  double largest = std::fabs(best.L);
  double hull = -kInf;
  for (const Group& group : groups_) {
    for (const std::uint32_t r : group.rows) {
      widest = std::max(widest, radius[r]);
      largest = std::max(largest, std::fabs(mid[r]));
      hull = std::max(hull, mid[r]);
    }
  }
  // A checker that rounds after every operation may know nu several times more widely.
  const double least = std::max(number_room(largest, widest, places().unevenness()),
                                32 * widest + 0x1p-44 * std::fabs(best.L));
  const double grid = std::max(kGrid, std::exp2(std::ceil(std::log2(least)) + 2));
  double step = least;
  for (int attempt = 0; attempt < 200; ++attempt, step *= 2) {
    // No output is above every value: at the hull the least room will do.
    const bool all = best.L + step > hull + least;
    const double room = all ? least : step;
    const double L = std::ceil(((all ? hull : best.L) + room) / grid) * grid;
    // Tested a little below, so that the number given passes with room.
    if (std::isfinite(L) && holds(head, mid, radius, L - room / 2)) {
      best.L = L;
      return best;
    }
  }
  throw Error(ExitCode::internal, "ATTN-MAX: no bound passes the outward-rounded check");
}

std::vector<CaseMaximum> ReadyCase::maxima(const Direction& g) const {
  std::vector<CaseMaximum> all;
  for (std::size_t h = 0; h < heads_; ++h) {
    const Ball nu = places().along(h, g);
    all.push_back(maximum(h, nu.mid.data(), nu.radius.data()));
  }
  return all;
}

}  // namespace assay::bounds
