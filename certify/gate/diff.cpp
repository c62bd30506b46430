#include "assay/certify/diff.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "claim_diff.hpp"

namespace assay::certify {
namespace {

constexpr std::array<const char*, 8> kNames = {"added",        "removed",       "weakened",
                                               "strengthened", "same",          "reworded",
                                               "tool-change",  "dataset-change"};
constexpr std::size_t kMaxEvidence = std::size_t{64} << 20U;

const Claim* find(const Statement& statement, const std::string& id) {
  const auto it = std::find_if(statement.claims.begin(), statement.claims.end(),
                               [&](const Claim& c) { return c.id == id; });
  return it == statement.claims.end() ? nullptr : &*it;
}

/// Digests of the materials of these roles, by role and name, and of the environment's words about programs.
std::map<std::string, std::string> materials(const Statement& s,
                                             const std::set<std::string>& roles) {
  std::map<std::string, std::string> out;
  for (const Material& m : s.materials) {
    if (roles.contains(m.role)) {
      out[m.role + " " + m.name] = m.sha256.hex();
    }
  }
  return out;
}

void compare_materials(const DiffSide& old, const DiffSide& now, const std::set<std::string>& roles,
                       ChangeKind kind, std::vector<Change>& out) {
  const std::map<std::string, std::string> before = materials(old.statement, roles);
  const std::map<std::string, std::string> after = materials(now.statement, roles);
  std::string what;
  for (const auto& [name, digest] : before) {
    const auto it = after.find(name);
    if (it == after.end() || it->second != digest) {
      what += (what.empty() ? "" : ", ") + visible(name);
    }
  }
  for (const auto& [name, digest] : after) {
    if (!before.contains(name)) {
      what += (what.empty() ? "" : ", ") + visible(name);
    }
  }
  if (!what.empty()) {
    out.push_back({kind, "", "materials", "other bytes: " + what});
  }
}

}  // namespace

std::string change_name(ChangeKind kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<ChangeKind> parse_change(const std::string& name) {
  const auto it = std::find(kNames.begin(), kNames.end(), name);
  return it == kNames.end() ? std::nullopt
                            : std::optional(static_cast<ChangeKind>(it - kNames.begin()));
}

bool blocks(ChangeKind kind) {
  return kind == ChangeKind::removed || kind == ChangeKind::weakened ||
         kind == ChangeKind::tool_change || kind == ChangeKind::dataset_change;
}

std::optional<std::string> read_evidence(const DiffSide& side, const std::string& name) {
  const auto it = std::find_if(side.statement.evidence.begin(), side.statement.evidence.end(),
                               [&](const Evidence& e) { return e.name == name; });
  if (it == side.statement.evidence.end()) {
    return std::nullopt;
  }
  try {
    std::string bytes = read_file(side.evidence / name, kMaxEvidence);
    return sha256(bytes) == it->sha256 ? std::optional(std::move(bytes)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::vector<Change> diff(const DiffSide& old, const DiffSide& now) {
  std::vector<Change> out;
  for (const Claim& claim : old.statement.claims) {
    if (const Claim* again = find(now.statement, claim.id)) {
      for (Change& change : compare_claims(old, claim, now, *again)) {
        out.push_back(std::move(change));
      }
    } else {
      out.push_back({ChangeKind::removed, claim.id, "claim",
                     "it was " + status_name(claim.status) + ": " + visible(claim.text)});
    }
  }
  for (const Claim& claim : now.statement.claims) {
    if (find(old.statement, claim.id) == nullptr) {
      out.push_back({ChangeKind::added, claim.id, "claim", visible(claim.text)});
    }
  }
  compare_materials(old, now, {"tool", "solver", "checker"}, ChangeKind::tool_change, out);
  compare_materials(old, now, {"dataset"}, ChangeKind::dataset_change, out);
  return out;
}

}  // namespace assay::certify
