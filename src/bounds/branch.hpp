#pragma once

#include <optional>
#include <vector>

#include "assay/bounds/bound.hpp"
#include "domain_work.hpp"

namespace assay::bounds {

/// How a case was divided, or is to be: `dominant` becomes a chain of cases by token (dominant_split.hpp).
struct Split {
  enum class By { none, token, length, neuron, dominant } by = By::none;
  std::size_t slot = 0;        ///< token, length
  std::vector<TokenSet> sets;  ///< token; dominant: one each of `slots`
  std::size_t neuron = 0;
  std::vector<std::size_t> slots;  ///< dominant
};

/// One case of the tree, with its own bound.
struct BranchNode {
  Box box;
  std::vector<NeuronPart> neurons;  ///< the signs that narrow it, in the order they were chosen
  std::optional<CaseBound> bound;   ///< nullopt: divided at once: not ready, or within a chain
  double hi = 0;                    ///< of the own bound; +inf without one
  Split split;
  std::vector<std::size_t> children;
};

struct BranchResult {
  double hi = 0;                     ///< target <= hi over the domain
  double attained = 0;               ///< nearest, of `context`
  std::vector<TokenId> context;      ///< whole, oldest first
  std::vector<TokenId> before_text;  ///< what the text's contexts were better than; may be empty
  std::size_t nodes = 0;
  bool closed = false, stopped = false;
  bool exhausted = false;  ///< no case is left that could be divided
  bool enumerated = false, was_split = false;
  std::vector<BranchNode> tree;  ///< [0] the root
};

/// The least upper bound that the budget allows.
[[nodiscard]] BranchResult branch(DomainWork& domain, const Target& target,
                                  const BoundOptions& options, std::size_t budget);

/// The smaller of a node's own bound and the largest of its children.
[[nodiscard]] double proved_hi(const std::vector<BranchNode>& tree, std::size_t node);

}  // namespace assay::bounds
