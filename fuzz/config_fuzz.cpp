// Any bytes: either an InputError or a config whose printed form parses to the same print.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "assay/base/errors.hpp"
#include "assay/model/transformer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const std::string once = assay::config_json(assay::parse_config(bytes, "fuzz"));
    if (assay::config_json(assay::parse_config(once, "fuzz")) != once) {
      std::abort();
    }
  } catch (const assay::InputError&) {
    return 0;
  }
  return 0;
}
