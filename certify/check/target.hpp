#pragma once

#include "fold.hpp"
#include "forward.hpp"

namespace assay_check {

/// <g, r> + β as a target.
[[nodiscard]] Target residual_target(const Network& net, const std::vector<Interval>& g,
                                     const Interval& beta);
/// σ Q of a bound claim; refused for quantities that are not of this form (docs: Target).
[[nodiscard]] Target claim_target(Session& session, const Step& step, const RequestClaim& claim,
                                  bool high);

/// σ Q = constant + s_r <h, r> for a logit or difference under LNfinal.
struct Unembedding {
  Interval constant;
  std::vector<Interval> h;
};
[[nodiscard]] Unembedding unembedding(Session& session, const Step& step, const RequestClaim& claim,
                                      bool high);
/// Q at one position.
[[nodiscard]] Interval quantity_value(Session& session, const Step& step, const RequestClaim& claim,
                                      const Position& at);

}  // namespace assay_check
