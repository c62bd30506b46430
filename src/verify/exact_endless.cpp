#include "assay/verify/exact_endless.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"
#include "certificate.hpp"
#include "exact_certificate.hpp"
#include "exact_machine.hpp"

namespace assay::verify {
namespace {

/// assay-check reads 4,000,000 lines and 256 MiB.
constexpr std::size_t kCheckedPairs = 3'000'000;

class RankInspection {
 public:
  RankInspection(const WindowMachine& machine, const spec::Buchi& against,
                 const std::vector<ExactEndless::Pair>& ranks)
      : machine_(machine), against_(against), ranks_(ranks) {}

  void need(automata::WindowCode window, std::uint32_t state, std::uint64_t most) const {
    const auto at =
        std::lower_bound(ranks_.begin(), ranks_.end(), ExactEndless::Pair{window, state, 0});
    require(at != ranks_.end() && at->window == window && at->state == state,
            "ExactEndless: a pair that is reached is missing");
    require(at->rank <= most, "ExactEndless: a rank is too high");
  }

  /// Every edge that is not absent, with every letter that its end may show.
  void need_successors(const ExactEndless::Pair& pair) const {
    const auto index = machine_.find(pair.window);
    require(index && machine_.is_evaluated(*index), "ExactEndless: a window was not evaluated");
    for (const WindowMachine::Edge edge : machine_.edges(*index)) {
      const auto code = machine_.codes().append(pair.window, edge >> 1U);
      const auto to = machine_.find(code);
      require(to && (!machine_.reads_values() || machine_.is_evaluated(*to)),
              "ExactEndless: a successor is not known");
      const Decided letter = machine_.letter(*to);
      const std::size_t must = against_.project(letter.must);
      const std::size_t free = against_.project(letter.may) & ~must;
      for (std::size_t part = free;; part = (part - 1) & free) {
        for (const std::uint32_t next : against_.next(pair.state, must | part)) {
          require(pair.rank > 0 || !against_.accepting[pair.state],
                  "ExactEndless: an accepting state of rank 0 has a successor");
          need(code, next, pair.rank - (against_.accepting[pair.state] ? 1 : 0));
        }
        if (part == 0) {
          break;
        }
      }
    }
  }

 private:
  const WindowMachine& machine_;
  const spec::Buchi& against_;
  const std::vector<ExactEndless::Pair>& ranks_;
};

std::size_t windows_in(const std::vector<ExactEndless::Pair>& pairs) {
  std::size_t windows = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    windows += i == 0 || pairs[i - 1].window != pairs[i].window ? 1 : 0;
  }
  return windows;
}

}  // namespace

ExactEndless::ExactEndless(const ExactInput& input, const WindowMachine& machine,
                           spec::Buchi against, std::vector<Pair> ranks)
    : against_(std::move(against)), ranks_(std::move(ranks)) {
  require(!input.max_new && input.emission.mask() != automata::Emission::Mask::after,
          "ExactEndless: runs that end");
  require(std::adjacent_find(ranks_.begin(), ranks_.end(),
                             [](const Pair& a, const Pair& b) {
                               return std::pair(a.window, a.state) >= std::pair(b.window, b.state);
                             }) == ranks_.end(),
          "ExactEndless: not ascending");
  const RankInspection inspection(machine, against_, ranks_);
  input.prompts.for_each_window(machine.codes(), machine.vocabulary(),
                                [&](automata::WindowCode code) {
                                  for (const std::uint32_t state : against_.initial) {
                                    inspection.need(code, state, UINT64_MAX);
                                  }
                                  return true;
                                });
  for (const Pair& pair : ranks_) {
    inspection.need_successors(pair);
  }
  const std::string longest(64, 'x');
  checkable_ = windows_in(ranks_) <= kCheckedWindows && ranks_.size() <= kCheckedPairs &&
               buchi_line(longest, longest, against_).size() <= kMaxCertificateLine;
}

std::uint32_t ExactEndless::highest() const {
  std::uint32_t highest = 0;
  for (const Pair& pair : ranks_) {
    highest = std::max(highest, pair.rank);
  }
  return highest;
}

}  // namespace assay::verify
