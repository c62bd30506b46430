#pragma once

#include <string>
#include <vector>

#include "exact_machine.hpp"

namespace assay::verify {

/// EXPORT: everything that can be reached from the prompts over edges that are not absent, minimised under the property's
/// atoms (ExactQuotient), as files (write_machine). A letter that is not decided is left open on its edge. Sentences for what
/// was not written: a budget that is used up, runs that end.
[[nodiscard]] std::vector<std::string> export_machine(const ExactInput& input,
                                                      WindowMachine& machine,
                                                      const spec::Property& property);

}  // namespace assay::verify
