#pragma once

#include <string>

#include "assay/certify/diff.hpp"

namespace assay::certify {

/// What two lines of request files say of each other: of one kind and about one object, the suffix that a context ends in may
/// become shorter, a `domain` larger, a limit tighter. Anything else that differs is not shown to be as strong.
struct RequestOrder {
  bool now_implies_old = false, old_implies_now = false;
  bool other_data = false;  ///< the digests of data or labels differ
  std::string aspect;       ///< of the first difference: domain, bound, formula
  std::string reason;
};
/// `old_request` and `now_request` are the files of the lines, for the domains that they name.
[[nodiscard]] RequestOrder compare_requests(const std::string& old_line,
                                            const std::string& old_request,
                                            const std::string& now_line,
                                            const std::string& now_request);

/// The number that a proof's request bounds the claim's quantity by from above ("max-r2 1/100", "hi 0x1p+1"), or "".
[[nodiscard]] std::string upper_limit(const std::string& line);

}  // namespace assay::certify
