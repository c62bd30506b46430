#include "session.hpp"

namespace assay::cli {

void add_prove(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
