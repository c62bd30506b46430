#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/base/text.hpp"
#include "assay/certify/repair.hpp"

namespace assay::certify {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kDigits = 4;

constexpr const char* kCostWords =
    "mean over the predicted tokens t of the held-out text of -ln((1 - 1/100) q(t) + 1/(100 V)), q "
    "being what the decoder draws the next token from and V the number of tokens; OBSERVED. model: "
    "mean of -ln softmax(logits)(t)";

Json cost_json(const RemedyCost& c) {
  return {{"tokens", c.tokens},
          {"before", fixed(c.before, kDigits)},
          {"after", fixed(c.after, kDigits)},
          {"added", fixed(c.added(), kDigits)},
          {"modelBefore", fixed(c.model_before, kDigits)},
          {"modelAfter", fixed(c.model_after, kDigits)},
          {"notEmittedBefore", c.outside_before},
          {"notEmittedAfter", c.outside_after}};
}

Json attempt_json(const Attempt& a) {
  Json out = {{"kind", a.kind}, {"change", a.words}, {"outcome", stage_name(a.stage)}};
  if (!a.outcome.empty()) {
    out["reason"] = a.outcome;
  }
  out["trials"] = a.trials;
  if (a.cost) {
    out["crossEntropy"] = cost_json(*a.cost);
  }
  return out;
}

std::string cost_words(const RemedyCost& c) {
  return "cross-entropy " + fixed(c.before, kDigits) + " -> " + fixed(c.after, kDigits) +
         " nats (" + (c.added() < 0 ? "" : "+") + fixed(c.added(), kDigits) + "), not emitted " +
         std::to_string(c.outside_before) + " -> " + std::to_string(c.outside_after) + " of " +
         std::to_string(c.tokens) + " held-out tokens";
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string change_mark(const ClaimChange& c) {
  return !c.broken.empty()         ? "broken: " + c.broken
         : c.before == "not asked" ? "new"
         : c.before == c.after && c.bound_before != c.bound_after
             ? "bound " + c.bound_before + " -> " + c.bound_after
         : c.before == c.after ? "same"
                               : "changed";
}

std::string changes_text(const RepairResult& result) {
  std::size_t id = 5, before = 6, after = 5;
  for (const ClaimChange& c : result.changes) {
    id = std::max(id, visible(c.id).size());
    before = std::max(before, c.before.size());
    after = std::max(after, c.after.size());
  }
  std::string out = "  " + padded("claim", id) + "  " + padded("before", before) + "  " +
                    padded("after", after) + "\n";
  for (const ClaimChange& c : result.changes) {
    out += "  " + padded(visible(c.id), id) + "  " + padded(c.before, before) + "  " +
           padded(c.after, after) + "  " + change_mark(c) + "\n";
  }
  return out;
}

std::string headline(const RepairResult& result) {
  if (result.chosen) {
    const bool whole = result.verdict && result.verdict->result == Status::holds;
    return std::string(whole ? "REPAIRED" : "REMEDY FOUND") + ": '" + visible(result.claim) +
           "' holds (PROVED), and every claim that held holds: " +
           result.attempts[*result.chosen].words;
  }
  if (result.claim.empty()) {
    return "nothing to repair: no claim of the case's checks or bounds is violated";
  }
  return (result.interrupted ? "STOPPED: no remedy was found yet for '"
                             : "NO REMEDY was found for '") +
         visible(result.claim) + "'";
}

std::string list(const std::vector<std::string>& ids) {
  std::string out;
  for (const std::string& id : ids) {
    out += (out.empty() ? "" : ", ") + visible(id);
  }
  return out;
}

}  // namespace

const char* stage_name(Attempt::Stage stage) {
  switch (stage) {
    case Attempt::Stage::refused:
      return "not possible";
    case Attempt::Stage::failed:
      return "does not help";
    case Attempt::Stage::holds:
      return "makes the claim hold";
    case Attempt::Stage::rejected:
      return "rejected";
    default:
      return "chosen";
  }
}

std::string repair_json(const RepairResult& result) {
  Json out = {{"assay-repair", 1},
              {"previous", result.original.payload_sha256},
              {"claim", result.claim},
              {"result", headline(result)},
              {"costIs", kCostWords}};
  out["attempts"] = Json::array();
  for (const Attempt& a : result.attempts) {
    out["attempts"].push_back(attempt_json(a));
  }
  if (result.chosen) {
    out["chosen"] = *result.chosen;
    out["certificate"] = result.envelope.filename().string();
    out["payloadSha256"] = result.payload_sha256;
    out["doubts"] = result.doubts;
    const Verdict& v = *result.verdict;
    out["verdict"] = {{"result", status_name(v.result)},
                      {"holds", v.holds},
                      {"violated", v.violated},
                      {"unknown", v.unknown}};
    out["claims"] = Json::array();
    for (const ClaimChange& c : result.changes) {
      Json row = {{"id", c.id}, {"text", c.text}, {"before", c.before}, {"after", c.after}};
      if (c.bound_before != c.bound_after) {
        row["bound"] = {c.bound_before, c.bound_after};
      }
      out["claims"].push_back(row);
    }
  }
  out["otherViolated"] = result.other_violated;
  return out.dump(1) + "\n";
}

std::string repair_text(const RepairResult& result) {
  std::string out;
  for (std::size_t i = 0; i < result.attempts.size(); ++i) {
    const Attempt& a = result.attempts[i];
    out += padded(stage_name(a.stage), 20) + "  " + visible(a.words) + "\n";
    if (a.cost) {
      out += "    " + cost_words(*a.cost) + "\n";
    }
    for (const std::string& trial : a.trials) {
      out += "    tried: " + visible(trial) + "\n";
    }
    out += a.outcome.empty() ? "" : "    " + visible(a.outcome) + "\n";
  }
  if (result.chosen) {
    out += "\n" + changes_text(result);
  }
  out += (out.empty() ? "" : "\n") + headline(result) + "\n";
  for (const std::string& doubt : result.doubts) {
    out += "  doubt: " + visible(doubt) + "\n";
  }
  if (result.chosen) {
    const Verdict& v = *result.verdict;
    out += "  the new certificate: " + std::to_string(v.holds) + " hold, " +
           std::to_string(v.violated) + " violated, " + std::to_string(v.unknown) +
           " unknown; it follows " + result.original.payload_sha256 + "\n";
  }
  if (!result.other_violated.empty()) {
    out += "  also violated before (--claim): " + list(result.other_violated) + "\n";
  }
  out.pop_back();
  return out;
}

}  // namespace assay::certify
