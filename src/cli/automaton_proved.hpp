#pragma once

#include <string>
#include <vector>

#include "session.hpp"

namespace assay::cli {

struct ProvedOptions {
  bool on = false;      ///< --proved
  bool resume = false;  ///< go on with what --out holds
  std::string decoder, prompts;
  std::size_t states = 2'000'000, threads = 1, slope_steps = 0, rounds = 1;
};

/// What `assay automaton` asks in both modes.
struct ProvedSubject {
  std::string model, out, sae;
  std::vector<std::string> specs, readouts, properties;
  std::size_t runs = 0, max_new = 0;
  std::uint64_t seed = 0;
};

/// `assay automaton --proved`: the closed suffix machine, its precision, containment of sampled runs, and the verdicts
/// of a spec. A soundness alarm is Error(internal).
void run_proved(const ProvedOptions& options, const ProvedSubject& subject, Session& session);

}  // namespace assay::cli
