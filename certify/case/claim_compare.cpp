#include "claim_compare.hpp"

#include <algorithm>

namespace assay::certify {

const Claim* find_claim(const std::vector<Claim>& claims, const std::string& id) {
  const auto found =
      std::find_if(claims.begin(), claims.end(), [&](const Claim& c) { return c.id == id; });
  return found == claims.end() ? nullptr : &*found;
}

std::string without_spaces(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

std::string verdict_words(const Claim* claim) {
  return claim == nullptr ? "not asked"
         : claim->status == Status::unknown
             ? "UNKNOWN"
             : status_name(claim->status) + " (" + level_name(claim->level) + ")";
}

}  // namespace assay::certify
