#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "reject.hpp"
#include "session.hpp"
#include "windows.hpp"

namespace assay_check {

/// The pairs (window, state of a monitor) of an EXACT or LIVE step, each with a number, and the conditions on
/// them. A monitor has: atoms; initial(), its states before a run; is_refused(q), no pair may have it;
/// is_settled(q), no pair is needed for it; next(q, letter), the states after it; latest(q, n), the greatest
/// number of a pair that follows one of q with the number n.
template <class Monitor>
class PairSet {
 public:
  PairSet(Session& session, const Step& step, Monitor monitor)
      : windows_(session.windows()),
        runs_(session.runs()),
        step_(step),
        monitor_(std::move(monitor)) {}

  void read(const std::vector<WindowBox>& boxes) {
    for (const WindowBox& box : boxes) {
      if (monitor_.is_refused(box.q)) {
        refuse(step_, "a pair with a bad state, or none of the monitor");
      }
      expand(box, 0, 0);
    }
    std::sort(pairs_.begin(), pairs_.end());
    for (std::size_t i = 1; i < pairs_.size(); ++i) {
      if (!(pairs_[i - 1] < pairs_[i])) {
        refuse(step_, "a pair comes twice");
      }
    }
  }

  void check(std::size_t window, std::size_t d_vocab) {
    std::size_t ends = 0;
    runs_.for_each_end(window, d_vocab, [&](const std::vector<std::uint32_t>& end) {
      if (++ends > kMaxPairs) {
        refuse(step_, "more ends of prompts than are checked");
      }
      for (const std::size_t q : monitor_.initial()) {
        need(windows_.code(end), q, monitor_.first());
      }
    });
    for (const Pair& pair : pairs_) {
      if (!runs_.max_new || pair.step < *runs_.max_new) {
        need_successors(pair);
      }
    }
  }
  [[nodiscard]] std::size_t size() const { return pairs_.size(); }

 private:
  struct Pair {
    std::uint64_t window = 0;
    std::size_t q = 0, step = 0;
    friend bool operator<(const Pair& a, const Pair& b) {
      return std::pair(a.window, a.q) < std::pair(b.window, b.q);
    }
  };
  static constexpr std::size_t kMaxPairs = 4'000'000;
  void expand(const WindowBox& box, std::size_t position, std::uint64_t window) {
    if (position == box.sets.size()) {
      if (pairs_.size() >= kMaxPairs) {
        refuse(step_, "more pairs than are checked");
      }
      pairs_.push_back({window, box.q, box.step});
      return;
    }
    for (const std::uint32_t t : box.sets[position]) {
      expand(box, position + 1, windows_.append(window, t));
    }
  }

  void need(std::uint64_t window, std::size_t q, std::int64_t latest) const {
    if (monitor_.is_settled(q)) {
      return;
    }
    const auto at = std::lower_bound(pairs_.begin(), pairs_.end(), Pair{window, q, 0});
    if (at == pairs_.end() || at->window != window || at->q != q ||
        static_cast<std::int64_t>(at->step) > latest) {
      refuse(step_, "a pair with state " + std::to_string(q) +
                        " of the monitor is reached but not in the set, or its number is too high");
    }
  }

  void need_successors(const Pair& pair) {
    for (const std::uint32_t t : std::vector(windows_.at(pair.window, step_).possible)) {
      const std::uint64_t to = windows_.append(pair.window, t);
      const Letter letter = windows_.letter(to, step_);
      const std::size_t must = gathered_letter(letter.must, monitor_.atoms);
      const std::size_t free = gathered_letter(letter.may, monitor_.atoms) & ~must;
      for (std::size_t part = free;; part = (part - 1) & free) {
        for (const std::size_t q : monitor_.next(pair.q, must | part)) {
          need(to, q, monitor_.latest(pair.q, pair.step));
        }
        if (part == 0) {
          break;
        }
      }
    }
  }

  Windows& windows_;
  const Runs& runs_;
  const Step& step_;
  Monitor monitor_;
  std::vector<Pair> pairs_;
};

}  // namespace assay_check
