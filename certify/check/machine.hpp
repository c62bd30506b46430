#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay_check {

/// An automaton in HOA v1 whose acceptance is left out: its runs are among the infinite paths.
struct Machine {
  /// A Boolean formula as a postfix program over ap numbers.
  struct Label {
    static constexpr int kNot = -1, kAnd = -2, kOr = -3, kTrue = -4, kFalse = -5;
    std::vector<int> program;
    [[nodiscard]] bool holds(std::uint64_t letter) const;
    [[nodiscard]] std::uint64_t aps() const;  ///< bit i: ap i occurs
  };
  struct Edge {
    std::size_t to = 0;
    Label label;
    bool goes_on = false;  ///< some letter takes it, and to where a path goes on for ever
  };
  std::vector<std::string> aps;
  std::vector<std::vector<Edge>> edges;  ///< [states], in the file's order
  std::vector<std::size_t> start;
};

/// Throws Reject("machine", …) with file and line: what is not read (aliases, implicit labels, labels of states,
/// alternation, headers in capitals of unknown meaning, finite words) is refused.
[[nodiscard]] Machine parse_machine(const std::string& text, const std::string& file);

/// Whether the label holds of some letter that agrees with `letter` on the aps of `known`.
[[nodiscard]] bool shows(const Machine::Label& label, std::uint64_t letter, std::uint64_t known);

}  // namespace assay_check
