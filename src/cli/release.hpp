#pragma once

#include "session.hpp"

namespace assay::cli {

// What a release pipeline and its verifiers run; one file per command, as in session.hpp.
void add_sign(CLI::App& app, Session& session);   // sign, revoke
void add_trust(CLI::App& app, Session& session);  // trust show | sign | check
void add_diff(CLI::App& app, Session& session);   // diff
void add_gate(CLI::App& app, Session& session);   // gate

}  // namespace assay::cli
