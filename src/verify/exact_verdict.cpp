#include <algorithm>

#include "assay/base/errors.hpp"
#include "certificate.hpp"
#include "exact_machine.hpp"
#include "exact_search.hpp"

namespace assay::verify {
namespace {

/// assay-check reads 4,000,000 lines and 256 MiB.
constexpr std::size_t kCheckedPairs = 3'000'000;

/// The step of a pair of the ascending set, if it is there.
std::optional<std::uint32_t> step_of(const std::vector<ExactPair>& set, automata::WindowCode window,
                                     std::uint32_t spec) {
  const auto at = std::lower_bound(set.begin(), set.end(), ExactPair{window, spec, 0});
  return at != set.end() && at->window == window && at->spec == spec ? std::optional(at->step)
                                                                     : std::nullopt;
}

class Inspection {
 public:
  Inspection(const WindowMachine& machine, const spec::Dfa& dfa, const std::vector<ExactPair>& set)
      : machine_(machine), dfa_(dfa), set_(set), can_turn_bad_(can_turn_bad(dfa)) {}

  void need(automata::WindowCode window, std::uint32_t spec, std::uint32_t latest) const {
    require(!dfa_.bad[spec], "ExactHolds: a bad pair is reached");
    if (can_turn_bad_[spec]) {
      const auto step = step_of(set_, window, spec);
      require(step && *step <= latest, "ExactHolds: a pair that is reached is missing");
    }
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
        need(code, dfa_.next(pair.spec, must | part), pair.step + 1);
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
                                  inspection.need(code, 0, 0);
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
