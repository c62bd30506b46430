#include "request_claim.hpp"

#include <algorithm>
#include <vector>

#include "assay/base/files.hpp"
#include "assay/base/text.hpp"

namespace assay::certify {
namespace {

constexpr std::size_t kMaxRequest = std::size_t{16} << 20U;  // as the checker reads

}  // namespace

bool is_request_kind(const std::string& kind) {
  return kind == "bounds" || kind == "site" || kind == "erasure";
}

bool is_line_of_request(const Claim& claim, const std::filesystem::path& evidence) {
  const Recheck& recheck = *claim.recheck;
  const auto request = std::find_if(recheck.inputs.begin(), recheck.inputs.end(),
                                    [](const CheckInput& i) { return i.option == "request"; });
  if (request == recheck.inputs.end()) {
    return false;
  }
  const std::vector<std::string> lines =
      split(read_file(evidence / request->name, kMaxRequest), '\n');
  return claim.formal.starts_with(claim.kind + " " + recheck.accepts + " ") &&
         std::find(lines.begin(), lines.end(), claim.formal) != lines.end();
}

}  // namespace assay::certify
