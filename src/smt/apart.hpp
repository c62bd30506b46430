#pragma once

#include <functional>
#include <string>

#include "assay/smt/invariant.hpp"

namespace assay::smt {

/// What a child process wrote, or why it wrote nothing of use.
struct ApartText {
  std::string text, failure;
};

/// Runs `work` in a child process with limits on memory and processor time and nothing on its standard
/// output; it is killed after `seconds`, or when this process dies.
[[nodiscard]] ApartText text_apart(const std::function<std::string()>& work, int seconds);

/// Runs `work` in a child process with an address-space limit and returns its answer; a child that dies, answers nothing or
/// takes longer than `seconds` gives `unknown` with what happened.
[[nodiscard]] SecondOpinion run_apart(const std::function<SecondOpinion()>& work, int seconds);

}  // namespace assay::smt
