#include <algorithm>
#include <cmath>

#include "elementary.hpp"
#include "reject.hpp"
#include "rule_chain_rows.hpp"
#include "windows.hpp"

namespace assay_check {
namespace {

Units units_below(double p) {
  return p > 0 ? std::min(kWhole, static_cast<Units>(std::floor(p * 0x1p40))) : 0;
}

/// The T of the decoder's words; 1 where they name none.
Interval temperature_of(const std::string& words) {
  const std::string key = "temperature ";
  const std::size_t at = words.find(key);
  if (at == std::string::npos) {
    return {1};
  }
  const std::size_t begin = at + key.size();
  const std::size_t end = words.find_first_not_of("0123456789/", begin);
  return parse_fraction(std::string_view(words).substr(begin, end - begin)).interval();
}

/// [max(a − b, 0)] of two sums of non-negative numbers, outward.
Interval without(const Interval& a, const Interval& b) {
  return positive_part(a - b);
}

}  // namespace

// KEEP-CHANCE: w_t = e^{l_t/T} over what is kept, S, with sure ⊆ S ⊆ possible; an open token may be left out.
//   w_t / (w_t + Σ_{possible, y ≠ t} w_y) <= p(t) <= w_t / (w_t + Σ_{sure, y ≠ t} w_y)      t in S
// greedy: the only largest token has 1; of tokens that may be largest each has anything
std::vector<TokenChance> chances_of(const Emission& decoder, const std::vector<Interval>& logits,
                                    const std::vector<Kept>& kept) {
  std::vector<TokenChance> out;
  const std::string words = decoder.text();
  if (words.find(" allow after ") != std::string::npos) {
    throw Reject("CHANCE", "the decoder may keep no token");
  }
  if (decoder.kind == Emission::Kind::greedy) {
    for (std::uint32_t t = 0; t < kept.size(); ++t) {
      if (kept[t] != Kept::no) {
        out.push_back({t, kept[t] == Kept::yes ? kWhole : 0, kWhole});
      }
    }
    return out;
  }
  const Interval temperature = temperature_of(words);
  double top = 0;
  bool any = false;
  for (std::size_t t = 0; t < kept.size(); ++t) {
    if (kept[t] != Kept::no) {
      top = any ? std::max(top, logits[t].hi()) : logits[t].hi();
      any = true;
    }
  }
  std::vector<Interval> weight;
  Interval sure_least(0), all_most(0);
  for (std::uint32_t t = 0; t < kept.size(); ++t) {
    if (kept[t] == Kept::no) {
      continue;
    }
    const Interval w = positive_part(exponential((logits[t] - Interval(top)) / temperature));
    weight.push_back(w);
    out.push_back({t, 0, 0});
    all_most = all_most + Interval(w.hi());
    sure_least = kept[t] == Kept::yes ? sure_least + Interval(w.lo()) : sure_least;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Interval least(weight[i].lo()), most(weight[i].hi());
    const bool sure = kept[out[i].token] == Kept::yes;
    const Interval few(sure ? without(sure_least, least).lo() : sure_least.lo());
    const Interval many(without(all_most, most).hi());
    out[i].hi = units_above((most / (most + few)).hi());
    out[i].lo = sure && least.lo() > 0 ? units_below((least / (least + many)).lo()) : 0;
  }
  return out;
}

}  // namespace assay_check
