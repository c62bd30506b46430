#include "session.hpp"

namespace assay::cli {

void add_report(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
