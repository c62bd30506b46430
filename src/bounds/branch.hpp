#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "assay/bounds/bound.hpp"
#include "case_bound.hpp"
#include "enumeration.hpp"

namespace assay::bounds {

/// Everything that the bounds on one domain share.
class DomainWork {
 public:
  DomainWork(const Network& net, const Domain& domain) : places_(net, domain) {}

  [[nodiscard]] const Places& places() const { return places_; }
  /// Sets with the same content are one object, so that cases can be compared by address.
  [[nodiscard]] SetRef intern(const TokenSet& set);
  [[nodiscard]] Box root();
  /// @pre the box is ready
  [[nodiscard]] std::shared_ptr<CaseWork> work(const Box& box);
  /// nullptr when it cannot be enumerated.
  [[nodiscard]] std::shared_ptr<Enumeration> enumeration(const Box& box);
  [[nodiscard]] bool is_ready(const Box& box) const;

 private:
  using Key = std::vector<std::uintptr_t>;
  [[nodiscard]] static Key key(const Box& box);
  std::shared_ptr<const QueryWeights> query(const Box& box);

  Places places_;
  std::map<TokenSet, SetRef> sets_;
  std::map<std::pair<std::uint32_t, std::size_t>, std::shared_ptr<const QueryWeights>> queries_;
  std::map<Key, std::shared_ptr<CaseWork>> works_;
  std::map<Key, std::shared_ptr<Enumeration>> enumerations_;
  std::size_t enumerated_rows_ = 0;
};

/// How a case was divided.
struct Split {
  enum class By { none, token, length } by = By::none;
  std::size_t slot = 0;
};

/// One case of the tree, with its own bound.
struct BranchNode {
  Box box;
  std::optional<CaseBound> bound;  ///< nullopt: not ready, divided at once
  double hi = 0;                   ///< of the own bound; +inf without one
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
