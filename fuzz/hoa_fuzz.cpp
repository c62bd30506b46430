// Any bytes: either an InputError, or an automaton whose printed form reads back to the same print.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "assay/automata/hoa.hpp"
#include "assay/base/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const std::string once = assay::automata::to_hoa(assay::automata::parse_hoa(bytes, "fuzz"));
    if (assay::automata::to_hoa(assay::automata::parse_hoa(once, "fuzz")) != once) {
      std::abort();
    }
  } catch (const assay::InputError&) {
    return 0;
  }
  return 0;
}
