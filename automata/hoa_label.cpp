#include <algorithm>
#include <set>

#include "assay/automata/hoa.hpp"
#include "assay/base/errors.hpp"

namespace assay::automata {

bool HoaLabel::holds(std::uint64_t letter) const {
  std::vector<bool> stack;
  for (const int op : program) {
    if (op >= 0) {
      stack.push_back(((letter >> static_cast<unsigned>(op)) & 1U) != 0);
    } else if (op == kTrue || op == kFalse) {
      stack.push_back(op == kTrue);
    } else if (op == kNot) {
      stack.back() = !stack.back();
    } else {
      const bool right = stack.back();
      stack.pop_back();
      stack.back() = op == kAnd ? stack.back() && right : stack.back() || right;
    }
  }
  return stack.at(0);
}

std::vector<std::size_t> HoaLabel::aps() const {
  std::set<std::size_t> out;
  for (const int op : program) {
    if (op >= 0) {
      out.insert(static_cast<std::size_t>(op));
    }
  }
  return {out.begin(), out.end()};
}

std::vector<std::uint32_t> HoaLabel::letters(const std::vector<std::size_t>& places) const {
  const std::vector<std::size_t> own = aps();
  if (own.size() > 16) {
    throw UsageError("the machine: expected at most 16 aps in one label, found " +
                     std::to_string(own.size()));
  }
  std::vector<std::size_t> bit_of;  // of each own ap in a letter; places.size(): not shown
  std::uint32_t free = 0;
  for (const std::size_t ap : own) {
    bit_of.push_back(
        static_cast<std::size_t>(std::find(places.begin(), places.end(), ap) - places.begin()));
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    free |= std::find(own.begin(), own.end(), places[i]) == own.end() ? 1U << i : 0U;
  }
  std::vector<bool> shown(std::size_t{1} << places.size());
  for (std::uint32_t valuation = 0; valuation < (1U << own.size()); ++valuation) {
    std::uint64_t all = 0;
    std::uint32_t letter = 0;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const std::uint32_t bit = (valuation >> i) & 1U;
      all |= std::uint64_t{bit} << own[i];
      letter |= bit_of[i] < places.size() ? bit << bit_of[i] : 0U;
    }
    if (!shown[letter] && holds(all)) {
      for (std::uint32_t part = free;; part = (part - 1) & free) {
        shown[letter | part] = true;
        if (part == 0) {
          break;
        }
      }
    }
  }
  std::vector<std::uint32_t> out;
  for (std::uint32_t letter = 0; letter < shown.size(); ++letter) {
    if (shown[letter]) {
      out.push_back(letter);
    }
  }
  return out;
}

}  // namespace assay::automata
