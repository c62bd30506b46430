#include "box.hpp"

#include <algorithm>

#include "reject.hpp"

namespace assay_check {

Box BoxSpace::of(std::size_t lo, std::size_t hi, const std::vector<TokenSet>& sets) const {
  Box box{lo, std::min(hi, w_), std::vector<std::uint64_t>(size())};
  if (box.lo < 1 || box.empty() || sets.size() < box.hi) {
    throw Reject("box", "the box holds no view: a length above the attention window");
  }
  for (std::size_t j = 0; j < box.hi; ++j) {
    for (const std::uint32_t t : sets[j]) {
      box.bits[j * words_ + t / 64] |= std::uint64_t{1} << t % 64;
    }
  }
  return box;
}

// Contexts of w tokens or more have views of w tokens: a domain up to w or more goes up to n = w.
Box BoxSpace::of(const Domain& domain) const {
  std::vector<TokenSet> sets;
  for (std::size_t j = 0; j < w_; ++j) {
    const bool last = j < domain.last.size();
    sets.push_back((last ? domain.last[domain.last.size() - 1 - j] : domain.rest).tokens(V_));
  }
  return of(domain.lo, domain.hi == 0 ? w_ : domain.hi, sets);
}

// A view of m tokens and one more are a view of min(m + 1, w): m + 1 in [lo, hi], or m = w = hi. The token j back
// is then j + 1 back, and for m = w the oldest falls out. A context has a token: m >= 1.
Box BoxSpace::before(const Box& box) const {
  Box out{std::max<std::size_t>(box.lo - 1, 1), box.hi == w_ ? w_ : box.hi - 1,
          std::vector<std::uint64_t>(size())};
  std::copy(box.bits.begin() + static_cast<std::ptrdiff_t>(words_), box.bits.end(),
            out.bits.begin());
  for (std::size_t t = 0; t < V_; ++t) {
    out.bits[(w_ - 1) * words_ + t / 64] |= std::uint64_t{1} << t % 64;
  }
  return out;
}

std::optional<std::size_t> BoxSpace::parts(const Box& a, const Box& b) const {
  const std::size_t lo = std::max(a.lo, b.lo), hi = std::min(a.hi, b.hi);
  if (lo > hi) {
    return std::nullopt;
  }
  std::size_t count = (a.lo < lo ? 1 : 0) + (a.hi > hi ? 1 : 0);
  for (std::size_t j = 0; j < hi; ++j) {
    std::uint64_t both = 0, rest = 0;
    for (std::size_t i = j * words_; i < (j + 1) * words_; ++i) {
      both |= a.bits[i] & b.bits[i];
      rest |= a.bits[i] & ~b.bits[i];
    }
    count += rest != 0 ? 1 : 0;
    if (both == 0) {  // only views of at most j tokens are common
      return j < lo ? std::nullopt : std::optional(count);
    }
  }
  return count;
}

std::vector<Box> BoxSpace::minus(const Box& a, const Box& b) const {
  std::vector<Box> out;
  Box rest = a;  // what is left of a when the boxes of `out` are taken away
  if (a.lo < b.lo) {
    out.push_back(rest);
    out.back().hi = std::min(a.hi, b.lo - 1);
    rest.lo = b.lo;
  }
  if (a.hi > b.hi) {
    out.push_back(rest);
    out.back().lo = std::max(rest.lo, b.hi + 1);
    rest.hi = b.hi;
  }
  for (std::size_t j = 0; j < rest.hi; ++j) {
    std::uint64_t both = 0, outside = 0;
    for (std::size_t i = j * words_; i < (j + 1) * words_; ++i) {
      both |= rest.bits[i] & b.bits[i];
      outside |= rest.bits[i] & ~b.bits[i];
    }
    if (outside != 0) {  // the views with a token j back, outside b's set
      out.push_back(rest);
      out.back().lo = std::max(rest.lo, j + 1);
      for (std::size_t i = j * words_; i < (j + 1) * words_; ++i) {
        out.back().bits[i] &= ~b.bits[i];
        rest.bits[i] &= b.bits[i];
      }
    }
    if (both == 0) {
      rest.hi = j;
    }
  }
  return out;
}

}  // namespace assay_check
