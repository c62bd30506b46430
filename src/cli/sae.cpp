#include "session.hpp"

namespace assay::cli {

void add_sae(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
