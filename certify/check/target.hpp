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
/// l_A − max_{y ≠ A} l_y at one position; rule_rival.cpp
[[nodiscard]] Interval margin_value(Session& session, const Step& step, std::size_t a,
                                    const Position& at);
/// Q at one position.
[[nodiscard]] Interval quantity_value(Session& session, const Step& step, const RequestClaim& claim,
                                      const Position& at);

}  // namespace assay_check
