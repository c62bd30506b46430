#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "assay/certify/claim.hpp"

namespace assay::certify {

/// Options of `assay-check` that a certificate may fill. `model` is not among them: the
/// verifier alone says which model is checked.
inline constexpr std::array<const char*, 9> kCheckOptions = {
    "automaton", "data", "eraser", "readout", "request", "runs", "sae", "spec", "tokenizer"};

/// The evidence file or folder that an input names: what follows "NAME=" in a readout's.
[[nodiscard]] std::string evidence_name(const CheckInput& input);

struct AcceptLine {
  std::string claim;
  Level level = Level::assumed;
  std::string statement;
};

/// What one run of the independent checker said.
struct CheckerRun {
  bool accepted = false;            ///< exit 0 and at least one ACCEPT line
  std::vector<AcceptLine> accepts;  ///< in the order printed
  std::string message;              ///< the REJECT line, or why the run counts for nothing
  std::string output;
};

/// `assay-check` beside the running program.
[[nodiscard]] std::filesystem::path checker_beside_program();

/// Runs `checker CERT --model DIR --option PATH …` (no model: without the first) without a shell, output captured (16 MiB at
/// most), killed after `timeout_seconds`. Paths are `evidence_dir`/name. Never throws on what
/// the checker does; throws InputError on an option outside kCheckOptions.
[[nodiscard]] CheckerRun run_checker(const std::filesystem::path& checker,
                                     const std::filesystem::path& model_dir,
                                     const std::filesystem::path& evidence_dir,
                                     const std::string& certificate,
                                     const std::vector<CheckInput>& inputs,
                                     int timeout_seconds = 600);

}  // namespace assay::certify
