#include <algorithm>

#include "assay/base/errors.hpp"
#include "certificate.hpp"
#include "exact_machine.hpp"
#include "exact_search.hpp"

namespace assay::verify {
namespace {

/// assay-check reads 4,000,000 lines and 256 MiB.
constexpr std::size_t kCheckedPairs = 3'000'000;

class Inspection {
 public:
  Inspection(const WindowMachine& machine, const spec::Dfa& dfa, const std::vector<ExactPair>& set)
      : machine_(machine),
        dfa_(dfa),
        set_(set),
        can_turn_bad_(can_turn_bad(dfa)),
        first_(machine.size(), set.size()) {
    for (std::size_t i = set.size(); i-- > 0;) {
      const auto index = machine.find(set[i].window);
      require(index.has_value(), "ExactHolds: a window is not known");
      first_[*index] = i;
    }
  }

  void need(WindowMachine::Index window, std::uint32_t spec, std::uint32_t latest) const {
    require(!dfa_.bad[spec], "ExactHolds: a bad pair is reached");
    if (!can_turn_bad_[spec]) {
      return;
    }
    std::size_t i = first_[window];
    for (const auto code = machine_.code(window); i < set_.size() && set_[i].window == code; ++i) {
      if (set_[i].spec == spec) {
        require(set_[i].step <= latest, "ExactHolds: a pair is reached too early");
        return;
      }
    }
    require(false, "ExactHolds: a pair that is reached is missing");
  }

  /// Every edge that is not absent, with every letter that its end may show.
  void need_successors(const ExactPair& pair) const {
    const auto index = machine_.find(pair.window);
    require(index && machine_.is_evaluated(*index), "ExactHolds: a window was not evaluated");
    for (const WindowMachine::Edge edge : machine_.edges(*index)) {
      const auto code = machine_.codes().append(pair.window, edge >> 1U);
      const auto to = machine_.find(code);
      require(to && (!machine_.reads_values() || machine_.is_evaluated(*to)),
              "ExactHolds: a successor is not known");
      const Decided letter = machine_.letter(*to);
      const std::size_t must = dfa_.project(letter.must);
      const std::size_t free = dfa_.project(letter.may) & ~must;
      for (std::size_t part = free;; part = (part - 1) & free) {
        need(*to, dfa_.next(pair.spec, must | part), pair.step + 1);
        if (part == 0) {
          break;
        }
      }
    }
  }

 private:
  const WindowMachine& machine_;
  const spec::Dfa& dfa_;
  const std::vector<ExactPair>& set_;
  std::vector<bool> can_turn_bad_;
  std::vector<std::size_t> first_;  ///< of each window, its first pair in the set
};

std::size_t windows_in(const std::vector<ExactPair>& set) {
  std::size_t windows = 0;
  for (std::size_t i = 0; i < set.size(); ++i) {
    windows += i == 0 || set[i - 1].window != set[i].window ? 1 : 0;
  }
  return windows;
}

}  // namespace

ExactHolds::ExactHolds(const ExactInput& input, const WindowMachine& machine, spec::Dfa dfa,
                       std::vector<ExactPair> invariant)
    : dfa_(std::move(dfa)), invariant_(std::move(invariant)) {
  require(std::is_sorted(invariant_.begin(), invariant_.end()), "ExactHolds: not ascending");
  const Inspection inspection(machine, dfa_, invariant_);
  input.prompts.for_each_window(machine.codes(), machine.vocabulary(),
                                [&](automata::WindowCode code) {
                                  const auto index = machine.find(code);
                                  require(index.has_value(), "ExactHolds: a prompt is not known");
                                  inspection.need(*index, 0, 0);
                                  return true;
                                });
  for (const ExactPair& pair : invariant_) {
    require(!dfa_.bad[pair.spec], "ExactHolds: a bad pair");
    if (!input.max_new || pair.step < *input.max_new) {
      inspection.need_successors(pair);
    }
  }
  const std::string longest(64, 'x');
  checkable_ = windows_in(invariant_) <= kCheckedWindows && invariant_.size() <= kCheckedPairs &&
               dfa_line(longest, longest, dfa_).size() <= kMaxCertificateLine;
}

}  // namespace assay::verify
