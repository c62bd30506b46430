#pragma once

#include <map>
#include <memory>
#include <vector>

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
  /// `parent`: the work of a case that contains this one.
  /// @pre the box is ready
  [[nodiscard]] std::shared_ptr<CaseWork> work(const Box& box,
                                               const std::shared_ptr<CaseWork>& parent = nullptr);
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
  std::size_t held_ = 0;  ///< by works_
  std::size_t enumerated_rows_ = 0;
};

}  // namespace assay::bounds
