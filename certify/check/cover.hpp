#pragma once

#include <span>
#include <vector>

#include "box.hpp"

namespace assay_check {

/// Boxes by the current tokens of their views.
class BoxIndex {
 public:
  explicit BoxIndex(const BoxSpace& space) : space_(space), by_token_(space.tokens()) {}

  /// The box must stay where it is; one without a view is left out.
  void add(const Box& box);
  /// All that can have a view in common with views of this current token; all for SIZE_MAX.
  [[nodiscard]] std::span<const Box* const> at(std::size_t token) const {
    return token == SIZE_MAX ? all_ : by_token_[token];
  }

 private:
  const BoxSpace& space_;
  std::size_t entries_ = 0;
  std::vector<const Box*> all_;
  std::vector<std::vector<const Box*>> by_token_;
};

/// cover(B, list): every view of B lies in a box of the list. Decided exactly, or refused over a limit.
class Cover {
 public:
  explicit Cover(const BoxSpace& space) : space_(space) {}

  [[nodiscard]] bool covers(Box box, std::vector<const Box*> list);
  /// Some box of the list holds B by itself.
  [[nodiscard]] bool holds(const Box& box, std::span<const Box* const> list);
  /// No box of the list has a view in common with B.
  [[nodiscard]] bool misses(const Box& box, std::span<const Box* const> list);
  /// Counts a comparison that is not one of boxes; Reject over the limit.
  void count();
  /// The only current token of a box, or SIZE_MAX.
  [[nodiscard]] std::size_t only_token(const Box& box) const;

 private:
  [[nodiscard]] bool covers(Box box, std::vector<const Box*> list, std::size_t depth);
  [[nodiscard]] std::optional<std::size_t> parts(const Box& box, const Box& other);

  const BoxSpace& space_;
  std::size_t work_ = 0;
};

}  // namespace assay_check
