#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace assay::certify {

struct ChildResult {
  bool started = false;
  bool timed_out = false;
  bool too_much_output = false;
  int exit_code = -1;  ///< -1 when ended by a signal
  std::string output;  ///< stdout and stderr as they came
};

/// Runs `arguments[0]` (a path, no search) with the rest as its arguments: no shell, stdin
/// empty. The child is killed at the time limit or when it prints more than `max_output` bytes.
[[nodiscard]] ChildResult run_child(const std::vector<std::string>& arguments, int timeout_seconds,
                                    std::size_t max_output);

}  // namespace assay::certify
