#include "emission.hpp"

#include <algorithm>
#include <optional>

#include "elementary.hpp"
#include "reject.hpp"

namespace assay_check {
namespace {

// KEPT, min-p: t is out when l_t − l_y < cut for some y, in when l_t − l_y > cut for every other y;
// a token that is surely the only largest is in whatever the cut is. greedy: cut = 0.
Kept above_cut(std::span<const Interval> logits, std::size_t token, const Interval& cut,
               std::size_t best) {
  if (token != best && (logits[token] - logits[best]).hi() < cut.lo()) {
    return Kept::no;
  }
  bool near_top = cut.hi() < 0 || logits.size() == 1, top = true;
  for (std::size_t y = 0; y < logits.size(); ++y) {
    if (y == token) {
      continue;
    }
    const Interval ahead = logits[token] - logits[y];
    if (ahead.hi() < cut.lo()) {
      return Kept::no;
    }
    near_top = near_top && ahead.lo() > cut.hi();
    top = top && ahead.lo() > 0;
  }
  return near_top || top ? Kept::yes : Kept::open;
}

// KEPT, top-k: t is out when K others are surely greater, in when fewer than K may be as great.
Kept among_first(std::span<const Interval> logits, std::size_t token, std::size_t k) {
  std::size_t greater = 0, as_great = 0;
  for (std::size_t y = 0; y < logits.size(); ++y) {
    if (y != token) {
      greater += logits[y].lo() > logits[token].hi() ? 1 : 0;
      as_great += logits[y].hi() >= logits[token].lo() ? 1 : 0;
    }
  }
  return greater >= k ? Kept::no : as_great < k ? Kept::yes : Kept::open;
}

// KEPT, top-p: S = tokens surely greater than t, M = others that may be greater, m = e^l (e^{l/T} for `before`)
//   out  m(S) (1 − P) >= P m(not S)      with S at its lower ends and the rest at its upper ends
//   in   m(M) (1 − P) <  P m(not M)      with M at its upper ends and the rest at its lower ends
class Nucleus {
 public:
  Nucleus(std::span<const Interval> logits, const Fraction& p, const Interval& per_logit)
      : logits_(logits), inside_(p.interval()), outside_(quotient(p.den - p.num, p.den)) {
    double top = logits[0].hi();
    for (const Interval& l : logits) {
      top = std::max(top, l.hi());
    }
    for (const Interval& l : logits) {
      low_.push_back(exponential((Interval(l.lo()) - Interval(top)) * per_logit));
      high_.push_back(exponential((Interval(l.hi()) - Interval(top)) * per_logit));
    }
  }
  [[nodiscard]] Kept of(std::size_t token) const {
    Interval sure(0), not_sure(0), maybe(0), not_maybe(0);
    for (std::size_t y = 0; y < logits_.size(); ++y) {
      const bool greater = logits_[y].lo() > logits_[token].hi();
      const bool may_be = y != token && logits_[y].hi() > logits_[token].lo();
      (greater ? sure : not_sure) = greater ? sure + low_[y] : not_sure + high_[y];
      (may_be ? maybe : not_maybe) = may_be ? maybe + high_[y] : not_maybe + low_[y];
    }
    if ((sure * outside_).lo() >= (not_sure * inside_).hi()) {
      return Kept::no;
    }
    return (maybe * outside_).hi() < (not_maybe * inside_).lo() ? Kept::yes : Kept::open;
  }

 private:
  std::span<const Interval> logits_;
  Interval inside_, outside_;
  std::vector<Interval> low_, high_;
};

/// Words of a temperature that moves no cut.
Fraction parse_temperature(std::string_view word) {
  const Fraction t = parse_fraction(word);
  if (t.num <= 0) {
    throw Reject("runs", "decoder: expected temperature > 0");
  }
  return t;
}

using Words = std::span<const std::string_view>;

/// Takes "allow before|after SET" off the end.
Words take_mask(Words words, Emission& out) {
  if (words.size() < 4 || words[words.size() - 3] != "allow") {
    return words;
  }
  const std::string_view order = words[words.size() - 2];
  if (order != "before" && order != "after") {
    throw Reject("runs", "allow: expected before or after");
  }
  out.mask = order == "before" ? Emission::Mask::before : Emission::Mask::after;
  out.allowed = parse_set(words.back());
  return words.first(words.size() - 3);
}

/// greedy, plain, top-k NAT, each with a temperature or not
bool parse_simple(Words words, Emission& out) {
  if (words.size() > 2 && words[words.size() - 2] == "temperature") {
    out.temperature = parse_temperature(words.back());
    words = words.first(words.size() - 2);
  }
  if (words.size() == 1 && (words[0] == "greedy" || words[0] == "plain")) {
    out.kind = words[0] == "greedy" ? Emission::Kind::greedy : Emission::Kind::plain;
    return true;
  }
  if (words.size() == 2 && words[0] == "top-k") {
    out.kind = Emission::Kind::top_k;
    out.k = parse_nat(words[1]);
    if (out.k == 0) {
      throw Reject("runs", "top-k 0 emits nothing");
    }
    return true;
  }
  return false;
}

/// min-p or top-p FRAC temperature FRAC order before|after
bool parse_share(Words words, Emission& out) {
  const bool shaped = words.size() == 6 && words[2] == "temperature" && words[4] == "order";
  if (!shaped || (words[0] != "min-p" && words[0] != "top-p")) {
    return false;
  }
  if (words[0] == "min-p") {
    out.kind = Emission::Kind::min_p;
    out.min_p = parse_min_p(words[1], words[3], words[5]);
    out.cut = out.min_p.cut();
    out.temperature = out.min_p.temperature;
    out.temperature_first = out.min_p.temperature_first;
    return true;
  }
  out.kind = Emission::Kind::top_p;
  out.top_p = parse_fraction(words[1]);
  out.temperature = parse_temperature(words[3]);
  out.temperature_first = words[5] == "before";
  if (words[5] != "before" && words[5] != "after") {
    throw Reject("runs", "decoder order: expected before or after");
  }
  if (!(out.top_p.num > 0 && out.top_p.num <= out.top_p.den)) {
    throw Reject("runs", "decoder: expected 0 < top-p <= 1");
  }
  return true;
}

}  // namespace

std::vector<Kept> Emission::unmasked(std::span<const Interval> logits) const {
  std::size_t best = 0;
  for (std::size_t y = 0; y < logits.size(); ++y) {
    best = logits[y].lo() > logits[best].lo() ? y : best;
  }
  std::vector<Kept> out(logits.size(), Kept::yes);
  std::optional<Nucleus> nucleus;
  if (kind == Kind::top_p) {
    nucleus.emplace(logits, top_p,
                    temperature_first ? quotient(temperature.den, temperature.num) : Interval(1));
  }
  for (std::size_t t = 0; t < logits.size() && kind != Kind::plain; ++t) {
    out[t] = nucleus               ? nucleus->of(t)
             : kind == Kind::top_k ? among_first(logits, t, k)
                                   : above_cut(logits, t, cut, best);
  }
  return out;
}

// An allow-list before the decoder: it reads the allowed tokens' logits alone; after it: both must keep the token.
std::vector<Kept> Emission::support(std::span<const Interval> logits) const {
  if (mask == Mask::none) {
    return unmasked(logits);
  }
  const TokenSet set = allowed.tokens(logits.size());
  std::vector<Kept> out(logits.size(), Kept::no);
  std::vector<Interval> read;
  for (const std::uint32_t t : set) {
    read.push_back(logits[t]);
  }
  const std::vector<Kept> kept = mask == Mask::before ? unmasked(read) : unmasked(logits);
  for (std::size_t i = 0; i < set.size(); ++i) {
    out[set[i]] = mask == Mask::before ? kept[i] : kept[set[i]];
  }
  return out;
}

Emission emission_of(const MinP& min_p) {
  Emission out;
  out.kind = Emission::Kind::min_p;
  out.min_p = min_p;
  out.cut = min_p.cut();
  out.words = min_p.text();
  return out;
}

std::string Emission::text() const {
  const bool idle = kind != Kind::min_p && !temperature_first && temperature.num != temperature.den;
  return words +
         (!idle ? ""
          : kind == Kind::greedy
              ? " (the temperature changes nothing)"
              : " (the temperature changes how likely tokens are, not which can be emitted)");
}

Emission parse_emission(std::span<const std::string_view> words) {
  Emission out;
  for (const std::string_view word : words) {
    out.words += (out.words.empty() ? "" : " ") + std::string(word);
  }
  const Words decoder = take_mask(words, out);
  if (!parse_simple(decoder, out) && !parse_share(decoder, out)) {
    throw Reject("runs",
                 "expected decoder greedy, plain, top-k NAT (temperature FRAC), min-p or top-p "
                 "FRAC temperature FRAC "
                 "order …, and allow before|after SET or nothing");
  }
  return out;
}

}  // namespace assay_check
