#include "session.hpp"

namespace assay::cli {

void add_features(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
