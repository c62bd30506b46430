#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/automata/binomial.hpp"
#include "assay/automata/interval_chain.hpp"
#include "assay/automata/window_code.hpp"
#include "assay/spec/dfa.hpp"

namespace assay::verify {

/// What is shown of P(φ): over every prompt and whatever nature picks, least <= P(φ) <= most.
struct ChanceBounds {
  automata::Grid least = 0, most = automata::kGridOne;
  std::string claim, event;            ///< "Pmax <= 1/1000 [φ]"; what is reached, in words
  std::optional<std::size_t> horizon;  ///< tokens; none: runs of any length
  std::size_t edges = 0, sweeps = 0, sampled = 0, hits = 0;  ///< sampled: STATISTICAL runs
  std::vector<TokenId> sampled_prompt;
  automata::Proportion interval;  ///< Clopper-Pearson at 99 %
};

/// A claim Pmax or Pmin that is decided, with what the checker needs (CHANCE).
struct ExactChance {
  struct Value {
    automata::WindowCode window = 0;
    std::uint32_t spec = 0;
    automata::Grid value = 0;
  };
  bool holds = false, checkable = false;  ///< checkable: within what assay-check re-evaluates
  spec::Dfa event;                        ///< of the event that is reached
  std::string steps;                      ///< exact steps, or "values"
  std::vector<TokenId> prompt;            ///< the one that violates; empty: all hold
  std::vector<Value> values;              ///< UPPER, by window and state
};

}  // namespace assay::verify
