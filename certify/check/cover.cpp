#include "cover.hpp"

#include <utility>

#include "reject.hpp"

namespace assay_check {
namespace {

constexpr std::size_t kMaxWork = 4'000'000'000;  // words of two boxes compared
constexpr std::size_t kMaxDepth = 1000;
constexpr std::size_t kMaxEntries = std::size_t{1} << 27;  // of one index

}  // namespace

void BoxIndex::add(const Box& box) {
  if (box.empty()) {
    return;
  }
  if (entries_ > kMaxEntries) {
    throw Reject("REFINED", "the boxes take more memory than is given");
  }
  all_.push_back(&box);
  for (std::size_t t = 0; t < space_.tokens(); ++t) {
    if (space_.has(box, 0, t)) {
      by_token_[t].push_back(&box);
      ++entries_;
    }
  }
}

void Cover::count() {
  work_ += space_.size();
  if (work_ > kMaxWork) {
    throw Reject("REFINED", "the covers take more work than is done");
  }
}

std::size_t Cover::only_token(const Box& box) const {
  std::size_t found = SIZE_MAX;
  for (std::size_t t = 0; t < space_.tokens(); ++t) {
    if (space_.has(box, 0, t)) {
      if (found != SIZE_MAX) {
        return SIZE_MAX;
      }
      found = t;
    }
  }
  return found;
}

std::optional<std::size_t> Cover::parts(const Box& box, const Box& other) {
  count();
  return space_.parts(box, other);
}

bool Cover::holds(const Box& box, std::span<const Box* const> list) {
  for (const Box* other : list) {
    if (parts(box, *other) == 0) {
      return true;
    }
  }
  return false;
}

bool Cover::misses(const Box& box, std::span<const Box* const> list) {
  for (const Box* other : list) {
    if (parts(box, *other)) {
      return false;
    }
  }
  return true;
}

bool Cover::covers(Box box, std::vector<const Box*> list) {
  return box.empty() || covers(std::move(box), std::move(list), 0);
}

// COVER
//   B has no view, or C in the list has views in common with B and cover(B_i, list) for the disjoint boxes B_i that
//   B falls into without C (C is no help to them); no C: not covered, for B has a view
bool Cover::covers(Box box, std::vector<const Box*> list, std::size_t depth) {
  if (depth > kMaxDepth) {
    throw Reject("REFINED", "a cover is split deeper than is done");
  }
  while (true) {
    const Box* best = nullptr;
    std::size_t fewest = SIZE_MAX, kept = 0;
    for (const Box* other : list) {
      const std::optional<std::size_t> count = parts(box, *other);
      if (count == 0) {
        return true;
      }
      if (count) {
        list[kept++] = other;
        if (*count < fewest) {
          best = other;
          fewest = *count;
        }
      }
    }
    if (best == nullptr) {
      return false;
    }
    list.resize(kept);
    std::vector<Box> pieces = space_.minus(box, *best);
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      if (!covers(std::move(pieces[i]), list, depth + 1)) {
        return false;
      }
    }
    box = std::move(pieces.back());
  }
}

}  // namespace assay_check
