#pragma once

#include <functional>

#include "assay/smt/invariant.hpp"

namespace assay::smt {

/// Runs `work` in a child process with an address-space limit and returns its answer; a child that dies, answers nothing or
/// takes longer than `seconds` gives `unknown` with what happened.
[[nodiscard]] SecondOpinion run_apart(const std::function<SecondOpinion()>& work, int seconds);

}  // namespace assay::smt
