#include "exact_quotient.hpp"

#include <algorithm>
#include <map>

#include "assay/base/errors.hpp"

namespace assay::verify {
namespace {

/// The classes of a window's successors, ascending.
std::vector<std::uint32_t> classes_after(const std::vector<std::uint32_t>& after,
                                         const std::vector<std::uint32_t>& class_of) {
  std::vector<std::uint32_t> out;
  out.reserve(after.size());
  for (const std::uint32_t to : after) {
    out.push_back(class_of[to]);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

/// Numbers keys in the order in which they are met.
template <class Key>
class Numbering {
 public:
  std::uint32_t of(const Key& key) {
    return numbers_.emplace(key, static_cast<std::uint32_t>(numbers_.size())).first->second;
  }
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }

 private:
  std::map<Key, std::uint32_t> numbers_;
};

}  // namespace

std::optional<ExactQuotient> ExactQuotient::of(const WindowMachine& machine,
                                               std::vector<WindowMachine::Index> windows,
                                               std::uint64_t atoms) {
  std::sort(windows.begin(), windows.end());
  windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
  constexpr std::uint32_t kOutside = UINT32_MAX;
  std::vector<std::uint32_t> position(machine.size(), kOutside);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    position[windows[i]] = static_cast<std::uint32_t>(i);
  }
  ExactQuotient out;
  std::vector<std::vector<std::uint32_t>> after(windows.size());
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (!machine.is_evaluated(windows[i])) {
      return std::nullopt;
    }
    const Decided letter = machine.letter(windows[i]);
    out.seen_.emplace_back(letter.must & atoms, letter.may & atoms);
    const automata::WindowCode from = machine.code(windows[i]);
    for (const WindowMachine::Edge edge : machine.edges(windows[i])) {
      const auto to = machine.find(machine.codes().append(from, edge >> 1U));
      if (!to || position[*to] == kOutside) {
        return std::nullopt;
      }
      after[i].push_back(position[*to]);
    }
  }
  out.refine(after);
  out.check(after);
  return out;
}

/// Splits classes by letter, then by the classes of the successors, until nothing splits.
void ExactQuotient::refine(const std::vector<std::vector<std::uint32_t>>& after) {
  Numbering<std::pair<std::uint64_t, std::uint64_t>> by_letter;
  for (const auto& letter : seen_) {
    class_of_.push_back(by_letter.of(letter));
  }
  for (std::size_t classes = 0, now = by_letter.size(); classes != now;) {
    classes = now;
    Numbering<std::pair<std::uint32_t, std::vector<std::uint32_t>>> finer;
    std::vector<std::uint32_t> next;
    for (std::size_t i = 0; i < after.size(); ++i) {
      next.push_back(finer.of({class_of_[i], classes_after(after[i], class_of_)}));
    }
    class_of_ = std::move(next);
    now = finer.size();
  }
}

/// The partition as evidence: one pass finds every window to agree with its class.
void ExactQuotient::check(const std::vector<std::vector<std::uint32_t>>& after) {
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::uint32_t c = class_of_[i];
    if (c == successors_.size()) {
      successors_.push_back(classes_after(after[i], class_of_));
      letters_.push_back(seen_[i]);
    }
    require(c < successors_.size() && letters_[c] == seen_[i] &&
                successors_[c] == classes_after(after[i], class_of_),
            "ExactQuotient: a window differs from its class");
  }
}

}  // namespace assay::verify
