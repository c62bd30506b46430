#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
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
  PairSet(Session& session, const Step& step, Monitor monitor, std::vector<NumberedPair>& pairs)
      : windows_(session.windows()),
        runs_(session.runs()),
        step_(step),
        monitor_(std::move(monitor)),
        pairs_(pairs) {
    std::sort(pairs_.begin(), pairs_.end());
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      if (monitor_.is_refused(pairs_[i].q)) {
        refuse(step_, "a pair with a bad state, or none of the monitor");
      }
      if (i > 0 && !(pairs_[i - 1] < pairs_[i])) {
        refuse(step_, "a pair comes twice");
      }
      if (i == 0 || pairs_[i - 1].window != pairs_[i].window) {
        groups_.push_back(i);
      }
    }
    groups_.push_back(pairs_.size());
    number_groups();
  }

  void check(std::size_t window, std::size_t d_vocab) {
    std::size_t ends = 0;
    runs_.for_each_end(window, d_vocab, [&](const std::vector<std::uint32_t>& end) {
      if (++ends > kMaxWindowPairs) {
        refuse(step_, "more ends of prompts than are checked");
      }
      const std::span<const Pair> group = group_of(windows_.code(end));
      for (const std::size_t q : monitor_.initial()) {
        need(group, q, monitor_.first());
      }
    });
    for (std::size_t g = 0; g + 1 < groups_.size(); ++g) {
      need_successors({pairs_.data() + groups_[g], pairs_.data() + groups_[g + 1]});
    }
  }
  [[nodiscard]] std::size_t size() const { return pairs_.size(); }

 private:
  using Pair = NumberedPair;
  static constexpr std::uint32_t kFree = UINT32_MAX;

  /// Where a window's group is, or where it would be: open addressing.
  [[nodiscard]] std::size_t slot_of(std::uint64_t window) const {
    std::size_t at = (window * 0x9e3779b97f4a7c15ULL) >> shift_;
    while (slots_[at] != kFree && pairs_[groups_[slots_[at]]].window != window) {
      at = at + 1 == slots_.size() ? 0 : at + 1;
    }
    return at;
  }
  void number_groups() {
    while ((std::size_t{1} << (64 - shift_)) < 2 * groups_.size()) {
      --shift_;
    }
    slots_.assign(std::size_t{1} << (64 - shift_), kFree);
    for (std::size_t g = 0; g + 1 < groups_.size(); ++g) {
      slots_[slot_of(pairs_[groups_[g]].window)] = static_cast<std::uint32_t>(g);
    }
  }
  /// The pairs of this window, ascending; none where it is not in the set.
  [[nodiscard]] std::span<const Pair> group_of(std::uint64_t window) const {
    const std::uint32_t g = slots_[slot_of(window)];
    return g == kFree ? std::span<const Pair>()
                      : std::span(pairs_.data() + groups_[g], pairs_.data() + groups_[g + 1]);
  }

  void need(std::span<const Pair> group, std::size_t q, std::int64_t latest) const {
    if (monitor_.is_settled(q)) {
      return;
    }
    const auto at =
        std::find_if(group.begin(), group.end(), [q](const Pair& p) { return p.q == q; });
    if (at == group.end() || static_cast<std::int64_t>(at->number) > latest) {
      refuse(step_, "a pair with state " + std::to_string(q) +
                        " of the monitor is reached but not in the set, or its number is too high");
    }
  }

  /// Each edge of the window is gone through once for all of its pairs.
  void need_successors(std::span<const Pair> from) {
    const auto ends = [this](const Pair& p) { return runs_.max_new && p.number >= *runs_.max_new; };
    if (std::all_of(from.begin(), from.end(), ends)) {
      return;
    }
    for (const std::uint32_t t : windows_.at(from[0].window, step_).possible) {
      const std::uint64_t to = windows_.append(from[0].window, t);
      const std::span<const Pair> group = group_of(to);
      const Letter letter = windows_.letter(to, step_);
      const std::size_t must = gathered_letter(letter.must, monitor_.atoms);
      const std::size_t free = gathered_letter(letter.may, monitor_.atoms) & ~must;
      for (std::size_t part = free;; part = (part - 1) & free) {
        for (const Pair& pair : from) {
          for (const std::size_t q :
               ends(pair) ? std::span<const std::size_t>() : monitor_.next(pair.q, must | part)) {
            need(group, q, monitor_.latest(pair.q, pair.number));
          }
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
  std::vector<Pair>& pairs_;          ///< ascending by window and state
  std::vector<std::size_t> groups_;   ///< the first pair of each window, and the end
  std::vector<std::uint32_t> slots_;  ///< by hash of the window, into groups_
  int shift_ = 63;
};

}  // namespace assay_check
