#include "session.hpp"

namespace assay::cli {

void add_verify(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
