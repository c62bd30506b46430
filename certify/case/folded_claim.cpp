#include "folded_claim.hpp"

#include <algorithm>

#include "../emit/json_profile.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/erase/in_model.hpp"
#include "case_run.hpp"
#include "claim_compare.hpp"

namespace assay::certify {
namespace {

constexpr int kDigits = 6;

}  // namespace

Claim fold_claim(const erase::LoadedEraser& eraser, const Digest& base_weights,
                 const std::vector<std::string>& evidence) {
  const std::string name = eraser.origin.labelled.empty() ? "a site" : eraser.origin.labelled;
  Claim c;
  c.id = "erasure.folded";
  c.kind = kFoldKind;
  c.formal = "fold " + base_weights.hex() + " " + eraser.config.hex() + " " + eraser.weights.hex();
  c.text = "The model is the base model with the eraser of '" + name + "' at " +
           eraser.eraser.hook + " folded into its weights, byte for byte.";
  c.domain = "config.json and model.safetensors of the subject";
  c.status = Status::holds;
  c.level = Level::observed;
  c.chain = {{"the eraser was folded again into the base model's weights, and the bytes compared",
              Level::observed}};
  c.evidence = evidence;
  if (erase::bypass_of(eraser.eraser.hook) == erase::Bypass::residual) {
    c.defeaters.push_back({"Bypassed by " + erase::bypass_text(eraser.eraser.hook) +
                               ": nothing is claimed beyond the site.",
                           "open"});
  }
  c.defeaters.push_back(
      {"Weights are float32: the fold is the eraser in double, each weight rounded once.",
       "accepted"});
  return c;
}

std::string fold_difference(const erase::Fold& fold, const Digest& config, const Digest& weights,
                            const std::filesystem::path& scratch) {
  save_transformer(scratch, fold.model);
  if (sha256_file(scratch / "model.safetensors") != weights) {
    return "model.safetensors is not the base model's with the eraser folded in";
  }
  if (sha256_file(scratch / "config.json") != config) {
    return "config.json is not the one of the base model with the eraser folded in";
  }
  return "";
}

Claim cost_claim(const erase::LogitChange& change, const Digest& sequences) {
  Claim c;
  c.id = "erasure.cost";
  c.kind = kCostKind;
  c.formal = "cross-entropy of " + sequences.hex() + " before " + fixed(change.ce_before, kDigits) +
             " after " + fixed(change.ce_after, kDigits);
  c.text = "Mean next-token cross-entropy is " + fixed(change.ce_before, kDigits) +
           " nats before the erasure and " + fixed(change.ce_after, kDigits) +
           " after it; the likeliest token is another one at " +
           std::to_string(change.top_changed) + " of " + std::to_string(change.tokens) +
           " positions.";
  c.domain = std::to_string(change.predicted) + " predicted tokens of the listed held-out text";
  c.bound = fixed(change.ce_after - change.ce_before, kDigits);
  c.unit = "nats per token";
  c.status = Status::holds;
  c.level = Level::observed;
  c.chain = {{"both models were run on the listed sequences, in double", Level::observed}};
  c.evidence = {kSequences};
  return c;
}

erase::LogitChange cost_of(const Transformer& base, const Transformer& subject,
                           const std::vector<std::vector<TokenId>>& sequences) {
  return erase::measure_change(
      sequences, [&](const std::vector<TokenId>& t) { return forward(base, t).logits; },
      [&](const std::vector<TokenId>& t) { return forward(subject, t).logits; });
}

std::string sequences_json(const std::vector<std::vector<TokenId>>& sequences) {
  nlohmann::json rows = nlohmann::json::array();
  for (const std::vector<TokenId>& sequence : sequences) {
    nlohmann::json row = nlohmann::json::array();
    for (const TokenId token : sequence) {
      row.push_back(token.at());
    }
    rows.push_back(std::move(row));
  }
  return canonical_json({{"assay-sequences", 1}, {"tokens", rows}}) + "\n";
}

std::vector<std::vector<TokenId>> parse_sequences(const std::string& json, std::size_t vocabulary) {
  const nlohmann::json value = parse_profile_json(json, kSequences);
  const nlohmann::json rows =
      value.is_object() ? value.value("tokens", nlohmann::json()) : nlohmann::json();
  const auto refuse = [](const std::string& found) {
    throw InputError(kSequences, "tokens", "a list of lists of token ids", found);
  };
  std::vector<std::vector<TokenId>> out;
  if (!rows.is_array()) {
    refuse("something else");
  }
  for (const nlohmann::json& row : rows) {
    if (!row.is_array() || row.empty()) {
      refuse("something else");
    }
    out.emplace_back();
    for (const nlohmann::json& id : row) {
      if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= vocabulary) {
        refuse("an id outside the vocabulary");
      }
      out.back().emplace_back(id.get<std::uint32_t>());
    }
  }
  return out;
}

bool is_asked_of_both(const Claim& claim) {
  return claim.kind == "spec" || is_check_kind(claim.kind);
}

Table folded_table(const Statement& statement) {
  Table table{"erasure-properties",
              "The other properties, before and after the erasure",
              "Each property of the case, asked of the base model and of the model with the eraser "
              "folded in. Both verdicts have their proofs among the evidence, and both are checked "
              "again by verification.",
              {"Property", "What it says", "Before", "After"},
              {}};
  for (const Claim& claim : statement.claims) {
    if (is_asked_of_both(claim)) {
      table.rows.push_back({claim.id, claim.text,
                            verdict_words(find_claim(statement.before, claim.id)),
                            verdict_words(&claim)});
    }
  }
  return table;
}

std::string unlike_before(const Statement& statement) {
  std::size_t asked = 0;
  for (const Claim& claim : statement.claims) {
    if (!is_asked_of_both(claim)) {
      continue;
    }
    ++asked;
    const Claim* const other = find_claim(statement.before, claim.id);
    if (other == nullptr || other->text != claim.text ||
        without_spaces(other->formal) != without_spaces(claim.formal)) {
      return "claim '" + visible(claim.id) + "' was not asked in the same words of the base model";
    }
  }
  return asked == statement.before.size() ? "" : "the base model was asked something else";
}

}  // namespace assay::certify
