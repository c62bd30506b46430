#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "assay/spec/acceptor.hpp"

namespace assay::automata {

/// A Boolean formula over the aps of a HOA file, as a postfix program.
struct HoaLabel {
  static constexpr int kNot = -1, kAnd = -2, kOr = -3, kTrue = -4, kFalse = -5;
  std::vector<int> program;  ///< an ap's index, or one of the above

  /// @param letter bit i is the truth of ap i.
  [[nodiscard]] bool holds(std::uint64_t letter) const;
  /// The aps that occur, ascending.
  [[nodiscard]] std::vector<std::size_t> aps() const;
  /// The letters over some of the aps (bit i is the truth of ap places[i]) that a valuation which satisfies the label shows,
  /// ascending. Throws UsageError for a label with more than 16 aps.
  [[nodiscard]] std::vector<std::uint32_t> letters(const std::vector<std::size_t>& places) const;
  bool operator==(const HoaLabel&) const = default;
};

/// What is read of HOA v1 (Babiak et al., CAV 2015): one automaton, no alternation, every run
/// accepted or Büchi's condition on states or edges.
struct Hoa {
  struct Edge {
    std::size_t from = 0, to = 0;
    HoaLabel label;
    bool accepting = false;  ///< the state's mark or its own
    bool operator==(const Edge&) const = default;
  };
  std::string name;
  std::vector<std::string> aps;
  std::size_t states = 0;
  std::vector<std::size_t> start;
  std::vector<std::string> state_names;  ///< [states], "" where none is given
  std::vector<bool> accepting;           ///< [states]
  std::vector<Edge> edges;               ///< by ascending `from`
  bool buchi = false;                    ///< else every run is accepted
  /// Header `Finite-words: t`: the runs are finite and may end in an accepting state.
  bool finite_words = false;
  bool operator==(const Hoa&) const = default;
};

/// Limits: 64 MiB, 64 aps, 1,000,000 states, 5,000,000 edges, labels 200 levels deep. Throws
/// InputError "FILE:LINE: expected …, found …" for what is wrong and for what is not read, by name.
[[nodiscard]] Hoa parse_hoa(const std::string& text, const std::string& file);

/// A string of the format; control characters become spaces.
[[nodiscard]] std::string hoa_quoted(const std::string& text);

/// What parse_hoa reads back as the same automaton.
[[nodiscard]] std::string to_hoa(const Hoa& hoa);

/// A property's automaton of finite runs: `Finite-words: t`, Büchi marks where a run may end.
[[nodiscard]] Hoa to_hoa(const spec::Acceptor& acceptor, const std::vector<std::string>& aps,
                         const std::string& name);

/// For Graphviz: double circle = a run may end here, green = decided true, red = decided false.
[[nodiscard]] std::string to_dot(const spec::Acceptor& acceptor,
                                 const std::vector<std::string>& aps, const std::string& name);

}  // namespace assay::automata
