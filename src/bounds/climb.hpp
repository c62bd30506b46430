#pragma once

#include <vector>

#include "ready_case.hpp"
#include "target.hpp"

namespace assay::bounds {

/// The target's nearest values along one coordinate of a context, many tokens at once.
class Coordinate {
 public:
  /// Heads' linear readings of the target are prepared once per domain.
  Coordinate(const Places& places, const Target& target);

  /// The target when the token `slot` back is each token of the slot's set in turn, the others
  /// as in `back` (slot == back.size(): the context grows by one).
  [[nodiscard]] std::vector<double> values(const ReadyCase& ready, const std::vector<TokenId>& back,
                                           std::size_t slot) const;

 private:
  const Places& places_;
  const Target& target_;
  bool is_linear_;
  Row g0_;
  std::vector<Row> nu_;  ///< per head, when the target is linear in hook_resid_mid
};

class DomainWork;

/// A context of a domain and the target's nearest value there.
struct Context {
  Box box;                    ///< ready, holds it
  std::vector<TokenId> back;  ///< the tokens that are read, query first
  double value = 0;
};
/// `back` as a context of `length` tokens, in the whole domain's sets around its query token.
[[nodiscard]] Context context_of(DomainWork& work, std::vector<TokenId> back, std::size_t length);

/// Coordinate ascent within the whole domain. True when the value rose.
bool climb(DomainWork& work, const Target& target, const Coordinate& coordinate, Context& best);

}  // namespace assay::bounds
