#include "session.hpp"

namespace assay::cli {

void add_spec(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
