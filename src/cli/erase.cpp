#include "session.hpp"

namespace assay::cli {

void add_erase(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
