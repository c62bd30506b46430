#include "components.hpp"

#include <algorithm>

#include "assay/base/errors.hpp"

namespace assay::verify {

Components::Components(const Graph& graph)
    : graph_(graph), index_(graph.nodes(), 0), low_(graph.nodes(), 0), of_(graph.nodes(), kNone) {
  require(graph.nodes() < kNone, "Components: 2^32 nodes");
  for (std::uint32_t node = 0; node < graph.nodes(); ++node) {
    if (index_[node] == 0) {
      visit(node);
    }
  }
  index_ = low_ = {};
}

void Components::visit(std::uint32_t root) {
  const auto enter = [this](std::uint32_t node) {
    index_[node] = low_[node] = ++count_;
    stack_.push_back(node);
    frames_.push_back({node, graph_.begin[node]});
  };
  enter(root);
  while (!frames_.empty()) {
    const std::uint32_t node = frames_.back().node;
    if (frames_.back().next < graph_.begin[node + 1]) {
      const std::uint32_t to = graph_.to[frames_.back().next++];
      if (index_[to] == 0) {
        enter(to);
      } else if (of_[to] == kNone) {
        low_[node] = std::min(low_[node], index_[to]);
      }
      continue;
    }
    frames_.pop_back();
    if (!frames_.empty()) {
      std::uint32_t& above = low_[frames_.back().node];
      above = std::min(above, low_[node]);
    }
    if (low_[node] == index_[node]) {
      close(node);
    }
  }
}

/// The nodes above `node` on the stack are one component.
void Components::close(std::uint32_t node) {
  const auto component = static_cast<std::uint32_t>(on_cycle_.size());
  const bool is_alone = stack_.back() == node;
  std::uint32_t member = 0;
  do {
    member = stack_.back();
    stack_.pop_back();
    of_[member] = component;
  } while (member != node);
  const auto first = graph_.to.begin() + static_cast<std::ptrdiff_t>(graph_.begin[node]);
  const auto last = graph_.to.begin() + static_cast<std::ptrdiff_t>(graph_.begin[node + 1]);
  on_cycle_.push_back(!is_alone || std::find(first, last, node) != last);
}

}  // namespace assay::verify
