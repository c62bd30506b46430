#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "assay/base/digest.hpp"
#include "assay/base/index.hpp"
#include "assay/model/decoder.hpp"

namespace assay::automata {

/// One state of the fitted automaton: a block of tokens, the dominant live feature (if any),
/// and the truth of the spec's atoms there (bit i = aps[i]; unknown bits are in may, not must).
struct FittedState {
  std::string name;           ///< what a person reads: token block and the feature's name
  std::string token_block;    ///< e.g. "digit", "<", "lower"
  std::int64_t feature = -1;  ///< dominant feature, -1 for none
  std::uint64_t must = 0;
  std::uint64_t may = 0;
  std::uint64_t count = 0;  ///< visits
};

struct FittedEdge {
  StateId from, to;
  std::uint64_t count = 0;
};

/// The empirical feature automaton: counts on model-sampled text. OBSERVED; an unseen edge is
/// not an absent one. Bytes: docs/certificate-format.md, "Kind automaton".
struct FittedAutomaton {
  std::vector<std::string> aps;
  Decoder decoder;
  std::vector<std::vector<TokenId>> prompts;  ///< each run starts from one of these
  std::size_t max_new = 0;
  std::size_t runs = 0;
  std::uint64_t seed = 0;
  std::vector<FittedState> states;
  std::vector<std::pair<StateId, std::uint64_t>> initial;  ///< sorted
  std::vector<FittedEdge> edges;                           ///< sorted by (from, to)
  std::vector<std::vector<TokenId>> samples;  ///< prompt+tokens of each run (not in the JSON core)
  std::vector<std::size_t> sample_prompts;    ///< which prompt each sample began with
};

/// Throws InputError on anything not of the documented form (sorted, unique, must within may).
[[nodiscard]] FittedAutomaton parse_automaton(const std::string& json, const std::string& file);
[[nodiscard]] std::string automaton_json(const FittedAutomaton& automaton);

}  // namespace assay::automata
