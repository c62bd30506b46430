// Any bytes: either an InputError or a tokenizer that encodes anything to known ids.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "assay/base/errors.hpp"
#include "assay/model/tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const assay::Tokenizer tokenizer = assay::Tokenizer::parse(bytes, "fuzz");
    for (const assay::TokenId token : tokenizer.encode(bytes)) {
      if (token.at() >= tokenizer.size()) {
        std::abort();
      }
    }
  } catch (const assay::InputError&) {
    return 0;
  }
  return 0;
}
