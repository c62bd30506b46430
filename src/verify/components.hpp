#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace assay::verify {

/// A directed graph: the successors of node i are to[begin[i]] … to[begin[i + 1] - 1].
struct Graph {
  std::vector<std::uint64_t> begin{0};
  std::vector<std::uint32_t> to;

  [[nodiscard]] std::size_t nodes() const { return begin.size() - 1; }
  void end_node() { begin.push_back(to.size()); }
};

/// Tarjan 1972, without recursion: the strongly connected components, numbered so that every edge
/// leads to a component of the same or a lower number.
class Components {
 public:
  explicit Components(const Graph& graph);
  [[nodiscard]] std::uint32_t of(std::size_t node) const { return of_[node]; }
  [[nodiscard]] std::size_t count() const { return on_cycle_.size(); }
  /// Some path of at least one edge leads from a node of the component back to it.
  [[nodiscard]] bool on_cycle(std::uint32_t component) const { return on_cycle_[component]; }

 private:
  void visit(std::uint32_t root);
  void close(std::uint32_t node);

  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Frame {
    std::uint32_t node;
    std::uint64_t next;
  };
  const Graph& graph_;
  std::vector<std::uint32_t> index_, low_, of_, stack_;
  std::vector<Frame> frames_;
  std::vector<bool> on_cycle_;
  std::uint32_t count_ = 0;
};

}  // namespace assay::verify
