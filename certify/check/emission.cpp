#include "emission.hpp"

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

}  // namespace

std::vector<Kept> Emission::support(std::span<const Interval> logits) const {
  std::size_t best = 0;
  for (std::size_t y = 0; y < logits.size(); ++y) {
    best = logits[y].lo() > logits[best].lo() ? y : best;
  }
  std::vector<Kept> out(logits.size(), Kept::yes);
  for (std::size_t t = 0; t < logits.size() && kind != Kind::plain; ++t) {
    out[t] = kind == Kind::top_k ? among_first(logits, t, k) : above_cut(logits, t, cut, best);
  }
  return out;
}

Emission emission_of(const MinP& min_p) {
  Emission out;
  out.kind = Emission::Kind::min_p;
  out.min_p = min_p;
  out.cut = min_p.cut();
  return out;
}

std::string Emission::text() const {
  switch (kind) {
    case Kind::greedy:
      return "greedy";
    case Kind::min_p:
      return min_p.text();
    case Kind::top_k:
      return "top-k " + std::to_string(k);
    case Kind::plain:
      return "plain";
  }
  return {};
}

Emission parse_emission(std::span<const std::string_view> words) {
  Emission out;
  if (words.size() == 1 && (words[0] == "greedy" || words[0] == "plain")) {
    out.kind = words[0] == "greedy" ? Emission::Kind::greedy : Emission::Kind::plain;
    return out;
  }
  if (words.size() == 2 && words[0] == "top-k") {
    out.kind = Emission::Kind::top_k;
    out.k = parse_nat(words[1]);
    if (out.k == 0) {
      throw Reject("runs", "top-k 0 emits nothing");
    }
    return out;
  }
  if (words.size() == 6 && words[0] == "min-p" && words[2] == "temperature" &&
      words[4] == "order") {
    return emission_of(parse_min_p(words[1], words[3], words[5]));
  }
  throw Reject("runs",
               "expected decoder greedy, plain, top-k NAT or min-p FRAC temperature FRAC order …");
}

}  // namespace assay_check
