#include "session.hpp"

namespace assay::cli {

void add_key(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
