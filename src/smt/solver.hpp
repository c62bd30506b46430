#pragma once

#include <z3++.h>

#include "assay/smt/invariant.hpp"

namespace assay::smt {

/// The limits as a configuration of a fresh context; they end in exceptions, which callers turn
/// into `unknown`.
class LimitedConfig : public z3::config {
 public:
  explicit LimitedConfig(const Limits& limits) {
    set("rlimit", static_cast<int>(limits.resources));
    set("timeout", static_cast<int>(limits.milliseconds));
  }
};

[[nodiscard]] inline std::size_t letters(const InvariantProblem& problem) {
  return std::size_t{1} << problem.atoms;
}

}  // namespace assay::smt
