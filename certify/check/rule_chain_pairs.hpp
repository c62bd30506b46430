#pragma once

#include <unordered_map>
#include <vector>

#include "rule_chain_rows.hpp"
#include "session.hpp"
#include "windows.hpp"

namespace assay_check {

inline constexpr std::uint32_t kReached = 0, kSettled = 1;

/// The interval chain over pairs (window, state of the event's DFA); 0 is the event, 1 settled.
class PairChain {
 public:
  PairChain(Session& session, const Step& step, const DfaFact& event);

  /// The state of a pair, new ones numbered as they come.
  std::uint32_t state_of(std::uint64_t window, std::size_t q);
  /// Rows of the pairs met, in the order of their numbers, up to `levels` steps from those there now.
  void close(std::size_t levels);
  /// The rows of the pairs there now and no others; what they lead to is numbered.
  void rows_only();

  [[nodiscard]] const ChanceRows& rows() const { return rows_; }
  [[nodiscard]] std::size_t states() const { return pairs_.size() + 2; }

 private:
  struct Pair {
    std::uint64_t window = 0;
    std::size_t q = 0;
    bool operator==(const Pair&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Pair& p) const {
      const std::uint64_t z = (p.window + 0x9e3779b97f4a7c15U * (p.q + 1)) * 0xbf58476d1ce4e5b9U;
      return static_cast<std::size_t>(z ^ (z >> 31));
    }
  };
  void add_trap(std::uint32_t at) { rows_.add({{at, kWhole, kWhole}}, step_.rule); }
  void add_row(Pair from);

  Windows& windows_;
  const Step& step_;
  const DfaFact& event_;
  std::vector<bool> settled_;
  std::vector<Pair> pairs_;
  std::unordered_map<Pair, std::size_t, Hash> number_;
  ChanceRows rows_;
};

}  // namespace assay_check
