#pragma once

#include <cstddef>
#include <cstdint>

namespace assay {

/// Whether this processor has instructions for SHA-256.
[[nodiscard]] bool has_sha_instructions();
/// The compression function on whole blocks of 64 bytes. @pre has_sha_instructions()
void sha256_blocks(std::uint32_t* state, const char* data, std::size_t blocks);

}  // namespace assay
