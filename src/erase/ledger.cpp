#include "assay/erase/ledger.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/base/files.hpp"
#include "assay/base/rational_sum.hpp"
#include "assay/erase/moments.hpp"
#include "assay/model/strict_json.hpp"

namespace assay::erase {
namespace {

Rational need_fraction(const nlohmann::json& object, const char* key, const std::string& file) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) {
    throw InputError(file, key, "a fraction as text", "none");
  }
  const Rational value = parse_rational(object[key].get<std::string>());
  if (value.num <= 0 || value.num >= value.den) {
    throw InputError(file, key, "a fraction between 0 and 1", value.text());
  }
  return value;
}

Digest need_digest(const nlohmann::json& object, const char* key, const std::string& file) {
  if (!object.contains(key) || !object[key].is_string()) {
    throw InputError(file, key, "a digest", "none");
  }
  return parse_digest(object[key].get<std::string>());
}

bool above(const Rational& a, const Rational& b) {
  const auto rest = difference(a, b);
  return !rest || rest->num > 0;
}

}  // namespace

Rational Ledger::spent() const {
  Rational all;
  for (const Entry& entry : entries) {
    const auto next = sum(all, entry.alpha);
    if (!next) {
      throw Refusal("the ledger's alphas have no small common denominator");
    }
    all = *next;
  }
  return all;
}

void Ledger::spend(const Entry& entry) {
  const auto used = std::find_if(entries.begin(), entries.end(),
                                 [&](const Entry& e) { return e.rows == entry.rows; });
  if (used != entries.end()) {
    throw Refusal("these rows were used for a claim before (alpha " + used->alpha.text() +
                  "): calibration rows are used once");
  }
  const Rational before = spent();
  const auto after = sum(before, entry.alpha);
  if (!after || above(*after, total)) {
    throw Refusal("the ledger is overdrawn: " + before.text() + " of " + total.text() +
                  " is spent, and " + entry.alpha.text() + " is asked for");
  }
  entries.push_back(entry);
}

std::string ledger_json(const Ledger& ledger) {
  nlohmann::ordered_json root = {{"assay-ledger", 1},
                                 {"total", ledger.total.text()},
                                 {"entries", nlohmann::ordered_json::array()}};
  for (const Ledger::Entry& entry : ledger.entries) {
    root["entries"].push_back({{"rows", entry.rows.hex()},
                               {"eraser", entry.eraser.hex()},
                               {"alpha", entry.alpha.text()}});
  }
  return root.dump(1) + "\n";
}

Ledger load_ledger(const std::filesystem::path& path, const std::optional<Rational>& total) {
  Ledger ledger;
  if (!std::filesystem::exists(path)) {
    if (!total) {
      throw UsageError("ledger: " + path.string() +
                       " does not exist yet: --ledger-total says what it may spend in all");
    }
    ledger.total = *total;
    return ledger;
  }
  const std::string file = path.string();
  const nlohmann::json root = parse_strict_json(read_file(path), file);
  if (!root.is_object() || !root.contains("assay-ledger") || root["assay-ledger"] != 1 ||
      !root.contains("entries") || !root["entries"].is_array()) {
    throw InputError(file, "assay-ledger", "1, with entries", "something else");
  }
  ledger.total = need_fraction(root, "total", file);
  if (total && *total != ledger.total) {
    throw UsageError("ledger: " + file + " is over " + ledger.total.text() + ", not " +
                     total->text());
  }
  for (const nlohmann::json& entry : root["entries"]) {
    const Rational alpha = need_fraction(entry, "alpha", file);
    ledger.entries.push_back(
        {need_digest(entry, "rows", file), need_digest(entry, "eraser", file), alpha});
  }
  if (above(ledger.spent(), ledger.total)) {
    throw InputError(file, "entries", "alphas that add up to the total at most",
                     ledger.spent().text());
  }
  return ledger;
}

}  // namespace assay::erase
