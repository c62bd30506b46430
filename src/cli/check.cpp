#include "session.hpp"

namespace assay::cli {

void add_check(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
