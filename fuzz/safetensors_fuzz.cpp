// Any bytes: either an InputError or a file whose written form reads back to itself.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "assay/base/errors.hpp"
#include "assay/model/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const std::string once = assay::to_safetensors(assay::parse_safetensors(bytes, "fuzz"));
    if (assay::to_safetensors(assay::parse_safetensors(once, "fuzz")) != once) {
      std::abort();
    }
  } catch (const assay::InputError&) {
    return 0;
  }
  return 0;
}
