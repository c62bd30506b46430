#pragma once

#include <string>
#include <vector>

#include "assay/verify/closed.hpp"
#include "automaton_proved.hpp"
#include "check_subject.hpp"

namespace assay::cli {

/// The spec that is read on the closed machine, and what it says.
struct Reading {
  Subject subject;
  std::vector<verify::ClosedProperty> properties;
};

/// The spec and every file it uses; resolved here when it is not. @pre options.specs is not empty
void load_reading(const ProvedSubject& options, Reading& reading);

/// Decides the properties; their words, and `object` gets "properties". @pre the graph is complete
[[nodiscard]] std::string read_spec(Reading& reading, const automata::Emission& emission,
                                    const verify::PromptSet& prompts,
                                    const automata::ClosedGraph& graph,
                                    nlohmann::ordered_json& object);

}  // namespace assay::cli
