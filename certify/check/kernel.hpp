#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace assay_check {

/// The files a check is about, as named on the command line.
struct Inputs {
  std::string certificate, model;
  std::optional<std::string> sae, eraser, automaton, runs, chain, machine, spec, request;
  std::vector<std::pair<std::string, std::string>> readouts;  ///< NAME, FILE
  std::vector<std::string> data;
};

/// What is printed; `accepted` is true on one path only.
struct Outcome {
  bool accepted = false;
  std::vector<std::string> lines;
};

/// Reads the certificate and decides. Never throws: whatever goes wrong is a rejection.
/// `print` gets the lines of an acceptance, one after the other, in place of Outcome.
[[nodiscard]] Outcome check(const Inputs& inputs,
                            const std::function<void(const std::string&)>& print = {}) noexcept;

}  // namespace assay_check
