#include "domain_work.hpp"

#include <algorithm>

namespace assay::bounds {
namespace {

constexpr std::size_t kMostWorks = 1024;
constexpr std::size_t kMostHeld = std::size_t{1} << 25;  // neurons at vertices, of all works
constexpr std::size_t kMostRows = std::size_t{1} << 18;

}  // namespace

SetRef DomainWork::intern(const TokenSet& set) {
  SetRef& ref = sets_[set];
  if (!ref) {
    ref = std::make_shared<const TokenSet>(set);
  }
  return ref;
}

Box DomainWork::root() {
  Box box = root_box(places_.net(), places_.domain());
  for (SetRef& set : box.back) {
    set = intern(*set);
  }
  return box;
}

bool DomainWork::is_ready(const Box& box) const {
  return box.back[0]->size() == 1 && (!places_.net().absolute || box.min_length == box.max_length);
}

DomainWork::Key DomainWork::key(const Box& box) {
  Key key{box.min_length, box.max_length};
  for (const SetRef& set : box.back) {
    key.push_back(reinterpret_cast<std::uintptr_t>(set.get()));
  }
  return key;
}

std::shared_ptr<const QueryWeights> DomainWork::query(const Box& box) {
  const std::size_t length = places_.net().absolute ? box.min_length : 0;
  auto& query = queries_[{box.back[0]->front().value, length}];
  if (!query) {
    query = std::make_shared<const QueryWeights>(places_, box.back[0]->front(), length);
  }
  return query;
}

std::shared_ptr<CaseWork> DomainWork::work(const Box& box,
                                           const std::shared_ptr<CaseWork>& parent) {
  if (works_.size() >= kMostWorks || held_ > kMostHeld) {
    works_.clear();
    held_ = 0;
  }
  std::shared_ptr<CaseWork>& work = works_[key(box)];
  if (!work) {
    std::size_t widest = 0;
    for (const SetRef& set : box.back) {
      widest = std::max(widest, set->size());
    }
    held_ += places_.net().f * widest;
    work = std::make_shared<CaseWork>(ReadyCase(query(box), box), parent);
  }
  return work;
}

std::shared_ptr<Enumeration> DomainWork::enumeration(const Box& box) {
  const auto found = enumerations_.find(key(box));
  if (found != enumerations_.end()) {
    return found->second;
  }
  auto made = Enumeration::make(work(box)->ready());
  auto shared = made ? std::make_shared<Enumeration>(std::move(*made)) : nullptr;
  enumerated_rows_ += shared ? shared->size() : 1;
  if (enumerated_rows_ > kMostRows) {
    enumerations_.clear();
    enumerated_rows_ = shared ? shared->size() : 1;
  }
  enumerations_[key(box)] = shared;
  return shared;
}

}  // namespace assay::bounds
