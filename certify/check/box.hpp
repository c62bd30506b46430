#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "domain.hpp"

namespace assay_check {

/// A set of views. The view of a context is its last n tokens, n = min(its length, w); a box holds those with
/// lo <= n <= hi whose token j back lies in set j for every j < n. Sets j < hi are never empty; hi < lo: no view.
struct Box {
  std::size_t lo = 1, hi = 0;
  std::vector<std::uint64_t> bits;  ///< w sets of as many words, the current token's first
  [[nodiscard]] bool empty() const { return hi < lo; }
  auto operator<=>(const Box&) const = default;
};

/// The boxes of a model with V tokens and window w. Equal sets of views have equal boxes only as `of` and `all`
/// make them.
class BoxSpace {
 public:
  BoxSpace(std::size_t V, std::size_t w) : V_(V), w_(w), words_((V + 63) / 64) {}

  [[nodiscard]] std::size_t tokens() const { return V_; }
  [[nodiscard]] std::size_t window() const { return w_; }
  /// Numbers that a box takes.
  [[nodiscard]] std::size_t size() const { return w_ * words_; }
  /// The views of the contexts of a domain; throws Reject when there are none, or no such token.
  [[nodiscard]] Box of(const Domain& domain) const;
  /// lo <= n <= hi, and the token j back in sets[j].
  [[nodiscard]] Box of(std::size_t lo, std::size_t hi, const std::vector<TokenSet>& sets) const;
  [[nodiscard]] bool has(const Box& box, std::size_t back, std::size_t token) const {
    return (box.bits[back * words_ + token / 64] >> token % 64 & 1) != 0;
  }
  /// The views u such that the view of u and one of the box's current tokens may be in the box: all of them.
  [[nodiscard]] Box before(const Box& box) const;
  /// None when the boxes have no view in common, else the number of boxes that `minus` makes; 0: b holds a.
  [[nodiscard]] std::optional<std::size_t> parts(const Box& a, const Box& b) const;
  /// Disjoint boxes of the views of a that b does not hold; the boxes have a view in common.
  [[nodiscard]] std::vector<Box> minus(const Box& a, const Box& b) const;

 private:
  std::size_t V_, w_, words_;
};

}  // namespace assay_check
