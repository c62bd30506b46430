// Any bytes: either a UsageError with a place, or a spec whose printed form parses to the same
// print, says itself in words, and whose automata stay within their limits.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "assay/base/errors.hpp"
#include "assay/spec/explain.hpp"
#include "assay/spec/print.hpp"
#include "assay/spec/spec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace assay::spec;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  Spec spec;
  std::string once;
  try {
    spec = parse_spec(bytes, "fuzz");
    once = print_spec(spec);
  } catch (const assay::UsageError&) {
    return 0;
  }
  spec = parse_spec(once, "fuzz");  // what was printed is read again, or the fuzzer has found a bug
  if (print_spec(spec) != once) {
    std::abort();
  }
  for (const Property& property : spec.properties) {
    try {
      if (size <= 400 && atoms_of(property.formula).size() <= 4) {
        (void)explain(spec, property);
      } else {
        (void)sentence(spec, property);
      }
    } catch (const assay::UsageError&) {
      continue;
    }
  }
  return 0;
}
