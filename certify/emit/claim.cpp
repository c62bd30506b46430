#include "assay/certify/claim.hpp"

#include <algorithm>
#include <array>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/statement.hpp"

namespace assay::certify {
namespace {

constexpr std::array<const char*, 4> kLevels = {"ASSUMED", "OBSERVED", "STATISTICAL", "PROVED"};
constexpr std::array<const char*, 3> kStatuses = {"HOLDS", "VIOLATED", "UNKNOWN"};

template <std::size_t N>
std::size_t position(const std::array<const char*, N>& words, const std::string& word,
                     const char* what) {
  for (std::size_t i = 0; i < N; ++i) {
    if (word == words[i]) {
      return i;
    }
  }
  throw InputError(std::string(what) + ": unknown word '" + visible(word) + "'");
}

}  // namespace

std::string level_name(Level level) {
  return kLevels[static_cast<std::size_t>(level)];
}
std::string status_name(Status status) {
  return kStatuses[static_cast<std::size_t>(status)];
}

Level parse_level(const std::string& word) {
  return static_cast<Level>(position(kLevels, word, "level"));
}

Status parse_status(const std::string& word) {
  return static_cast<Status>(position(kStatuses, word, "status"));
}

Level chain_level(const std::vector<Link>& chain) {
  Level weakest = Level::proved;
  bool any = false;
  for (const Link& link : chain) {
    if (link.level != Level::assumed) {
      weakest = std::min(weakest, link.level);
      any = true;
    }
  }
  return any ? weakest : Level::assumed;
}

Verdict verdict_of(const std::vector<Claim>& claims) {
  Verdict v;
  for (const Claim& claim : claims) {
    switch (claim.status) {
      case Status::violated:
        ++v.violated;
        break;
      case Status::unknown:
        ++v.unknown;
        break;
      case Status::holds:
        ++v.holds;
        v.proved += claim.level == Level::proved ? 1U : 0U;
        v.statistical += claim.level == Level::statistical ? 1U : 0U;
        v.observed += claim.level == Level::observed ? 1U : 0U;
        v.assumed += claim.level == Level::assumed ? 1U : 0U;
        break;
    }
  }
  v.result = v.violated > 0                                ? Status::violated
             : !claims.empty() && v.holds == claims.size() ? Status::holds
                                                           : Status::unknown;
  return v;
}

}  // namespace assay::certify
