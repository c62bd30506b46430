#include "seen.hpp"

#include "../emit/json_profile.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"

namespace assay::certify {

Seen load_seen(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    return {};
  }
  try {
    const nlohmann::json value =
        parse_profile_json(read_file(file, std::size_t{1} << 24U), file.string());
    const ObjectReader o(value, file.string());
    o.only({"trustVersion", "revocationSequence", "sequences"});
    Seen seen{o.count("trustVersion"), o.count("revocationSequence"), {}};
    const ObjectReader sequences = o.object("sequences");
    for (const auto& [uri, unused] : sequences.value().items()) {
      seen.sequences[uri] = sequences.count(uri.c_str());
    }
    return seen;
  } catch (const InputError& e) {
    throw UsageError(std::string("state: ") + e.what());
  }
}

void save_seen(const std::filesystem::path& file, const Seen& seen) {
  write_file_atomic(file, canonical_json({{"trustVersion", seen.trust_version},
                                          {"revocationSequence", seen.revocation_sequence},
                                          {"sequences", seen.sequences}}) +
                              "\n");
}

}  // namespace assay::certify
