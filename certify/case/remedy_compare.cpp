#include <algorithm>

#include "claim_compare.hpp"
#include "remedy.hpp"

namespace assay::certify {
namespace {

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
    return "it is " + verdict_words(now) + (now->reason.empty() ? "" : ": " + now->reason);
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
    const Claim* const other = find_claim(now.claims, claim.id);
    out.push_back(
        {claim.id, claim.text, verdict_words(&claim), verdict_words(other), claim.bound,
         other == nullptr ? "" : other->bound,
         claim.status == Status::holds ? broken(claim, other, old_decoder, new_decoder) : ""});
  }
  for (const Claim& claim : now.claims) {
    if (find_claim(old.claims, claim.id) == nullptr) {
      out.push_back({claim.id, claim.text, verdict_words(nullptr), verdict_words(&claim), "",
                     claim.bound, ""});
    }
  }
  return out;
}

}  // namespace assay::certify
