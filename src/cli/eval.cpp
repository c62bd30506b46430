#include "session.hpp"

namespace assay::cli {

void add_eval(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
