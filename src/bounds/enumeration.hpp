#pragma once

#include <optional>
#include <vector>

#include "ready_case.hpp"
#include "target.hpp"

namespace assay::bounds {

/// Every context of a ready case, up to tokens that are not read, with hook_resid_mid enclosed.
///
/// ENUM   target(context) <= U for each context   |-   target <= U on the case
class Enumeration {
 public:
  /// nullopt when a weight is too small for the error bound (then the case must be split).
  [[nodiscard]] static std::optional<Enumeration> make(const ReadyCase& ready);

  /// The target over all contexts: an upper bound with room for a checker whose enclosures are
  /// wider, and the context where the nearest value is largest.
  struct Best {
    double hi = 0;
    std::vector<TokenId> back;  ///< query first
    double nearest = 0;
  };
  [[nodiscard]] Best best(const Network& net, const Target& target);

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(mid_.mid.rows()); }

 private:
  [[nodiscard]] std::vector<TokenId> context(std::size_t row) const;
  /// act(z) of every context, [n,f].
  [[nodiscard]] Ball neurons(const Network& net) const;
  [[nodiscard]] const Ball& posts(const Network& net);

  Ball mid_;  ///< [n,d]
  std::optional<Ball> post_;
  std::vector<std::vector<TokenId>> sets_;                 ///< per slot
  std::vector<std::pair<std::size_t, std::size_t>> runs_;  ///< (keys, first row) of each length
};

}  // namespace assay::bounds
