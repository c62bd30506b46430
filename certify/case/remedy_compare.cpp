#include <algorithm>

#include "remedy.hpp"

namespace assay::certify {
namespace {

const Claim* find(const std::vector<Claim>& claims, const std::string& id) {
  const auto found =
      std::find_if(claims.begin(), claims.end(), [&](const Claim& c) { return c.id == id; });
  return found == claims.end() ? nullptr : &*found;
}

std::string without_spaces(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

std::string words(const Claim* claim) {
  return claim == nullptr ? "not asked"
         : claim->status == Status::unknown
             ? "UNKNOWN"
             : status_name(claim->status) + " (" + level_name(claim->level) + ")";
}

/// Figures about data of the model, made anew with it: their formula names that data.
bool is_about_data(const Claim& claim) {
  return claim.kind != "spec" && is_erasure_kind(claim.kind);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = from.empty() ? std::string::npos : text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// Why a claim that held is no longer kept, or "".
std::string broken(const Claim& old, const Claim* now, const std::string& old_decoder,
                   const std::string& new_decoder) {
  if (now == nullptr) {
    return "it is not asked any more";
  }
  if (now->status != Status::holds) {
    return "it is " + words(now) + (now->reason.empty() ? "" : ": " + now->reason);
  }
  if (now->level < old.level) {
    return "its level fell to " + level_name(now->level);
  }
  if (now->kind != old.kind && !(is_check_kind(now->kind) && is_check_kind(old.kind))) {
    return "it is of another kind";
  }
  if (is_about_data(old)) {
    return "";
  }
  if (without_spaces(now->formal) != without_spaces(old.formal)) {
    return "it is another formula";
  }
  if (is_check_kind(old.kind) && now->domain != old.domain &&
      now->domain != replaced(old.domain, old_decoder, new_decoder)) {
    return "it is of another domain: " + now->domain;
  }
  return "";
}

}  // namespace

std::vector<ClaimChange> compare_claims(const Statement& old, const Statement& now,
                                        const std::string& old_decoder,
                                        const std::string& new_decoder) {
  std::vector<ClaimChange> out;
  for (const Claim& claim : old.claims) {
    const Claim* const other = find(now.claims, claim.id);
    out.push_back(
        {claim.id, claim.text, words(&claim), words(other), claim.bound,
         other == nullptr ? "" : other->bound,
         claim.status == Status::holds ? broken(claim, other, old_decoder, new_decoder) : ""});
  }
  for (const Claim& claim : now.claims) {
    if (find(old.claims, claim.id) == nullptr) {
      out.push_back({claim.id, claim.text, words(nullptr), words(&claim), "", claim.bound, ""});
    }
  }
  return out;
}

}  // namespace assay::certify
