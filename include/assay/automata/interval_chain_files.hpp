#pragma once

#include <map>
#include <string>
#include <vector>

#include "assay/automata/interval_chain.hpp"

namespace assay::automata {

/// A chain with names for sets of states, as files hold it.
struct LabelledChain {
  IntervalChain chain;
  std::map<std::string, std::vector<bool>> labels;  ///< "init" among them; [states]
};

/// Storm's DRN (`@type: DTMC`; value types double, rational, double-interval, rational-interval,
/// also gone without). Numbers are read exactly and rounded outward to the grid; a point becomes
/// the interval around it. Limits: 256 MiB, 4,000,000 states, 40,000,000 edges. Throws InputError
/// "FILE:LINE: expected …, found …"; rewards, parameters, several actions and other types are
/// refused by name.
[[nodiscard]] LabelledChain parse_drn(const std::string& text, const std::string& file);

/// What parse_drn reads back as the same chain: rational intervals with denominator 2^40.
[[nodiscard]] std::string to_drn(const LabelledChain& labelled);

/// PRISM's explicit files of an interval DTMC: transitions and labels, decimals that are exact.
struct PrismFiles {
  std::string tra, lab;
};
[[nodiscard]] PrismFiles to_prism(const LabelledChain& labelled);

}  // namespace assay::automata
