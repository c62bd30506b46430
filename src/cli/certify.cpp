#include "session.hpp"

namespace assay::cli {

void add_certify(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
