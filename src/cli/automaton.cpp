#include "session.hpp"

namespace assay::cli {

void add_automaton(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
