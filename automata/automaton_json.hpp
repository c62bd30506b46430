#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "assay/automata/feature_automaton.hpp"

namespace assay::automata {

/// The documented keys of automaton.json, in order.
[[nodiscard]] nlohmann::ordered_json core_json(const FittedAutomaton& automaton);
/// Deterministic bytes of an object, one top-level key a line.
[[nodiscard]] std::string layout(const nlohmann::ordered_json& root);

}  // namespace assay::automata
