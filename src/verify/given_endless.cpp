#include "given_endless.hpp"

#include <map>
#include <unordered_map>

#include "assay/base/errors.hpp"
#include "ranks.hpp"

namespace assay::verify {
namespace {

constexpr std::size_t kMaxPairs = 5'000'000, kMaxEdges = 50'000'000;

using automata::Hoa;

/// Machine and automaton side by side. Where the machine accepts some runs only, a phase waits for the one and then for the
/// other to accept: `done` comes again and again exactly when both do.
class EndlessProduct {
 public:
  EndlessProduct(const GivenMachine& machine, const spec::Buchi& automaton,
                 const std::vector<std::size_t>& bit_of)
      : machine_(machine), automaton_(automaton), bit_of_(bit_of) {}

  void explore() {
    for (const std::size_t s : machine_.hoa().start) {
      for (const std::uint32_t q : automaton_.initial) {
        if (!machine_.edges(s).empty()) {
          initial_.push_back(number({s, q, Phase::machine}));
        }
      }
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      expand(nodes_[i]);
      if (nodes_.size() > kMaxPairs || graph_.to.size() > kMaxEdges) {
        throw UsageError("machine and property have more than 5,000,000 pairs or 50,000,000 edges");
      }
    }
  }

  [[nodiscard]] std::optional<GivenLasso> lasso() const {
    std::vector<bool> accepting;
    for (const Node& node : nodes_) {
      accepting.push_back(machine_.hoa().buchi ? node.phase == Phase::done
                                               : bool(automaton_.accepting[node.automaton]));
    }
    const auto found = lasso_of(graph_, initial_, accepting, [](std::uint64_t) { return true; });
    require(found.has_value() != ranks_of(graph_, accepting).has_value(),
            "endless_run: neither a lasso nor ranks, or both");
    if (!found) {
      return std::nullopt;
    }
    std::vector<std::uint32_t> path = found->stem;
    path.insert(path.end(), found->loop.begin(), found->loop.end());
    GivenLasso out{{}, found->loop.size()};
    for (std::size_t i = 1; i < path.size(); ++i) {
      out.run.push_back({nodes_[path[i]].state, letter(path[i - 1], path[i])});
    }
    return out;
  }
  [[nodiscard]] std::size_t pairs() const { return nodes_.size(); }

 private:
  enum class Phase : std::uint8_t { machine, automaton, done };
  struct Node {
    std::size_t state = 0;
    std::uint32_t automaton = 0;
    Phase phase = Phase::machine;
  };

  std::uint32_t number(const Node& node) {
    const std::uint64_t key =
        (std::uint64_t{node.state} * automaton_.states() + node.automaton) * 3 +
        static_cast<std::uint64_t>(node.phase);
    const auto [found, is_new] = numbers_.emplace(key, static_cast<std::uint32_t>(nodes_.size()));
    if (is_new) {
      nodes_.push_back(node);
    }
    return found->second;
  }

  [[nodiscard]] Phase after(Phase phase, const Hoa::Edge& edge, std::uint32_t q) const {
    if (!machine_.hoa().buchi) {
      return Phase::machine;
    }
    const bool machine_did = phase == Phase::automaton || edge.accepting;
    return !machine_did ? Phase::machine : automaton_.accepting[q] ? Phase::done : Phase::automaton;
  }

  void expand(Node node) {
    for (const std::size_t e : machine_.edges(node.state)) {
      const Hoa::Edge& edge = machine_.hoa().edges[e];
      auto found = letters_.find(edge.label.program);
      if (found == letters_.end()) {
        found = letters_.emplace(edge.label.program, edge.label.letters(bit_of_)).first;
      }
      for (const std::uint32_t letter : found->second) {
        for (const std::uint32_t q : automaton_.next(node.automaton, letter)) {
          graph_.to.push_back(number({edge.to, q, after(node.phase, edge, q)}));
          letter_.push_back(static_cast<std::uint16_t>(letter));
        }
      }
    }
    graph_.end_node();
  }

  [[nodiscard]] std::size_t letter(std::uint32_t from, std::uint32_t to) const {
    std::uint64_t e = graph_.begin[from];
    while (graph_.to[e] != to) {
      ++e;
    }
    return letter_[e];
  }

  const GivenMachine& machine_;
  const spec::Buchi& automaton_;
  const std::vector<std::size_t>& bit_of_;
  std::map<std::vector<int>, std::vector<std::uint32_t>> letters_;  ///< of each different label
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> initial_;
  Graph graph_;
  std::vector<std::uint16_t> letter_;  ///< of each edge of graph_
};

}  // namespace

std::optional<GivenLasso> endless_run(const GivenMachine& machine, const spec::Buchi& automaton,
                                      const std::vector<std::size_t>& bit_of, std::size_t& pairs) {
  EndlessProduct product(machine, automaton, bit_of);
  product.explore();
  pairs = product.pairs();
  return product.lasso();
}

}  // namespace assay::verify
