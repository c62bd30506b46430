#include "session.hpp"

namespace assay::cli {

void add_train(CLI::App& /*app*/, Session& /*session*/) {}

}  // namespace assay::cli
