#pragma once

#include <string>

#include "assay/verify/refined.hpp"

namespace assay::verify {

/// `assay-cert 1`, kind refined; "" when nothing was decided. `sae` as that of the bounder.
[[nodiscard]] std::string refined_certificate(const RefinedInput& input,
                                              const RefinedResult& result,
                                              bounds::LemmaBounder& bounder, const Sae* sae);

}  // namespace assay::verify
