#include "folded_recheck.hpp"

#include <algorithm>
#include <set>

#include "../case/folded_claim.hpp"
#include "assay/base/errors.hpp"
#include "assay/base/files.hpp"
#include "assay/base/text.hpp"
#include "assay/certify/checker.hpp"
#include "assay/erase/in_model.hpp"
#include "assay/model/sae.hpp"
#include "staging.hpp"

namespace assay::certify {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBefore = "before/";
constexpr std::size_t kMostBytes = std::size_t{1} << 28U;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ExitCode::evidence, what);
}

bool is_folded_kind(const Claim& claim) {
  return claim.kind == kFoldKind || claim.kind == kCostKind;
}

/// As its maker writes it, level and chain included; what it names as evidence is the caller's.
void need_words(const Claim& stated, const Claim& again) {
  if (!(stated == again)) {
    refuse("claim '" + visible(stated.id) +
           "' is not what computing it again gives: " + again.formal);
  }
}

class FoldCheck {
 public:
  FoldCheck(const Statement& statement, const fs::path& evidence, const fs::path& model)
      : statement_(statement), evidence_(evidence), subject_(load_transformer(model)) {
    base_ = load_transformer(evidence_ / listed(std::string(kBaseModel) + "/config.json", true));
    eraser_ =
        erase::load_eraser(evidence_ / listed(std::string(kEraserFolder) + "/eraser.json", true));
  }

  void run(FoldedRecheck& out) {
    erase::need_model(eraser_, base_);
    const erase::Fold fold = erase::fold(base_, eraser_.eraser);
    const std::string difference =
        fold_difference(fold, subject_.config_digest, subject_.weights_digest, scratch_.path());
    if (!difference.empty()) {
      refuse(difference);
    }
    const Claim& folded = the(kFoldKind);
    need_words(folded, fold_claim(eraser_, base_.weights_digest, folded.evidence));
    check_sources(fold);
    check_cost();
    if (const std::string unlike = unlike_before(statement_); !unlike.empty()) {
      refuse(unlike);
    }
    check_table();
    out.steps.push_back("the eraser was folded again into the base model: the same bytes; " +
                        std::to_string(sources_) +
                        " dictionaries and readouts and the cost of erasing came out the same");
  }

 private:
  /// An evidence file, or with `folder` where it lies.
  [[nodiscard]] std::string listed(const std::string& name, bool folder = false) const {
    const auto& all = statement_.evidence;
    if (std::none_of(all.begin(), all.end(), [&](const Evidence& e) { return e.name == name; })) {
      refuse("a folded model needs the evidence '" + name + "'");
    }
    return folder ? name.substr(0, name.rfind('/')) : name;
  }

  [[nodiscard]] const Claim& the(const std::string& kind) const {
    const Claim* found = nullptr;
    for (const Claim& claim : statement_.claims) {
      if (claim.kind == kind && found != nullptr) {
        refuse("more than one claim of kind " + kind);
      }
      found = claim.kind == kind ? &claim : found;
    }
    if (found == nullptr) {
      refuse("no claim of kind " + kind);
    }
    return *found;
  }

  /// What a proof about the base model reads lies under before/, and its folded fellow is what the subject's proof reads.
  void check_sources(const erase::Fold& fold) {
    std::set<std::string> seen;
    for (const Claim& before : statement_.before) {
      const std::vector<std::string> read = sources_of(before);
      const auto after = std::find_if(statement_.claims.begin(), statement_.claims.end(),
                                      [&](const Claim& c) { return c.id == before.id; });
      std::vector<std::string> folded;
      for (const std::string& name : read) {
        if (!name.starts_with(kBefore)) {
          refuse("'" + visible(name) + "' is read of the base model and lies elsewhere");
        }
        folded.push_back(name.substr(kBefore.size()));
        if (seen.insert(name).second) {
          check_source(fold, name, folded.back());
        }
      }
      if (before.recheck && after != statement_.claims.end() && after->recheck &&
          sources_of(*after) != folded) {
        refuse("claim '" + visible(before.id) +
               "' reads other dictionaries or readouts of the base model");
      }
    }
  }

  static std::vector<std::string> sources_of(const Claim& claim) {
    std::vector<std::string> out;
    for (std::size_t i = 0; claim.recheck && i < claim.recheck->inputs.size(); ++i) {
      const CheckInput& input = claim.recheck->inputs[i];
      if (input.option == "sae" || input.option == "readout") {
        out.push_back(evidence_name(input));
      }
    }
    return out;
  }

  void check_source(const erase::Fold& fold, const std::string& before, const std::string& after) {
    const fs::path from = evidence_ / before, to = evidence_ / after;
    bool same = false;
    if (fs::is_directory(from)) {
      const fs::path scratch = scratch_.path() / std::to_string(sources_);
      save_sae(scratch, erase::fold_sae(fold, load_sae(from)));
      same = load_sae(scratch).weights_digest == load_sae(to).weights_digest;
    } else {
      same =
          readout_json(erase::fold_readout(fold, load_readout(from))) == read_file(to, kMostBytes);
    }
    if (!same) {
      refuse("'" + visible(after) + "' is not the base model's with the eraser folded in");
    }
    ++sources_;
  }

  void check_cost() const {
    const std::string text = read_file(evidence_ / listed(kSequences), kMostBytes);
    const auto sequences = parse_sequences(text, base_.config.d_vocab);
    need_words(the(kCostKind), cost_claim(cost_of(base_, subject_, sequences), sha256(text)));
  }

  void check_table() const {
    const Table again = folded_table(statement_);
    const auto& tables = statement_.tables;
    const auto found = std::find_if(tables.begin(), tables.end(),
                                    [&](const Table& t) { return t.id == again.id; });
    const bool same = found == tables.end()
                          ? again.rows.empty()
                          : found->caption == again.caption && found->note == again.note &&
                                found->columns == again.columns && found->rows == again.rows;
    if (!same) {
      refuse("the table of properties before and after is not that of the claims");
    }
  }

  const Statement& statement_;
  const fs::path& evidence_;
  Transformer subject_, base_;
  erase::LoadedEraser eraser_;
  Staging scratch_;
  std::size_t sources_ = 0;
};

}  // namespace

FoldedRecheck recheck_folded(const Statement& statement, const fs::path& evidence,
                             const fs::path& model) {
  FoldedRecheck out;
  if (statement.before.empty() &&
      std::none_of(statement.claims.begin(), statement.claims.end(), is_folded_kind)) {
    return out;
  }
  try {
    FoldCheck(statement, evidence, model).run(out);
  } catch (const std::exception& e) {
    out.faults.push_back(std::string("folded model: ") + e.what());
  }
  return out;
}

}  // namespace assay::certify
