#include "session.hpp"

namespace assay::cli {

void add_run(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
