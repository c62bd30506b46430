#pragma once

#include <string>

#include "session.hpp"

namespace assay::cli {

struct ProvedOptions {
  bool on = false;  ///< --proved
  std::string decoder, prompts;
  std::size_t states = 2'000'000, threads = 1, slope_steps = 0, rounds = 1;
};

/// `assay automaton --proved`: the closed suffix machine, its precision, and containment of
/// sampled runs. A soundness alarm is Error(internal).
void run_proved(const ProvedOptions& options, const std::string& model, const std::string& out,
                std::size_t runs, std::size_t max_new, std::uint64_t seed, Session& session);

}  // namespace assay::cli
