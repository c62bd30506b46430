#include <cstddef>
#include <cstdint>
#include <string>

#include "automaton.hpp"
#include "progression.hpp"
#include "reject.hpp"
#include "request.hpp"
#include "sae.hpp"
#include "safetensors.hpp"
#include "spec.hpp"

/// The checker's readers: the first byte chooses one. Reject is the only way out but success.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace assay_check;
  if (size == 0) {
    return 0;
  }
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 5) {
      case 0:
        static_cast<void>(parse_automaton(bytes, "input"));
        break;
      case 1:
        static_cast<void>(parse_request(bytes, "input"));
        break;
      case 2:
        static_cast<void>(Safetensors(bytes, "input"));
        break;
      case 3:
        static_cast<void>(read_readout(bytes, "input"));
        break;
      default: {
        Spec spec = parse_spec(bytes, "input");
        for (const SpecProperty& property : spec.properties) {
          Progression monitor(spec.formulas, property.formula);
          static_cast<void>(monitor.step(monitor.step(monitor.initial(), 1), 2));
        }
      }
    }
  } catch (const Reject&) {
    return 0;
  }
  return 0;
}
