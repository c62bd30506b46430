#pragma once

#include <filesystem>
#include <string>

#include "assay/certify/claim.hpp"

namespace assay::certify {

/// True of the kinds of proof whose statement is a request file.
[[nodiscard]] bool is_request_kind(const std::string& kind);
/// The request that the proof was checked with has the claim's formula as a line, which begins with the claim's kind and
/// the id that was accepted: the formula is what was proved, and not another of the signer's words.
[[nodiscard]] bool is_line_of_request(const Claim& claim, const std::filesystem::path& evidence);

}  // namespace assay::certify
